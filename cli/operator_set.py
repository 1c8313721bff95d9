"""`operator set`: what was agreed about a link, changed: its numbers, its pace, its part."""

from dataclasses import replace

import click

from cli import routing
from cli.context import Service, pass_service
from cli.exits import USAGE, UsageFault
from cli.groups import Verb
from sms.links.model import Link
from sms.weights import MOST, RESTING

_FASTEST = 100_000
PREFIXES = click.option("--prefixes", metavar="RANGES", help="Its numbers, as 032-039,086.")
SEND_RATE = click.option(
    "--send-rate",
    type=click.IntRange(0, _FASTEST),
    metavar="N",
    help="SMS parts a second that it takes of us; 0: any number.",
)
WEIGHT = click.option(
    "--weight",
    type=click.IntRange(0, MOST),
    metavar="N",
    help=f"Its part beside its operator's other links, 0 to {MOST}  [default: {RESTING}].",
)


@click.command(
    "set",
    cls=Verb,
    short_help="Change what was agreed about a link.",
    examples=(
        "python app.py operator set viettel --prefixes 032-039,086,096-098",
        "python app.py operator set viettel-2 --weight 20 --send-rate 50",
    ),
)
@click.argument("code")
@PREFIXES
@SEND_RATE
@WEIGHT
@pass_service
def set_command(
    service: Service,
    /,
    *,
    code: str,
    prefixes: str | None,
    send_rate: int | None,
    weight: int | None,
) -> None:
    """Change what was agreed about a link; what is not given stays as it is.

    A weight has all links of its operator begin anew from their own.
    """
    from cli import linking
    from cli.link_options import read_prefixes
    from cli.operators import require
    from sms.links.terms import Terms

    link = require(service, code)
    read = None if prefixes is None else read_prefixes(prefixes)
    told = Terms(prefixes=read, send_rate=send_rate, weight=weight)
    if told == Terms():
        raise UsageFault("say what is to change: see `operator set --help`", USAGE)
    linking.change(service, link, told)
    click.echo(f"{code} is changed")
    # The links may have been read before this.
    warn_of_route(service, link if read is None else replace(link, prefixes=read))


def warn_of_route(service: Service, link: Link) -> None:
    """Say so where a link's operator would be told nothing."""
    if link.operator in routing.unknown(service, link):
        click.echo(
            f"TRADAN_ROUTE=serving, and no numbers are known to be {link.operator}'s: "
            f"`operator set {link.code} --prefixes` says which",
            err=True,
        )
