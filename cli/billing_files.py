"""`billing mapping|check|import`: operators' call records, seen whole before any is kept."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault
from cli.groups import Verb, VerbGroup
from cli.progress import Progress

if TYPE_CHECKING:
    from billing.periods import Period
    from billing.reconciliation.intake import Taken
    from billing.reconciliation.mapping import CdrMapping
    from billing.reconciliation.store import Store

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
OPERATOR = click.option("--operator", metavar="NAME", required=True, help="Whose it is.")
_MEGABYTE = 1_000_000


@click.group("mapping", cls=VerbGroup)
def mapping_group() -> None:
    """Say how an operator writes its call records, for billing makers."""


@mapping_group.command(
    "set",
    short_help="Keep how an operator writes its files.",
    examples=("python app.py billing mapping set mapping.toml --operator viettel",),
)
@click.argument("file", type=_FILE)
@OPERATOR
@pass_service
def set_command(service: Service, file: Path, operator: str) -> None:
    """Keep a mapping (TOML) in the place of the operator's one before; docs/billing.md has them."""
    from billing.reconciliation import mapping_file

    store = _store(service, operator)
    with told_plainly(file):
        written = file.read_bytes()[: mapping_file.LONGEST + 1].decode("utf-8", "replace")
        mapping_file.parse(written)
    if store.mapping_text() == written:
        click.echo("it is there already", err=True)
        return
    digest = hashlib.sha256(written.encode()).hexdigest()
    _journaled(service, "cdr-mapping", operator, {"digest": digest})
    store.set_mapping(written)
    click.echo(f"kept the mapping of {operator}", err=True)


@mapping_group.command(
    "show",
    short_help="Print how an operator writes its files.",
    examples=("python app.py billing mapping show --operator viettel > mapping.toml",),
)
@OPERATOR
@pass_service
def show_command(service: Service, operator: str) -> None:
    """Print the mapping of an operator as it was given."""
    written = _store(service, operator).mapping_text()
    if written is None:
        raise UsageFault(f"{operator} has no mapping: `billing mapping set` keeps one", NOT_ALLOWED)
    click.echo(written, nl=False)


@click.command(
    "check",
    cls=Verb,
    short_help="Say whether a file of call records would be taken.",
    examples=(
        "python app.py billing check cdr.csv --operator viettel",
        "python app.py billing check cdr.csv.gz --operator viettel --mapping mapping.toml",
    ),
)
@click.argument("file", type=_FILE)
@OPERATOR
@click.option("--period", "written", metavar="PERIOD", help="It must be of this month, 2026-10.")
@click.option("--mapping", "by", type=_FILE, help="Read it by this mapping, not the one kept.")
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
        "python app.py billing import 2026-10 again.csv --operator viettel --instead-of 5f3a9c",
    ),
)
@click.argument("written", metavar="PERIOD")
@click.argument("file", type=_FILE)
@OPERATOR
@click.option("--instead-of", "dropped", metavar="DIGEST", help="Forget the file that begins so.")
@_AS_JSON
@pass_service
def import_command(
    service: Service, *, written: str, file: Path, operator: str, dropped: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Take in a FILE of a PERIOD, all of it or nothing; the same file twice is there once.

    A month may come in several files. Kept are ids, times, parts and amounts, and nobody's number.
    Ends 0 when it is kept, 2 with lines and reasons when it is refused, 5 when the month is signed.
    """
    from billing.periods import Period

    store = _store(service, operator)
    with told_plainly(file), store.scratch() as folder:
        period, mapping = Period.parse(written), store.mapping()
        _see_open(service, operator, period)
        goes = _one_of(store, period, dropped) if dropped else None
        taken = _take(service, file, mapping, folder, period)
        _see_belonging(service, operator, taken, folder)
        if taken.digest in store.notes(period):
            click.echo("it is there already", err=True)
        else:
            _keep(service, store, period, taken, goes)
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


def links_of(service: Service, operator: str) -> list[int]:
    """Return the links of an operator. Raises: UsageFault if it has none."""
    found = [link.id for link in service.links.all() if link.operator == operator]
    if not found:
        raise UsageFault(f"no link is of {operator}: see `python app.py operator list`", USAGE)
    return found


def _store(service: Service, operator: str) -> "Store":
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
    service: Service, store: "Store", period: "Period", taken: "Taken", goes: str | None
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
        imported_by=service.person,
    )
    store.lay(period, taken.path, taken.digest)
    said: dict[str, str | int] = {
        "digest": taken.digest,
        "period": str(period),
        "records": sums.records,
    }
    if goes:
        said["instead_of"] = goes
    _journaled(service, "cdr-import", store.operator, said)
    store.note(period, note)
    if goes:
        store.drop(period, goes)


def _journaled(service: Service, act: str, operator: str, said: dict[str, str | int]) -> None:
    from cli.acting import perform

    perform(service, act, lambda _: None, {"operator": operator, **said})


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
