"""`billing export`: the minutes of a month as files."""

import json
import os
from pathlib import Path

import click

from cli.billing_acts import period_of
from cli.billing_statements import AS_JSON, OPERATOR, load
from cli.context import Service, pass_service
from cli.exits import USAGE, UsageFault
from cli.groups import Verb

_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command(
    "export",
    cls=Verb,
    examples=(
        "python app.py billing export 2026-10 --operator viettel --xlsx minutes.xlsx",
        "python app.py billing export 2026-10 --operator viettel --html minutes.html",
        "python app.py billing export 2026-10 --operator viettel --csv lines.csv --plain",
    ),
)
@click.argument("period")
@OPERATOR
@click.option("--xlsx", type=_FILE, help="The minutes as a workbook.")
@click.option("--html", type=_FILE, help="The minutes as a page to print on A4.")
@click.option("--csv", "lines", type=_FILE, help="The lines, as Vietnamese Excel opens them.")
@click.option("--plain", is_flag=True, help="CSV as in RFC 4180: commas, and points in figures.")
@click.option("--body", default="", metavar="NAME", help="Who signs for our side.")
@AS_JSON
@pass_service
def export_command(
    service: Service,
    /,
    *,
    period: str,
    operator: str,
    xlsx: Path | None,
    html: Path | None,
    lines: Path | None,
    plain: bool,
    body: str,
    as_json: bool,
) -> None:
    """Write the minutes of a month (biên bản đối soát), with an entry in the journal.

    They are of the lines as they were made; a draft says that it is one.
    """
    from billing import minutes, minutes_page, minutes_sheet
    from cli import acting

    if not (xlsx or html or lines):
        raise UsageFault("say what to write: --xlsx, --html or --csv", USAGE)
    statement, kept = load(service, operator, period_of(period))
    found = minutes.of(statement, kept)
    made: dict[Path, bytes] = {}
    if xlsx:
        made[xlsx] = minutes_sheet.workbook(found, body, service.clock.now())
    if html:
        made[html] = minutes_page.page(found, body).encode()
    if lines:
        made[lines] = minutes_sheet.lines_csv(kept, plain=plain).encode()
    said = {"operator": operator, "period": str(statement.period), "digest": statement.digest}
    acting.perform(service, "statement-export", lambda _session: None, said)
    for path, content in made.items():
        _write(path, content)
    if as_json:
        click.echo(json.dumps({"digest": statement.digest, "files": [str(path) for path in made]}))
    else:
        click.echo("wrote " + ", ".join(str(path) for path in made))


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
