"""Keeps what the service's own verifications came to, and says which of them is due.

Each hour what is new is verified, each night everything; after a finding everything each hour,
until nothing is found any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import VIETNAM
from journal.tables import JOURNAL_VERIFICATION as VERIFICATION
from journal.tree import TreeHead

NIGHTLY_HOUR = 3
_EVERY = timedelta(hours=1)
_DAY = timedelta(days=1)
_KEPT = timedelta(days=400)
# A night's work may take until noon before anybody is called.
_STANDS = timedelta(hours=33)


class Extent(StrEnum):
    """How much is verified."""

    NEW = "new"
    ALL = "all"


class State(StrEnum):
    """What became of a verification; one that still runs, or whose process has died, has none."""

    RUNNING = "running"
    OK = "ok"
    FOUND = "found"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Due:
    """A verification that is to be begun: of everything, or of what came after a head."""

    extent: Extent
    since: TreeHead | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a verification came to; one that failed says nothing of the tree."""

    state: State
    head: TreeHead | None = None
    findings: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the journal counts as verified, and the newest verification that found nothing."""

    is_current: bool
    at: datetime | None
    size: int | None


def due(session: Session, now: datetime, jitter: timedelta) -> Due | None:
    """Return the verification to begin now, if there is one; *jitter* puts the nightly one off.

    To be asked by the one process that verifies: what others left running has died with them.
    """
    last = _newest(session)
    if last is not None and last.state != State.OK and now - last.ended_at < _EVERY:
        return None
    whole = _newest(session, _OK, VERIFICATION.c.extent == Extent.ALL)
    found = _newest(session, VERIFICATION.c.state == State.FOUND)
    night = _night(now - jitter) + jitter
    if whole is None or whole.began_at < night or (found is not None and found.id > whole.id):
        return Due(Extent.ALL)
    base = _newest(session, _OK) or whole
    return None if now - base.ended_at < _EVERY else Due(Extent.NEW, base.head)


def begin(session: Session, started: Due, now: datetime) -> int:
    """Note that a verification begins, and return its number; forget those of long ago."""
    gone = sa.delete(VERIFICATION).where(
        (VERIFICATION.c.began_at < now - _KEPT) | (VERIFICATION.c.state == State.RUNNING)
    )
    session.execute(gone)
    values = {
        "extent": started.extent,
        "since": started.since.size if started.since else 0,
        "began_at": now,
        "state": State.RUNNING,
        "findings": 0,
    }
    made = session.execute(sa.insert(VERIFICATION).returning(VERIFICATION.c.id), values)
    number: int = made.scalar_one()
    return number


def end(session: Session, number: int, result: Result, now: datetime) -> None:
    """Note what a verification came to."""
    head = result.head
    session.execute(
        sa.update(VERIFICATION)
        .where(VERIFICATION.c.id == number)
        .values(
            ended_at=now,
            state=result.state,
            findings=result.findings,
            size=head.size if head else None,
            root=head.root if head else None,
        )
    )


def standing(session: Session, now: datetime) -> Standing:
    """Say whether the journal counts as verified.

    It does if everything was, not too long ago, and nothing was found since. A new journal that
    nobody has had time to verify counts too.
    """
    ok = _newest(session, _OK)
    whole = _newest(session, _OK, VERIFICATION.c.extent == Extent.ALL)
    found = _newest(session, VERIFICATION.c.state == State.FOUND)
    first = session.execute(sa.select(sa.func.min(VERIFICATION.c.began_at))).scalar()
    counted_from = whole.ended_at if whole else first or now
    is_sound = found is None or (whole is not None and whole.id > found.id)
    is_current = is_sound and now - counted_from <= _STANDS
    return Standing(is_current, ok.ended_at if ok else None, ok.head.size if ok else None)


@dataclass(frozen=True, slots=True)
class _Past:
    """A verification that has ended."""

    id: int
    state: str
    began_at: datetime
    ended_at: datetime
    head: TreeHead


def _newest(session: Session, *conditions: sa.ColumnElement[bool]) -> _Past | None:
    row = session.execute(_NEWEST.where(*conditions)).one_or_none()
    return None if row is None else _Past(*row[:4], TreeHead(row.size, row.root))


def _night(now: datetime) -> datetime:
    """Return the last time that it was three at night in Viet Nam."""
    here = now.astimezone(VIETNAM)
    night = here.replace(hour=NIGHTLY_HOUR, minute=0, second=0, microsecond=0)
    return night if night <= here else night - _DAY


_OK = VERIFICATION.c.state == State.OK
_NEWEST = (
    sa.select(
        VERIFICATION.c.id,
        VERIFICATION.c.state,
        VERIFICATION.c.began_at,
        VERIFICATION.c.ended_at,
        VERIFICATION.c.size,
        VERIFICATION.c.root,
    )
    .where(VERIFICATION.c.ended_at.is_not(None))
    .order_by(VERIFICATION.c.id.desc())
    .limit(1)
)
