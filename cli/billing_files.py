"""`billing check|import`: operators' call records, seen whole before any is kept."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.acting import perform_told
from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.groups import Verb
from cli.progress import Progress

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.periods import Period
    from billing.reconciliation.intake import Taken
    from billing.reconciliation.mapping import CdrMapping
    from billing.reconciliation.store import Store
    from billing.statements import State
    from journal.leaf import PayloadValue

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
OPERATOR = click.option("--operator", metavar="NAME", required=True, help="Whose it is.")
WHO = "Who answers for it; password and code are asked."
_MEGABYTE = 1_000_000


@click.command(
    "check",
    cls=Verb,
    short_help="Say whether a file of call records would be taken.",
    examples=(
        "python app.py billing check cdr.csv --operator viettel",
        "python app.py billing check cdr.csv.gz --operator viettel --mapping mapping.toml",
    ),
)
@click.argument("file", type=FILE)
@OPERATOR
@click.option("--period", "written", metavar="PERIOD", help="It must be of this month, 2026-10.")
@click.option("--mapping", "by", type=FILE, help="Read it by this mapping, not the one kept.")
@_AS_JSON
@pass_service
def check_command(
    service: Service, *, file: Path, operator: str, written: str | None, by: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Look at a FILE (.csv, .csv.gz, .parquet, .xlsx) as `import` does, and keep nothing of it.

    For operators, before they send it: it needs no database, and with --mapping nothing but the two
    files. Ends 0 when the file is right, 2 with the lines and reasons when it is not.
    """
    from billing.periods import Period
    from billing.reconciliation import mapping_file
    from billing.reconciliation.errors import CdrFileError
    from billing.reconciliation.store import Store

    with told_plainly(by or file):
        store = Store.of(service.settings.state_dir, operator)
        mapping = mapping_file.parse(by.read_text(encoding="utf-8")) if by else store.mapping()
    with told_plainly(file), store.scratch() as folder:
        period = Period.parse(written) if written else None
        try:
            taken = _take(service, file, mapping, folder, period)
        except CdrFileError as error:
            if as_json:
                faults = [{"line": each.line, "reason": each.reason} for each in error.faults]
                click.echo(json.dumps({"ok": False, "faults": faults}, ensure_ascii=False))
            raise
    _tell(taken, as_json=as_json)


@click.command(
    "import",
    cls=Verb,
    short_help="Take in an operator's call records of a month.",
    examples=(
        "python app.py billing import 2026-10 cdr.csv.gz --operator viettel",
        "python app.py billing import 2026-10 cdr.csv.gz --operator viettel --officer lan",
        "python app.py billing import 2026-10 again.csv --operator viettel --instead-of 5f3a9c",
    ),
)
@click.argument("written", metavar="PERIOD")
@click.argument("file", type=FILE)
@OPERATOR
@click.option("--instead-of", "dropped", metavar="DIGEST", help="Forget the file that begins so.")
@click.option("--officer", "name", help=f"{WHO} Without, it is whoever runs this.")
@_AS_JSON
@pass_service
def import_command(
    service: Service, *, written: str, file: Path, operator: str, dropped: str | None,
    name: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Take in a FILE of a PERIOD, all of it or nothing; the same file twice is there once.

    After a mapping was put right it is read anew, in its own place. A month may come in several
    files. Kept are ids, times, parts and amounts, and nobody's number. A statement that was
    compared before is compared again before anybody signs it. Ends 0 when it is kept, 2 with lines
    and reasons when it is refused, 5 when the month is signed.
    """
    from billing.periods import Period

    store = store_of(service, operator)
    with told_plainly(file), store.scratch() as folder:
        period, mapping = Period.parse(written), store.mapping()
        _see_open(service, operator, period)
        goes = _one_of(store, period, dropped) if dropped else None
        taken = _take(service, file, mapping, folder, period)
        _see_belonging(service, operator, taken, folder)
        goes = None if goes == taken.digest else goes
        there = store.notes(period).get(taken.digest)
        if there and there.reading == mapping.reading and not goes:
            click.echo("it is there already", err=True)
        else:
            actor = answering(service, name) if name else service.person
            with store.held():
                _keep(service, actor, store, period, taken, mapping, goes)
    _tell(taken, as_json=as_json)


@contextmanager
def told_plainly(file: Path) -> Iterator[None]:
    """Turn what is wrong with a file, or with what it is asked for, into a sentence and a code."""
    from billing.errors import BillingError, PeriodError
    from billing.reconciliation.errors import CdrFileError, MappingError

    try:
        yield
    except CdrFileError as error:
        told = "\n".join(f"  {fault}" for fault in error.faults)
        raise UsageFault(
            f"{file.name} is refused, and nothing of it is kept:\n{told}", USAGE
        ) from error
    except MappingError as error:
        told = "\n".join(f"  - {fault}" for fault in error.faults)
        raise UsageFault(f"the mapping cannot be used:\n{told}", USAGE) from error
    except PeriodError as error:
        raise UsageFault(str(error), USAGE) from error
    except BillingError as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error


def answering(service: Service, name: str) -> str:
    """Return the officer, as entries name one, once password and device were shown."""
    from cli.confirming import confirmed
    from console.access.roles import Right

    purpose = "take in what operators counted, and how they write it"
    return confirmed(service, name, Right.MAKE_STATEMENTS, purpose).actor


def links_of(service: Service, operator: str) -> list[int]:
    """Return the links of an operator. Raises: UsageFault if it has none."""
    found = [link.id for link in service.links.all() if link.operator == operator]
    if not found:
        raise UsageFault(f"no link is of {operator}: see `python app.py operator list`", USAGE)
    return found


def store_of(service: Service, operator: str) -> "Store":
    """Return where an operator's files are. Raises: UsageFault if no link is its."""
    from billing.reconciliation.store import Store

    links_of(service, operator)
    return Store.of(service.settings.state_dir, operator)


def _take(
    service: Service, file: Path, mapping: "CdrMapping", folder: Path, period: "Period | None"
) -> "Taken":
    from billing.reconciliation import intake

    size = file.stat().st_size
    with Progress("MB", intake.WHOLE, service.clock) as progress:
        return intake.take(
            file,
            mapping,
            folder,
            period,
            tell=lambda done, total: progress.tell(done, size * done // total // _MEGABYTE),
        )


def _see_open(service: Service, operator: str, period: "Period") -> None:
    from billing import statements

    found = service.database.read(lambda s: statements.find(s, operator, period))
    if found is not None and found.is_closed:
        raise UsageFault(f"{period} of {operator} is signed: it does not change", NOT_ALLOWED)


def _see_belonging(service: Service, operator: str, taken: "Taken", folder: Path) -> None:
    from billing.reconciliation import belonging
    from billing.reconciliation.errors import CdrFileError

    links = {link.id: link.operator for link in service.links.all()}
    sampled = belonging.sample(taken.path, folder)
    found = service.database.read(lambda s: belonging.others(s, sampled, links, operator))
    if found is not None:
        raise CdrFileError.whole(f"its records are those of {found}, not of {operator}")


def _one_of(store: "Store", period: "Period", begins: str) -> str:
    found = [digest for digest in store.notes(period) if digest.startswith(begins)]
    if len(found) != 1:
        raise UsageFault(f"{len(found)} imported files begin with {begins}: name one", USAGE)
    return found[0]


def _keep(
    service: Service,
    actor: str,
    store: "Store",
    period: "Period",
    taken: "Taken",
    mapping: "CdrMapping",
    goes: str | None,
) -> None:
    """Lay the file, journal that, and only then let it count."""
    from billing.reconciliation.store import Note

    sums = taken.sums
    note = Note(
        digest=taken.digest,
        records=sums.records,
        carried=sums.carried,
        parts=sums.carried_parts,
        amount=sums.carried_amount,
        imported_at=service.clock.now(),
        imported_by=actor,
        reading=mapping.reading,
    )
    # What it was read to before never counts under the note of now, nor the other way round.
    store.drop(period, taken.digest)
    store.lay(period, taken.path, taken.digest)
    said: dict[str, PayloadValue] = {
        "digest": taken.digest,
        "period": str(period),
        "records": sums.records,
        "mapping_digest": mapping.digest,
    }
    if goes:
        said["instead_of"] = goes
    _outdate(service, actor, store.operator, period, said)
    store.note(period, note)
    if goes:
        store.drop(period, goes)


def _outdate(
    service: Service,
    actor: str,
    operator: str,
    period: "Period",
    said: "Mapping[str, PayloadValue]",
) -> None:
    """Journal an import, and have a statement that was compared before compared again."""
    from billing import compared

    told: dict[str, PayloadValue] = {"act": "cdr-import", "operator": operator, **said}

    def work(session: "Session") -> "tuple[State | None, Mapping[str, PayloadValue]]":
        was = compared.outdate(session, operator, period)
        return was, told if was is None else {**told, "outdates": was.value}

    was = perform_told(service, actor, work)
    if was is not None:
        click.echo(f"the statement was {was}: compare it again, `billing reconcile`", err=True)


def _tell(taken: "Taken", *, as_json: bool) -> None:
    sums = taken.sums
    told = {
        "ok": True,
        "digest": taken.digest,
        "records": sums.records,
        "carried": sums.carried,
        "parts": sums.carried_parts,
        "amount_hundredths": sums.carried_amount,
        "first_at": sums.first_at.isoformat(),
        "last_at": sums.last_at.isoformat(),
    }
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo(
            f"right: {sums.records} records, {sums.carried} of them carried, "
            f"{sums.carried_parts} parts, digest {taken.digest}"
        )
