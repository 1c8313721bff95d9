"""`billing reconcile`: an operator's call records of a month against our usage."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.billing_acts import told_of
from cli.billing_files import OPERATOR, links_of, told_plainly
from cli.context import Service, pass_service
from cli.exits import DIFFERENT, NOT_ALLOWED, UsageFault
from cli.groups import Verb
from cli.progress import Progress

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.periods import Period
    from billing.reconciliation.summary import Count, Summary
    from billing.statements import Done
    from console.access.officers import Officer
    from journal.leaf import PayloadValue

_WHOLE = 1000
_CHANGED = (
    "usage has come to something else since the statement was sent, or its lines are not those "
    "that were sent, so it is noted as different: make the draft anew with `billing open`"
)


@click.command(
    "reconcile",
    cls=Verb,
    short_help="Compare a month with the operator's call records.",
    examples=(
        "python app.py billing reconcile 2026-10 --operator viettel",
        "python app.py billing reconcile 2026-10 --operator viettel --officer lan",
        "python app.py billing reconcile 2026-10 --operator viettel --json > october.json",
    ),
)
@click.argument("written", metavar="PERIOD")
@OPERATOR
@click.option("--officer", "name", help="Note the result on the statement, as this officer.")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Copy the lists of records here, out of the period's folder in the state folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@pass_service
def reconcile_command(
    service: Service, *, written: str, operator: str, name: str | None, folder: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Compare every record of a PERIOD, and list those that differ as .xlsx and CSV.

    Ends 0 when all records are the same, 4 when any differs, whether the contract puts up with it
    or not (the verdict says so), 5 when there is nothing to compare or no price.
    """
    from billing.periods import Period
    from billing.reconciliation.summary import as_json as told

    links = links_of(service, operator)
    with told_plainly(Path(written)):
        period = Period.parse(written)
        officer = _confirmed(service, name) if name else None
        summary, files = _reconcile(service, links, operator, period, folder)
        if officer:
            with _still_there(service, summary):
                _note(service, officer, summary)
    if as_json:
        click.echo(json.dumps({**told(summary), "lists": [str(file) for file in files]}))
    else:
        _show(summary, files)
    if summary.differences:
        sys.exit(DIFFERENT)


def _reconcile(
    service: Service, links: list[int], operator: str, period: "Period", folder: Path | None
) -> "tuple[Summary, tuple[Path, Path]]":
    from billing import tariffs
    from billing.reconciliation import results
    from billing.reconciliation.pricing import Pricing
    from billing.reconciliation.reconciling import reconciled
    from billing.reconciliation.store import Store

    store = Store.of(service.settings.state_dir, operator)
    pricing = Pricing(service.database.read(tariffs.load), operator)
    theirs = sum(note.records for note in store.notes(period).values())
    with Progress("records", _WHOLE, service.clock) as progress:
        # Ours are as many as theirs, but for what is looked for; reading them is half the work.
        half = _WHOLE // 2

        def read(done: int) -> None:
            progress.tell(min(half, half * done // max(theirs, 1)), done)

        def joined(done: int, total: int) -> None:
            share = half + half * done // total
            progress.tell(share, theirs + theirs * done // total)

        with reconciled(
            service.database, links, store, period, pricing, tell_read=read, tell=joined
        ) as found:
            lists = results.keep(store, found, service.clock.now())
    files = (lists.sheet, lists.text)
    return found.summary, files if folder is None else _copied(files, folder)


def _copied(files: tuple[Path, Path], folder: Path) -> tuple[Path, Path]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sheet, text = (Path(shutil.copy(each, folder)) for each in files)
    return sheet, text


def _confirmed(service: Service, name: str) -> "Officer":
    from cli.confirming import confirmed
    from console.access.roles import Right

    return confirmed(service, name, Right.MAKE_STATEMENTS, "compare statements")


@contextmanager
def _still_there(service: Service, summary: "Summary") -> Iterator[None]:
    """See that files and mapping are those that were compared by, and keep them so meanwhile."""
    from billing.reconciliation.store import Store

    store = Store.of(service.settings.state_dir, summary.operator)
    with store.held():
        notes, mapping = store.notes(summary.period), store.mapping()
        is_read = all(note.reading == mapping.reading for note in notes.values())
        there = tuple(sorted(notes)), mapping.digest
        if not is_read or there != (summary.files, summary.mapping):
            raise UsageFault(
                "other files were imported, or another mapping was set, while these were "
                "compared: compare once more",
                NOT_ALLOWED,
            )
        yield


def _note(service: Service, officer: "Officer", summary: "Summary") -> None:
    """Note on the statement what the comparison came to, with an entry."""
    from billing import compared
    from billing.acts import Act, Told
    from billing.reconciliation.summary import Verdict
    from cli.acting import perform_told

    digest = summary.digest
    told = told_of(service, summary.operator, summary.period)

    def work(session: "Session") -> "tuple[Done, dict[str, PayloadValue] | None]":
        sent, lines_digest = _sent(session, summary)
        # What was compared is usage as it is now; what is signed are the lines that were sent.
        is_sent = sent == summary.ours and told == Told(Act.SEND, lines_digest)
        difference = (summary.theirs - sent).amount
        done = compared.note(
            session,
            summary.operator,
            summary.period,
            matches=is_sent and summary.verdict is not Verdict.DIFFERENT,
            file_digest=digest,
            difference_hundredths=difference,
            by=officer.actor,
            now=service.clock.now(),
        )
        said: dict[str, PayloadValue] = {
            "act": "statement-reconciled",
            "operator": summary.operator,
            "period": str(summary.period),
            "verdict": summary.verdict.value,
            "file_digest": digest,
            "files": summary.files,
            "mapping_digest": summary.mapping,
            "difference_hundredths": difference,
        }
        if not is_sent:
            click.echo(_CHANGED, err=True)
        return done, said if done.is_new else None

    perform_told(service, officer.actor, work)


def _sent(session: "Session", summary: "Summary") -> "tuple[Count, str]":
    """Return what the statement's own lines come to, and its digest; none has what is compared."""
    from billing import kept_lines, lines, statements
    from billing.carried import Section
    from billing.reconciliation.summary import Count

    statement = statements.find(session, summary.operator, summary.period)
    if statement is None:
        return summary.ours, ""
    kept = kept_lines.load(session, statement.id)
    own = lines.summed(line for line in kept if line.terms.section is Section.USAGE)
    return Count(own.messages, own.parts, own.amount), statement.digest


def _show(summary: "Summary", files: tuple[Path, Path]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from billing.reconciliation.report import KINDS, REASONS, VERDICTS

    sums = Table("", box=SIMPLE_HEAD, pad_edge=False)
    lists = Table("loại", "lý do", "hướng", box=SIMPLE_HEAD, pad_edge=False)
    for table in (sums, lists):
        for head in ("tin", "phần", "đồng"):
            table.add_column(head, justify="right")
    for label, count in (
        ("ta", summary.ours),
        ("nhà mạng", summary.theirs),
        ("lệch", summary.difference),
    ):
        sums.add_row(label, *_told(count))
    for each in summary.differences:
        reason = REASONS[each.reason] if each.reason else ""
        more = _told(each.theirs - each.ours)
        lists.add_row(
            KINDS[each.kind], reason, each.direction.upper(), str(each.records), *more[1:]
        )
    console = Console()
    console.print(sums)
    if summary.differences:
        console.print(lists)
        click.echo("\n".join(str(file) for file in files), err=True)
    click.echo(VERDICTS[summary.verdict])


def _told(count: "Count") -> tuple[str, str, str]:
    from billing.reconciliation.report import dong_of

    return str(count.records), str(count.parts), dong_of(count.amount)
