"""`simulate`: a made-up operator at a running service, never at one of real citizens."""

import json
import secrets
import signal
import sys
from types import FrameType

import click

from cli.context import Service, pass_service
from cli.exits import DIFFERENT, INTERRUPTED, USAGE, UsageFault
from cli.groups import LazyGroup

_SEEDS = 2**32
_FASTEST = 40.0
_HELP = """Play made-up people at a running service, for whoever wants to see it at work.

\b
Examples:
  python app.py simulate traffic
  python app.py simulate traffic --rate 5 --for 300
"""
_TRAFFIC = f"""Play an operator whose subscribers look themselves up, at a rate.

It has a link of its own, `traffic`, signs and posts messages and takes the replies at a port of
this machine, as every operator does. Of a hundred turns 90 are honest lookups, 4 give a wrong PIN
first, 3 ask from a stranger's telephone, 2 are posted twice and one is no command. The people are
those of the register that are marked as made up; each has limits as everybody has, so who plays
long needs many (`demo people 1000`). Only where the service runs for demonstration or tests, on
this machine; at most {_FASTEST:g} turns a second: how fast it can go, `benchmark` says.

Ends 0, or 4 when a message was not answered as was due, 5 outside a demonstration, 69 when the
service does not answer, 130 when interrupted; what was seen until then is told all the same.

\b
Examples:
  python app.py simulate traffic
  python app.py simulate traffic --rate 5 --for 300 --json
"""


@click.group(
    "simulate",
    cls=LazyGroup,
    help=_HELP,
    verbs={"traffic": ("cli.simulate:traffic_command", "An operator's subscribers, at a rate.")},
)
def simulate_group() -> None:
    """Play made-up people."""


@click.command("traffic", short_help="An operator's subscribers, at a rate.", help=_TRAFFIC)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, _FASTEST),
    default=1.0,
    show_default=True,
    help="Turns begun each second.",
)
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(1, 86_400),
    default=60.0,
    show_default=True,
    help="For how many seconds.",
)
@click.option("--url", help="Where the service is  [default: where the demonstration runs].")
@click.option(
    "--seed",
    type=click.IntRange(0, _SEEDS - 1),
    help="Repeats the order of an earlier run  [default: a random one, told].",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was seen as JSON.")
@pass_service
def traffic_command(
    service: Service,
    *,
    rate: float,
    seconds: float,
    url: str | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Play an operator and tell what was seen."""
    from cli import traffic
    from cli.invented import demonstration, gateway_of
    from core.settings import Mode

    service = demonstration(service, "Traffic is played", Mode.DEMO, Mode.TEST)
    gateway = gateway_of(service, url)
    port = traffic.port_of(gateway)
    if port is None:
        raise UsageFault(f"traffic is played on this machine only, not at {gateway}", USAGE)
    seed = secrets.randbelow(_SEEDS) if seed is None else seed
    signal.signal(signal.SIGTERM, _interrupt)
    seen = traffic.play(service, port, traffic.Plan(rate, seconds, seed))
    click.echo(json.dumps(seen.as_json()) if as_json else "\n".join(seen.lines()))
    if seen.is_interrupted:
        sys.exit(INTERRUPTED)
    if seen.faults:
        sys.exit(DIFFERENT)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
