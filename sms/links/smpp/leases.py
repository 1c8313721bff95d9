"""Who holds which bind: a row for each, leased, so that on many machines each bind runs once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of, locked, upsert
from sms.links.smpp.tables import SMPP_BIND

# Others ask once a second: so 20 s after its holder has died a bind is up elsewhere.
LEASE = timedelta(seconds=18)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One bind of one link: its number counts hosts and, with tx+rx, directions."""

    link_id: int
    number: int


def hold(session: Session, wanted: Sequence[Key], holder: UUID, now: datetime) -> set[Key]:
    """Lease those of *wanted* that nobody else holds, or hold them on; return which are ours."""
    if not wanted:
        return set()
    add: Any = upsert(dialect_of(session), SMPP_BIND).on_conflict_do_nothing()
    ordered = sorted(wanted)
    rows = [{"link_id": key.link_id, "number": key.number, "lease_until": now} for key in ordered]
    session.execute(add, rows)
    free = sa.or_(SMPP_BIND.c.holder == holder, SMPP_BIND.c.lease_until <= now)
    statement = locked(sa.select(SMPP_BIND).where(_any_of(ordered), free), session, skip=True)
    ours = [Key(row.link_id, row.number) for row in session.execute(statement)]
    if ours:
        session.execute(
            sa.update(SMPP_BIND)
            .where(_any_of(ours))
            .values(
                # Whoever had it before may have left word that it was up.
                bound_at=sa.case((SMPP_BIND.c.holder == holder, SMPP_BIND.c.bound_at)),
                holder=holder,
                lease_until=now + LEASE,
            )
        )
    return set(ours)


def note(session: Session, key: Key, holder: UUID, bound_at: datetime | None) -> None:
    """Note since when a bind of ours is up, or that it is not."""
    session.execute(
        sa.update(SMPP_BIND)
        .where(_any_of([key]), SMPP_BIND.c.holder == holder)
        .values(bound_at=bound_at)
    )


def release(session: Session, holder: UUID, now: datetime) -> None:
    """Let others have every bind of ours at once."""
    session.execute(
        sa.update(SMPP_BIND)
        .where(SMPP_BIND.c.holder == holder)
        .values(holder=None, bound_at=None, lease_until=now)
    )


def take_back(session: Session, now: datetime) -> None:
    """End every lease: on SQLite nobody but this process can hold one."""
    session.execute(sa.update(SMPP_BIND).values(holder=None, bound_at=None, lease_until=now))


def bound(session: Session, link_id: int, now: datetime) -> list[datetime]:
    """Return since when each bind of a link is up, of those that are."""
    found = sa.select(SMPP_BIND.c.bound_at).where(
        SMPP_BIND.c.link_id == link_id,
        SMPP_BIND.c.lease_until > now,
        SMPP_BIND.c.bound_at.is_not(None),
    )
    return list(session.execute(found.order_by(SMPP_BIND.c.bound_at)).scalars())


def _any_of(keys: Iterable[Key]) -> sa.ColumnElement[bool]:
    return sa.or_(
        *(
            sa.and_(SMPP_BIND.c.link_id == key.link_id, SMPP_BIND.c.number == key.number)
            for key in keys
        )
    )
