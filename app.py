#!/usr/bin/env python3
"""TraDan: citizens look up their own record in the population register by SMS.

Composes the service and its command line; nobody imports it.
"""

import multiprocessing.util
import os
import sys
from typing import TYPE_CHECKING

import click

from cli.context import Service
from cli.exits import INTERRUPTED
from cli.groups import Program
from core.version import VERSION

if TYPE_CHECKING:
    from flask import Flask

    from cli.door import Door
    from core.settings import Settings

_VERBS = {
    "init": ("cli.setup:init_command", "Make what a deployment needs, for who installs it."),
    "run": ("cli.serving:run_command", "Take messages and answer them until told to end."),
    "operator": ("cli.operators:operator_group", "Links to telecom operators, for the engineer."),
    "billing": ("cli.billing:billing_group", "What operators charge, for accountants."),
    "import": ("cli.people:import_group", "Bring people into the register, for who feeds it."),
    "journal": ("cli.journal:journal_group", "Check the exchange journal, for auditors."),
    "suspend": ("cli.stopping:suspend_command", "Stop the service or a part of it, at once."),
    "resume": ("cli.stopping:resume_command", "Lift a stop, as one of two officers."),
    "state": ("cli.stopping:state_command", "Say whether the service is stopped, and why."),
    "user": ("cli.users:user_group", "Officers of the console."),
    "case": ("cli.cases:case_group", "What citizens said is wrong (SAI), for officers."),
    "demo": ("cli.demo:demo_group", "Show the whole service with made-up people."),
    "simulate": ("cli.simulate:simulate_group", "Play made-up people at the service (demo, test)."),
    "phone": ("cli.phone:phone_command", "A made-up citizen's phone in the terminal (demo)."),
    "benchmark": ("cli.benchmarks:benchmark_group", "Measure what this machine can serve."),
}
_HELP = """Let citizens look themselves up by SMS, for whoever runs the service.

\b
Examples:
  python app.py demo
  python app.py init
  python app.py operator add --help
  python app.py run
"""


def create_app(settings: "Settings") -> "Flask":
    """Make the web application of a deployment, without its stages."""
    from cli.web import make_app
    from cli.wiring import receiver_of
    from sms.signals import Signal

    service = Service.of(settings)
    return make_app(service, receiver_of(service, Signal()))


def web() -> "Door":
    """Make the application of one web process; on SQLite the stages run in it as threads."""
    from cli import caretaking, metering
    from cli.door import Door
    from cli.serving import PARENT, WEB_THREADS, end_with
    from cli.web import HEADERS, make_app
    from cli.wiring import receiver_of, stages_of
    from core import log
    from sms.signals import Bell, NeighbourBell, Signal

    def door(received: Bell) -> Door:
        receiver = receiver_of(service, received)
        app = make_app(service, receiver)
        return Door(app, receiver, threads=WEB_THREADS, headers=HEADERS)

    end_with(int(os.environ.get(PARENT, os.getppid())))
    log.configure(json=not sys.stderr.isatty())
    service = Service(os.environ)
    if service.database.dialect != "sqlite":
        for keeper in caretaking.keepers_of_web(service):
            keeper.start()
        return door(NeighbourBell(service.settings.state_dir, service.clock))
    received = Signal()
    metering.serve(service.settings)
    stages = stages_of(service, received)
    stages.start()
    # Runs when the server has stopped taking requests and before the process ends.
    multiprocessing.util.Finalize(None, stages.drain, exitpriority=100)
    return door(received)


@click.group(cls=Program, verbs=_VERBS, help=_HELP)
@click.option("--debug", is_flag=True, help="Show the trace of an error too.")
@click.version_option(VERSION, prog_name="TraDan")
@click.pass_context
def main(context: click.Context, *, debug: bool) -> None:  # noqa: ARG001 (the group reads it)
    """Open the deployment that the environment names, for the verb to work on."""
    service = Service(os.environ)
    context.obj = service
    context.call_on_close(service.close)


def _run() -> None:
    try:
        sys.exit(main(standalone_mode=False) or 0)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    _run()
