"""Statements as the console lists and opens them, and what was compared of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import kept_lines, statements
from billing.carried import Section
from billing.lines import Line, Sum
from billing.periods import Period
from billing.reconciliation import results
from billing.reconciliation.results import Result
from billing.reconciliation.store import Note, Store
from billing.statements import Statement
from billing.tables import STATEMENT_LINE
from sms.links.model import Link, LinkState

ROWS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A statement as the list shows it: what was carried in its month, and what the operator has.

    Shape: *result* is what was compared, where that is what the statement notes.
    """

    statement: Statement
    ours: Sum
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of statements, the newest month first; *older* is where the next one begins."""

    rows: tuple[Row, ...]
    older: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A month of an operator as its page shows it."""

    statement: Statement | None
    lines: tuple[Line, ...]
    notes: Sequence[Note]
    result: Result | None

    @property
    def is_noted(self) -> bool:
        """Tell whether what was compared last is what the statement notes."""
        noted = self.statement and self.statement.file_digest
        return self.result is not None and self.result.digest == noted

    def of(self, section: Section) -> list[Line]:
        """Return the lines of one part of the statement."""
        return [line for line in self.lines if line.terms.section is section]


def page(session: Session, state_dir: Path, operator: str | None, before: str | None) -> Listing:
    """Load a page of statements, of one operator or of all."""
    found = [each for each in statements.listed(session, operator) if _follows(each, before)]
    shown = found[:ROWS]
    sums = _carried(session, [each.id for each in shown])
    rows = tuple(Row(each, sums.get(each.id, Sum()), _noted(state_dir, each)) for each in shown)
    last = shown[-1] if len(found) > ROWS else None
    return Listing(rows, None if last is None else f"{last.period}.{last.operator}")


def opened(session: Session, store: Store, period: Period) -> Opened:
    """Load a month of an operator; there need not be a statement of it."""
    statement = statements.find(session, store.operator, period)
    notes = sorted(store.notes(period).values(), key=lambda note: note.imported_at)
    return Opened(
        statement=statement,
        lines=kept_lines.load(session, statement.id) if statement else (),
        notes=notes,
        result=results.load(store, period),
    )


def due(session: Session, links: Iterable[Link], today: date) -> list[str]:
    """Return the operators of which there is no statement of the month that is over."""
    over = Period(today.year, today.month).preceding
    there = {each.operator for each in statements.listed(session) if each.period == over}
    carry = {link.operator for link in links if link.state is not LinkState.TERMINATED}
    return sorted(carry - there)


def _follows(statement: Statement, before: str | None) -> bool:
    """Tell whether a statement stands behind a place in the list: newest month, then by name."""
    if before is None:
        return True
    month, _, operator = before.partition(".")
    period = str(statement.period)
    return period < month or (period == month and statement.operator > operator)


def _noted(state_dir: Path, statement: Statement) -> Result | None:
    if statement.file_digest is None:
        return None
    found = results.load(Store.of(state_dir, statement.operator), statement.period)
    return found if found and found.digest == statement.file_digest else None


def _carried(session: Session, ids: Sequence[int]) -> Mapping[int, Sum]:
    """Add up what was carried in the month of each statement, without what corrects others."""
    line = STATEMENT_LINE.c
    counted = (
        sa.func.sum(line.messages),
        sa.func.sum(line.parts),
        sa.func.sum(line.amount_hundredths),
        sa.func.sum(line.vat_hundredths),
        sa.func.sum(line.share_hundredths),
    )
    wanted = (
        sa.select(line.statement_id, *counted)
        .where(line.statement_id.in_(ids), line.section == Section.USAGE.value)
        .group_by(line.statement_id)
    )
    return {row[0]: Sum(*map(int, row[1:])) for row in session.execute(wanted)}
