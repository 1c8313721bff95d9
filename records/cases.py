"""Correction cases: what citizens said is wrong in what they were told, until somebody looked.

A case names the entry of the reply, and through it everything else; of the citizen it keeps the
sender's blind index alone, and that only while it is open.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Instant, locked, metadata
from journal import receipts

_NUMBER_SYMBOLS = 7
_NUMBER_BITS = 35


class CaseState(StrEnum):
    """Whether somebody still has to look."""

    OPEN = "open"
    CLOSED = "closed"


CORRECTION_CASE = sa.Table(
    "correction_case",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.String(9), nullable=False, unique=True),
    # One reply, one case, however often its code is sent.
    sa.Column("entry_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("sender_id", sa.BigInteger),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    sa.Column("closed_by", sa.String(100)),
    sa.Column("closed_reason", sa.String(200)),
)
sa.Index(
    "ix_correction_case_open",
    CORRECTION_CASE.c.sender_id,
    sqlite_where=sa.text("state = 'open'"),
    postgresql_where=sa.text("state = 'open'"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as officers see it."""

    number: str
    entry_id: UUID
    state: CaseState
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    closed_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """A case to be opened."""

    id: UUID
    number: str
    entry_id: UUID
    sender_id: int
    opened_at: datetime


def draw_number() -> str:
    """Draw the number of a new case: eight symbols, of which the last checks the others."""
    return receipts.checked(secrets.randbits(_NUMBER_BITS), _NUMBER_SYMBOLS)


def read_number(text: str) -> str | None:
    """Read a case number as people write it; None if it is none."""
    return receipts.read_checked(text, _NUMBER_SYMBOLS + 1)


def of_entries(session: Session, entry_ids: Collection[UUID]) -> dict[UUID, Case]:
    """Return the cases about these entries, open or closed."""
    rows = session.execute(_OF_ENTRIES, {"entries": list(entry_ids)})
    return {row.entry_id: _case(row) for row in rows}


def open_of(session: Session, sender_ids: Collection[int]) -> dict[int, int]:
    """Count the open cases of these senders."""
    rows = session.execute(_OPEN_OF, {"senders": list(sender_ids)})
    return {row.sender_id: row.open for row in rows}


def open_all(session: Session, new: Sequence[NewCase]) -> None:
    """Open cases."""
    if new:
        session.execute(_OPEN, [_row(case) for case in new])


def listed(session: Session, *, closed_too: bool) -> list[Case]:
    """Return the cases, the oldest first."""
    statement = sa.select(CORRECTION_CASE).order_by(CORRECTION_CASE.c.id)
    if not closed_too:
        statement = statement.where(CORRECTION_CASE.c.state == CaseState.OPEN)
    return [_case(row) for row in session.execute(statement)]


def close(session: Session, number: str, *, reason: str, by: str, now: datetime) -> Case | None:
    """Close a case and forget whose it was; return it as it was before, None if there is none."""
    wanted = sa.select(CORRECTION_CASE).where(CORRECTION_CASE.c.number == number)
    row = session.execute(locked(wanted, session)).one_or_none()
    if row is None:
        return None
    if row.state == CaseState.OPEN:
        session.execute(
            sa.update(CORRECTION_CASE)
            .where(CORRECTION_CASE.c.id == row.id)
            .values(
                state=CaseState.CLOSED,
                sender_id=None,
                closed_at=now,
                closed_by=by,
                closed_reason=reason,
            )
        )
    return _case(row)


_OF_ENTRIES: sa.Select[Any] = sa.select(CORRECTION_CASE).where(
    CORRECTION_CASE.c.entry_id.in_(sa.bindparam("entries", expanding=True))
)
_OPEN_OF: sa.Select[Any] = (
    sa.select(CORRECTION_CASE.c.sender_id, sa.func.count().label("open"))
    .where(
        # The literal text lets both databases use the partial index.
        sa.text("correction_case.state = 'open'"),
        CORRECTION_CASE.c.sender_id.in_(sa.bindparam("senders", expanding=True)),
    )
    .group_by(CORRECTION_CASE.c.sender_id)
)
_OPEN = sa.insert(CORRECTION_CASE)


def _row(case: NewCase) -> dict[str, object]:
    return {
        "id": case.id,
        "number": case.number,
        "entry_id": case.entry_id,
        "sender_id": case.sender_id,
        "state": CaseState.OPEN,
        "opened_at": case.opened_at,
    }


def _case(row: sa.Row[Any]) -> Case:
    return Case(
        number=row.number,
        entry_id=row.entry_id,
        state=CaseState(row.state),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        closed_reason=row.closed_reason,
    )
