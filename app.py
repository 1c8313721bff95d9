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
from cli.exits import INTERRUPTED, LazyGroup, told_plainly
from core.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

_VERBS = {
    "init": ("cli.setup:init_command", "Make keys, database and state folder; safe to repeat."),
    "run": ("cli.serving:run_command", "Take messages and answer them until told to end."),
    "operator": ("cli.operators:operator_group", "Links to telecom operators."),
    "import": ("cli.people:import_group", "Bring people into the register."),
    "journal": ("cli.journal:journal_group", "Check the exchange journal."),
    "demo": ("cli.demo:demo_group", "Show the whole service with made-up people."),
    "phone": ("cli.phone:phone_command", "A made-up citizen's phone in the terminal (demo)."),
    "benchmark": ("cli.benchmark:benchmark_command", "Measure this machine, on this machine."),
}


def create_app(settings: Settings) -> "Flask":
    """Make the web application of a deployment, without its stages."""
    from cli.web import make_app
    from sms.signals import Signal

    return make_app(Service.of(settings), Signal())


def web() -> "Flask":
    """Make the application of one web process; on SQLite the stages run in it as threads."""
    from cli import metering
    from cli.serving import end_with
    from cli.web import make_app
    from cli.wiring import stages_of
    from core import log
    from sms.signals import Signal

    end_with(os.getppid())
    log.configure(json=not sys.stderr.isatty())
    service, received = Service(os.environ), Signal()
    if service.database.dialect == "sqlite":
        metering.serve(service.settings)
        stages = stages_of(service, received)
        stages.start()
        # Runs when the server has stopped taking requests and before the process ends.
        multiprocessing.util.Finalize(None, stages.drain, exitpriority=100)
    return make_app(service, received)


@click.group(cls=LazyGroup, verbs=_VERBS)
@click.version_option("1.0.0", prog_name="TraDan")
@click.pass_context
def main(context: click.Context) -> None:
    """Let citizens look themselves up by SMS.

    Settings come from the environment (TRADAN_…); see README.md.
    """
    service = Service(os.environ)
    context.obj = service
    context.call_on_close(service.close)


def _run() -> None:
    try:
        with told_plainly():
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
