"""Reveals: one officer asks to see what is masked in a message, another grants it, it shows once.

Why is told by the entry of asking alone, under the journal's encryption.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from console.access.officers import Officer
from console.tables import OFFICER, REVEAL

# Once granted, and until then.
SHOWN_WITHIN = timedelta(minutes=15)
DECIDED_WITHIN = timedelta(hours=8)
# What came of it stands in entries, for auditors; the rows only list it beside its message.
_KEPT = timedelta(days=90)
_LISTED = 50


class Part(StrEnum):
    """What of a message can be asked for."""

    NUMBER = "number"
    PERSON = "person"
    TEXT = "text"


class State(StrEnum):
    """How far a reveal has come; the last three are ends."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    SHOWN = "shown"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """One asking, and what became of it."""

    id: UUID
    message_id: UUID
    parts: tuple[Part, ...]
    state: State
    asked_by_id: int
    asked_by: str
    asked_at: datetime
    ask_entry_id: UUID
    decided_by: str | None
    decided_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Tell whether something can still come of it."""
        return self.state in {State.ASKED, State.GRANTED}

    @property
    def shows_until(self) -> datetime | None:
        """The instant until which it shows, once it is granted."""
        return None if self.decided_at is None else self.decided_at + SHOWN_WITHIN


def add(
    session: Session,
    reveal_id: UUID,
    message_id: UUID,
    parts: Iterable[Part],
    *,
    officer: Officer,
    entry_id: UUID,
    now: datetime,
) -> None:
    """Keep that an officer asks."""
    session.execute(
        sa.insert(REVEAL),
        {
            "id": reveal_id,
            "message_id": message_id,
            "parts": " ".join(sorted(parts)),
            "state": State.ASKED,
            "asked_by": officer.id,
            "asked_at": now,
            "ask_entry_id": entry_id,
        },
    )


def decide(
    session: Session, reveal_id: UUID, officer: Officer, became: State, now: datetime
) -> bool:
    """Grant or refuse what somebody else asked; False if it is not there to be decided."""
    change = sa.update(REVEAL).where(
        REVEAL.c.id == reveal_id,
        REVEAL.c.state == State.ASKED,
        REVEAL.c.asked_by != officer.id,
        REVEAL.c.asked_at > now - DECIDED_WITHIN,
    )
    changed = session.execute(change.values(state=became, decided_by=officer.id, decided_at=now))
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result counts rows


def use(session: Session, reveal_id: UUID, officer: Officer, now: datetime) -> bool:
    """Use up what was granted to an officer; False if there is nothing to be shown any more."""
    change = sa.update(REVEAL).where(
        REVEAL.c.id == reveal_id,
        REVEAL.c.state == State.GRANTED,
        REVEAL.c.asked_by == officer.id,
        REVEAL.c.decided_at > now - SHOWN_WITHIN,
    )
    changed = session.execute(change.values(state=State.SHOWN, shown_at=now))
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result counts rows


def find(session: Session, reveal_id: UUID, now: datetime) -> Reveal | None:
    """Return one reveal."""
    row = session.execute(_ALL.where(REVEAL.c.id == reveal_id)).one_or_none()
    return None if row is None else _read(row, now)


def of_message(session: Session, message_id: UUID, now: datetime) -> list[Reveal]:
    """Return the reveals of one message, the newest first."""
    rows = session.execute(_ALL.where(REVEAL.c.message_id == message_id).limit(_LISTED))
    return [_read(row, now) for row in rows]


def lately(session: Session, now: datetime) -> list[Reveal]:
    """Return what was asked in the time in which it can be decided, the newest first."""
    rows = session.execute(_ALL.where(REVEAL.c.asked_at > now - DECIDED_WITHIN).limit(_LISTED))
    return [_read(row, now) for row in rows]


def forget(session: Session, now: datetime, most: int) -> int:
    """Let go of reveals that ended long ago, so many at once; return how many went."""
    old = sa.select(REVEAL.c.id).where(REVEAL.c.asked_at < now - _KEPT).limit(most)
    ids = session.execute(old).scalars().all()
    session.execute(sa.delete(REVEAL).where(REVEAL.c.id.in_(ids)))
    return len(ids)


_ASKER, _DECIDER = OFFICER.alias("asker"), OFFICER.alias("decider")
_ALL: sa.Select[Any] = (
    sa.select(REVEAL, _ASKER.c.name.label("asker"), _DECIDER.c.name.label("decider"))
    .join(_ASKER, _ASKER.c.id == REVEAL.c.asked_by)
    .outerjoin(_DECIDER, _DECIDER.c.id == REVEAL.c.decided_by)
    .order_by(REVEAL.c.asked_at.desc())
)


def _read(row: sa.Row[Any], now: datetime) -> Reveal:
    return Reveal(
        id=row.id,
        message_id=row.message_id,
        parts=tuple(Part(word) for word in row.parts.split()),
        state=_state(row, now),
        asked_by_id=row.asked_by,
        asked_by=row.asker,
        asked_at=row.asked_at,
        ask_entry_id=row.ask_entry_id,
        decided_by=row.decider,
        decided_at=row.decided_at,
    )


def _state(row: sa.Row[Any], now: datetime) -> State:
    state = State(row.state)
    is_late = state is State.ASKED and row.asked_at <= now - DECIDED_WITHIN
    is_over = state is State.GRANTED and row.decided_at <= now - SHOWN_WITHIN
    return State.EXPIRED if is_late or is_over else state
