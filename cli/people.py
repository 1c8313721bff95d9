"""The verbs that fill the register: `import people` and `demo people`."""

import csv
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from cli.context import Service, pass_service
from cli.exits import DIFFERENT, NOT_ALLOWED, USAGE, UsageFault
from cli.groups import VerbGroup
from cli.import_report import Report
from cli.progress import Progress

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from records.csv_lines import Refusal
    from records.importer import Outcome
    from records.register import Record

_BATCH = 1000
_MOST_PEOPLE = 100_000_000
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)

_IMPORT_HELP = """Import a CSV FILE of people, for whoever feeds the register.

The header names these columns in any order, and may name more of the catalogue:

\b
  personal_id,full_name,sex,date_of_birth,phone,phone_verified_on,
  commune,province,card_issued_on,card_expires_on,status

Lines that are not right are named and left out, the rest goes in. Giving the same file again
goes on where it stopped, or changes nothing.

Ends 0 when every line went in (warnings included), 4 when some were refused, 2 when the file
cannot be read at all, 69 when the database is not available.

\b
Examples:
  python app.py import people people.csv --dry-run
  python app.py import people people.csv --errors refused.csv
"""
_DEMO_HELP = """Add COUNT made-up people, for demonstrations and tests.

They are marked as made up, so that nothing is ever sent to them through a real link. With --csv
they go to a file that `import people FILE --test` takes.

\b
Examples:
  python app.py demo people 1000
  python app.py demo people 100000 --seed 7 --csv people.csv
"""


@click.group("import", cls=VerbGroup)
def import_group() -> None:
    """Bring people into the register, for whoever feeds it."""


@import_group.command("people", short_help="Import a CSV file of people.", help=_IMPORT_HELP)
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--errors", type=_NEW_FILE, help="Write every refused line's number and reason here.")
@click.option("--test", "is_test", is_flag=True, help="Mark everybody as made up.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@pass_service
def import_people_command(
    service: Service,
    file: Path,
    *,
    dry_run: bool,
    errors: Path | None,
    is_test: bool,
    as_json: bool,
) -> None:
    """Import a file and say what became of it."""
    from records.errors import ImportOvertakenError, PeopleFileError

    report = Report(as_json=as_json, dry_run=dry_run)
    with ExitStack() as stack:
        source = stack.enter_context(_opened(file))
        if errors:
            report.write_to(stack.enter_context(_refusals(errors, file)))
        try:
            outcome = _import(service, source, report, dry_run=dry_run, is_test=is_test)
        except PeopleFileError as error:
            raise UsageFault(f"{file.name}: {error}", USAGE) from error
        except ImportOvertakenError as error:
            raise UsageFault(f"{file.name}: {error}", NOT_ALLOWED) from error
    report.tell(outcome)
    if outcome.refused:
        sys.exit(DIFFERENT)


@click.command("people", short_help="Add made-up people.", help=_DEMO_HELP)
@click.argument("count", type=click.IntRange(1, _MOST_PEOPLE))
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other people.")
@click.option("--csv", "path", type=_NEW_FILE, help="Write them here, do not add them.")
@pass_service
def demo_people_command(service: Service, count: int, seed: int, path: Path | None) -> None:
    """Make people up, into the register or a file."""
    from core.clock import vietnam_day
    from core.settings import Mode
    from records import people

    if service.settings.mode is Mode.PRODUCTION:
        raise UsageFault(
            "Made-up people are for demonstrations and tests only: this deployment serves real "
            "citizens. Set TRADAN_MODE=demo in a deployment of its own.",
            NOT_ALLOWED,
        )
    made_up = people.generate(count, seed, vietnam_day(service.clock.now()))
    if path:
        _write_people(path, made_up)
        click.echo(f"wrote {count} made-up people to {path}", err=True)
    else:
        added, changed, unchanged = _add_people(service, made_up, count)
        click.echo(f"{added} made-up people added, {changed} changed, {unchanged} there already")


def _import(
    service: Service, source: BufferedReader, report: Report, *, dry_run: bool, is_test: bool
) -> "Outcome":
    from core.clock import vietnam_day
    from core.errors import UnavailableError
    from records.importer import Importer
    from records.people_csv import PeopleFile

    people = PeopleFile(source, today=vietnam_day(service.clock.now()), is_test=is_test)
    report.left_out = people.left_out
    with Progress("lines", people.size, service.clock) as progress:
        importer = Importer(
            service.database,
            service.keyring,
            service.clock,
            finish=lambda outcome: _entry(service, outcome),
            refuse=report.refuse,
            progress=lambda outcome: progress.tell(people.offset, outcome.rows),
        )
        if dry_run:
            return importer.rehearse(people)
        try:
            outcome = importer.run(people)
        except (UnavailableError, KeyboardInterrupt):
            click.echo("What is in stays in; give the same file again to go on.", err=True)
            raise
    if service.database.dialect == "postgresql":
        # No worker need be running for an act of the command line to be sealed.
        service.journal.seal_once()
    return outcome


def _entry(service: Service, outcome: "Outcome") -> "Callable[[Session], None]":
    """Prepare the journal entry of an import, to be stored with its end."""
    from journal.entries import Draft, Kind, Retention

    done, journal = outcome.reached, service.journal
    draft = Draft(
        kind=Kind.ADMIN,
        retention=Retention.ACT,
        actor=service.person,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={
            "act": "import-people",
            "file_digest": outcome.file_digest,
            "is_test": outcome.is_test,
            "rows": outcome.rows,
            "added": done.added,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "refused": outcome.refused,
        },
    )
    entries = journal.prepare([draft])
    return lambda session: journal.append(session, entries)


@contextmanager
def _opened(file: Path) -> Iterator[BufferedReader]:
    try:
        source = file.open("rb")
    except OSError as error:
        raise UsageFault(f"{file.name} cannot be opened ({error.strerror})", USAGE) from error
    with source:
        yield source


@contextmanager
def _refusals(path: Path, source: Path) -> "Iterator[Callable[[Refusal], None]]":
    """Open the file of refusals: numbers and reasons, nothing of what the lines say."""
    if path.exists() and path.samefile(source):
        raise UsageFault("--errors names the file that is imported: name another", USAGE)
    with _private(path) as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason"))
        yield lambda refusal: writer.writerow((refusal.line, refusal.reason))


def _write_people(path: Path, made_up: "Iterator[Record]") -> None:
    from records.people_csv import HEADER

    with _private(path) as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows([getattr(person, column) for column in HEADER] for person in made_up)


def _private(path: Path) -> TextIO:
    """Open a file for writing that is closed to others, if it is new."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UsageFault(f"{path} cannot be written ({error.strerror})", USAGE) from error
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _add_people(service: Service, made_up: "Iterator[Record]", count: int) -> tuple[int, int, int]:
    from records import citizens

    added = changed = unchanged = 0
    with Progress("people", count, service.clock) as progress:
        while batch := list(islice(made_up, _BATCH)):
            found = citizens.store(service.database, service.keyring, batch)
            added += len(found.added)
            changed += len(found.changed)
            unchanged += len(found.unchanged)
            progress.tell(added + changed + unchanged, added + changed + unchanged)
    return added, changed, unchanged
