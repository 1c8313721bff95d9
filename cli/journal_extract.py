"""`journal extract`: who looked at one citizen's record, on paper or for programs."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from cli.confirming import confirmed
from cli.context import Service, pass_service
from cli.exits import USAGE, UsageFault
from cli.groups import OptionIn, Verb
from cli.journal_targets import checked, person_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cli.extract_page import Sheet
    from console.access.officers import Officer

_SHORTEST_REASON = 20
_PAPER = """\
python app.py journal extract --citizen --officer minh \\
  --reason "asked for in person at the counter" --case "12/2026" \\
  --receiver "Công an phường Cửa Nam" --output extract.html"""
_WHY = "Why, for the journal and for the citizen"


@click.command(
    "extract",
    cls=Verb,
    short_help="Write out who looked at one citizen's record.",
    examples=(_PAPER,),
)
@click.option(
    "--citizen",
    type=click.File(lazy=True),  # an option that is refused leaves it unopened
    is_flag=False,
    flag_value="-",
    required=True,
    help="File with the personal number; without one it is asked for.",
)
@click.option("--officer", "name", required=True, help="Who does it; password and code are asked.")
@click.option("--reason", cls=OptionIn, section=_WHY, required=True, help="20 to 200 characters.")
@click.option("--case", cls=OptionIn, section=_WHY, required=True, help="The number of the case.")
@click.option(
    "--receiver", cls=OptionIn, section=_WHY, required=True, help="The institution it is made at."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A new file, closed to others  [standard output]",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, not a page.")
@pass_service
def extract_command(
    service: Service,
    /,
    *,
    citizen: TextIO,
    name: str,
    output: Path | None,
    as_json: bool,
    **why: str,
) -> None:
    """Write out every access to one citizen's record: when, what for, by whom, with its receipt.

    The page prints on A4. That it was made is in the journal, sealed, before any of it is read;
    the citizen sees that too. What is under embargo is left out. The number is never an argument.
    """
    from console.access.roles import Right

    person = person_of(citizen)
    said = {each: checked(f"--{each}", why[each]) for each in ("reason", "case", "receiver")}
    if len(said["reason"]) < _SHORTEST_REASON:
        raise UsageFault(f"--reason says why in {_SHORTEST_REASON} characters or more", USAGE)
    if output is not None and (output.exists() or not output.parent.is_dir()):
        raise UsageFault("--output names a new file in a folder that is there", USAGE)
    officer = confirmed(service, name, Right.OPEN_ACCESS_FILE, "open an access file")
    sheet = _made(service, officer, person, said)
    text = json.dumps(sheet.as_json(), ensure_ascii=False, indent=2) if as_json else sheet.page()
    if output is None:
        click.echo(text)
        return
    with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    click.echo(f"wrote {len(sheet.found.usages)} accesses to {output}", err=True)


def _made(service: Service, officer: "Officer", person: str, said: dict[str, str]) -> "Sheet":
    """Journal that the extract is made, wait for the seal, and only then read."""
    from cli.acting import perform_as
    from cli.extract_page import Sheet
    from core.keyring import row_id
    from journal import accesses
    from journal.entries import Draft, Kind, Retention, ToldAs
    from sms import extract

    tags = service.keyring.indexes("personal_id", person)
    draft = Draft(
        kind=Kind.ADMIN,
        retention=Retention.ACT,
        actor=officer.actor,
        actor_index=None,
        subject=f"person:{person}",
        subject_index=row_id(tags[0]),
        payload={"act": "journal-extract", **said},
        told_as=ToldAs.ACCESS,
    )
    perform_as(service, draft, lambda _session: None)
    now = service.clock.now()

    def read(session: "Session") -> Sheet:
        subjects = [row_id(tag) for tag in tags]
        opened = accesses.every(session, service.keyring, subjects, now)
        return Sheet(
            found=extract.of(opened),
            person=extract.masked(person),
            made_at=now,
            made_by=officer.full_name,
            said=said,
            origin=service.journal.origin,
            head=service.journal.head(session),
            short_code=service.settings.short_code,
        )

    return service.database.read(read)
