"""Keeps what the service's own verifications came to, and says which of them is due.

Each hour what is new is verified, each night everything; after a finding everything each hour,
until nothing is found any more. What an officer asks for comes first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import VIETNAM
from core.db import dialect_of, upsert
from journal.tables import JOURNAL_VERIFICATION as VERIFICATION
from journal.tree import TreeHead

NIGHTLY_HOUR = 3
_EVERY = timedelta(hours=1)
_DAY = timedelta(days=1)
_KEPT = timedelta(days=400)
# A night's work may take until noon before anybody is called.
_STANDS = timedelta(hours=33)
# One that has told nothing for so long has died with its process.
_SILENT = timedelta(minutes=3)
_LONGEST_FINDING = 400


class Extent(StrEnum):
    """How much is verified."""

    NEW = "new"
    ALL = "all"


class State(StrEnum):
    """What became of a verification; one that still runs, or whose process has died, has none."""

    ASKED = "asked"
    RUNNING = "running"
    OK = "ok"
    FOUND = "found"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Due:
    """A verification that is to be begun: of everything, or of what came after a head.

    Shape: *number* is that of one that was asked for.
    """

    extent: Extent
    since: TreeHead | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a verification came to; one that failed says nothing of the tree.

    Shape: *first* names the first of its findings.
    """

    state: State
    head: TreeHead | None = None
    findings: int = 0
    first: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the journal counts as verified, and the newest verification that found nothing."""

    is_current: bool
    at: datetime | None
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A verification as people are told of it; one that was asked for may not have begun.

    Units: *done* and *total* are entries.
    """

    id: int
    extent: Extent
    since: int
    state: State
    began_at: datetime
    ended_at: datetime | None
    findings: int
    finding: str | None
    size: int | None
    asked_by: str | None
    done: int | None
    total: int | None
    told_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Tell whether it waits or goes on; one whose process has died does neither."""
        if self.state is State.RUNNING:
            return now - (self.told_at or self.began_at) <= _SILENT
        return self.state is State.ASKED


def ask(session: Session, by: str, now: datetime) -> bool:
    """Have everything verified as soon as may be; False if one waits or goes on already."""
    if any(each.is_open(now) and each.extent is Extent.ALL for each in recent(session, 1)):
        return False
    statement = upsert(dialect_of(session), VERIFICATION).on_conflict_do_nothing()
    values = {
        "extent": Extent.ALL,
        "since": 0,
        "began_at": now,
        "state": State.ASKED,
        "findings": 0,
        "asked_by": by,
    }
    made = session.execute(statement.returning(VERIFICATION.c.id), values).scalar()
    return made is not None


def asked(session: Session) -> int | None:
    """Return the number of the verification that was asked for and has not begun."""
    wanted = sa.select(VERIFICATION.c.id).where(VERIFICATION.c.state == State.ASKED)
    return session.execute(wanted).scalar()


def recent(session: Session, most: int) -> list[Told]:
    """Return the last verifications, the newest first."""
    columns = [VERIFICATION.c[name] for name in Told.__slots__]
    wanted = sa.select(*columns).order_by(VERIFICATION.c.id.desc()).limit(most)
    return [
        Told(**{**row._asdict(), "extent": Extent(row.extent), "state": State(row.state)})
        for row in session.execute(wanted)
    ]


def due(session: Session, now: datetime, jitter: timedelta) -> Due | None:
    """Return the verification to begin now, if there is one; *jitter* puts the nightly one off.

    To be asked by the one process that verifies: what others left running has died with them.
    """
    number = asked(session)
    if number is not None:
        return Due(Extent.ALL, number=number)
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
    if started.number is not None:
        tell(session, started.number, 0, 0, now, state=State.RUNNING, began_at=now)
        return started.number
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


def tell(
    session: Session, number: int, done: int, total: int, now: datetime, **more: object
) -> None:
    """Note how far a verification is."""
    this = sa.update(VERIFICATION).where(VERIFICATION.c.id == number)
    session.execute(this.values(done=done, total=total, told_at=now, **more))


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
            finding=result.first[:_LONGEST_FINDING] if result.first else None,
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
