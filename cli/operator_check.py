"""`operator test`: a link looked at from our side, or one request of its operator looked into."""

import json
import sys
from pathlib import Path

import click

from cli.context import Service, pass_service
from cli.exits import FAILED, USAGE, UsageFault
from cli.groups import OptionIn, Verb

_IN_REQUEST = "To look into one request that the operator sent"
_FILE = click.Path(dir_okay=False, path_type=Path)
_LINK = "python app.py operator test viettel"
_REQUEST = "python app.py operator test viettel --headers headers.txt --body body.json"


@click.command(
    "test", cls=Verb, short_help="Check a link from our side.", examples=(_LINK, _REQUEST)
)
@click.argument("code")
@click.option("--headers", cls=OptionIn, section=_IN_REQUEST, type=_FILE, help="One a line.")
@click.option("--body", cls=OptionIn, section=_IN_REQUEST, type=_FILE, help="Byte for byte.")
@click.option(
    "--signed", cls=OptionIn, section=_IN_REQUEST, type=_FILE,
    help="What they signed: id, timestamp and body, as their program had it.",
)  # fmt: skip
@click.option(
    "--at", cls=OptionIn, section=_IN_REQUEST, metavar="TIME", help="When it came, with an offset."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_service
def test_command(
    service: Service,
    /,
    *,
    code: str,
    headers: Path | None,
    body: Path | None,
    signed: Path | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Check a link from our side; nothing is sent to any telephone.

    Looks at its state and assessment, has a sample signed and verified under each live secret, asks
    its host for an answer, and compares clocks. Ends 0 if the link could carry a lookup, else 1.

    With --headers and --body it says of a request that the operator sent which byte of what was
    signed differs, or what else was done otherwise. Ends 0 if its signature holds, else 1.
    """
    from cli.operators import require

    link = require(service, code)
    if headers is not None and body is not None:
        from cli.signature_check import explain

        found = explain(link, headers, body, signed, at)
        shown, lines, is_well = found.as_json(), found.lines(), found.ok
    elif headers or body or signed or at:
        raise UsageFault("a request is looked into by --headers FILE and --body FILE", USAGE)
    else:
        from cli.link_check import check

        seen = check(link, service.settings.public_url, service.clock)
        lines = [
            f"{'ok   ' if each.ok else 'FAULT'}  {each.name}: {each.says}" for each in seen.each
        ]
        shown, is_well = seen.as_json(), seen.ok
    click.echo(json.dumps(shown) if as_json else "\n".join(lines))
    if not is_well:
        sys.exit(FAILED)
