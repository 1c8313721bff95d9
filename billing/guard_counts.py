"""What the guards count: a row for each link and five minutes, added to in HANDLE's own commit.

Rows of their own count new numbers that share their first digits, by a blind index of these.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.guards import Spent, are_neighbours
from core.clock import VIETNAM, vietnam_day
from core.db import Instant, dialect_of, metadata, upsert
from core.prepared import prepared

BUCKET = timedelta(minutes=5)
# Instead of a block of numbers: the row of the link itself.
WHOLE_LINK = 0
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)
_WEEKS = 8
_KEPT = _WEEKS * _WEEK + _DAY
_BLOCKS_KEPT = 2 * _HOUR
_MICROSECONDS_OF_AN_HOUR = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

GUARD_COUNT = sa.Table(
    "guard_count",
    metadata,
    sa.Column("since", Instant, primary_key=True, autoincrement=False),
    sa.Column("link_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
    # In hundredths of a dong.
    sa.Column("spent", sa.BigInteger, nullable=False),
    sa.Column("beyond", sa.BigInteger, nullable=False),
    sa.Column("words", sa.BigInteger, nullable=False),
    sa.Column("asked", sa.Integer, nullable=False),
    sa.Column("pins", sa.Integer, nullable=False),
    sa.Column("completed", sa.Integer, nullable=False),
    sa.Column("numbers", sa.Integer, nullable=False),
)


class Key(NamedTuple):
    """Which row a count is added to."""

    since: datetime
    link_id: int
    block: int = WHOLE_LINK


@dataclass(slots=True)
class Count:
    """What a batch adds to one row.

    Shape: *asked*: requests for a record or its log that were worked on; *completed*: PINs made in
    these five minutes that came back right, whenever that was; *numbers*: those never seen before.
    Units: *spent*, *beyond* and *words* are hundredths of a dong, as in `Spent`.
    """

    spent: int = 0
    beyond: int = 0
    words: int = 0
    asked: int = 0
    pins: int = 0
    completed: int = 0
    numbers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one link's rows come to."""

    link_id: int
    hour: Spent
    day: Spent
    asked: int
    pins: int
    completed: int


@dataclass(frozen=True, slots=True)
class Times:
    """The windows that end now.

    Shape: *ripe_from* to *ripe_until* is the hour of which every PIN has had its whole life.
    """

    now: datetime
    bucket: datetime
    hour: datetime
    day: datetime
    ripe_from: datetime
    ripe_until: datetime

    @classmethod
    def at(cls, now: datetime, pin_life: timedelta) -> "Times":
        """Reckon the windows of an instant."""
        ripe = bucket_of(now - pin_life)
        day = datetime.combine(vietnam_day(now), time(), VIETNAM).astimezone(UTC)
        hour = now.replace(minute=0, second=0, microsecond=0)
        return cls(now, bucket_of(now), hour, day, ripe - _HOUR, ripe)


def bucket_of(at: datetime) -> datetime:
    """Return when the five minutes began."""
    return at - (at - _EPOCH) % BUCKET


def add(session: Session, counts: Mapping[Key, Count]) -> None:
    """Add counts to their rows, in the order of their keys."""
    if counts:
        rows = [{**key._asdict(), **asdict(count)} for key, count in sorted(counts.items())]
        session.execute(_adding(dialect_of(session)), rows)


def load(session: Session, times: Times) -> list[Seen]:
    """Sum up what counts now, for each link that did anything."""
    windows = {
        "hour": times.hour,
        "day": times.day,
        "bucket": times.bucket,
        "ripe_from": times.ripe_from,
        "ripe_until": times.ripe_until,
        "oldest": min(times.day, times.ripe_from),
    }
    return [
        Seen(
            link_id=row.link_id,
            hour=Spent(int(row.hour_spent), int(row.hour_beyond), int(row.hour_words)),
            day=Spent(int(row.day_spent), int(row.day_beyond), int(row.day_words)),
            asked=int(row.asked),
            pins=int(row.pins),
            completed=int(row.completed),
        )
        for row in session.execute(_SUMS, windows)
    ]


def crowded(session: Session, times: Times) -> set[int]:
    """Return the links at which new numbers of one block came in great number within an hour."""
    rows = session.execute(_BLOCKS, {"after": times.now - _HOUR})
    return {row.link_id for row in rows if are_neighbours(int(row.numbers))}


def of_the_same_weekdays(session: Session, day: datetime) -> dict[int, list[dict[int, int]]]:
    """Return what each link spent hour by hour on this weekday of the last weeks.

    Shape: for each link a list of days, the newest first; an hour is numbered from 1970.
    """
    found: dict[int, list[dict[int, int]]] = {}
    for weeks in range(1, _WEEKS + 1):
        start = day - weeks * _WEEK
        for row in session.execute(_HOURS, {"start": start, "end": start + _DAY}):
            days = found.setdefault(row.link_id, [{} for _ in range(_WEEKS)])
            days[weeks - 1][int(row.hour)] = int(row.spent)
    return found


def forget(session: Session, now: datetime) -> None:
    """Let go of what no window looks back to."""
    blocks = sa.and_(GUARD_COUNT.c.block != WHOLE_LINK, GUARD_COUNT.c.since < now - _BLOCKS_KEPT)
    old = GUARD_COUNT.c.since < now - _KEPT
    session.execute(sa.delete(GUARD_COUNT).where(sa.or_(blocks, old)))


@cache
def _adding(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    statement = upsert(dialect, GUARD_COUNT)
    sums = {
        column.name: column + statement.excluded[column.name]
        for column in GUARD_COUNT.c
        if column.name not in Key._fields
    }
    return prepared(statement.on_conflict_do_update(index_elements=[*Key._fields], set_=sums))


def _within(column: sa.Column[Any], start: str, end: str | None = None) -> sa.ColumnElement[int]:
    since = GUARD_COUNT.c.since
    inside = since >= sa.bindparam(start, type_=Instant)
    if end is not None:
        inside = sa.and_(inside, since < sa.bindparam(end, type_=Instant))
    return sa.func.sum(sa.case((inside, column), else_=0))


def _sums(columns: Collection[str], window: str) -> list[sa.ColumnElement[int]]:
    return [_within(GUARD_COUNT.c[each], window).label(f"{window}_{each}") for each in columns]


_MONEY = ("spent", "beyond", "words")
_SUMS = prepared(
    sa.select(
        GUARD_COUNT.c.link_id,
        *_sums(_MONEY, "hour"),
        *_sums(_MONEY, "day"),
        _within(GUARD_COUNT.c.asked, "bucket").label("asked"),
        _within(GUARD_COUNT.c.pins, "ripe_from", "ripe_until").label("pins"),
        _within(GUARD_COUNT.c.completed, "ripe_from", "ripe_until").label("completed"),
    )
    .where(
        GUARD_COUNT.c.since >= sa.bindparam("oldest", type_=Instant),
        GUARD_COUNT.c.block == WHOLE_LINK,
    )
    .group_by(GUARD_COUNT.c.link_id)
)
_BLOCKS = prepared(
    sa.select(GUARD_COUNT.c.link_id, sa.func.sum(GUARD_COUNT.c.numbers).label("numbers"))
    .where(
        GUARD_COUNT.c.since > sa.bindparam("after", type_=Instant),
        GUARD_COUNT.c.block != WHOLE_LINK,
    )
    .group_by(GUARD_COUNT.c.link_id, GUARD_COUNT.c.block)
)
_HOUR_NUMBER = sa.type_coerce(GUARD_COUNT.c.since, sa.BigInteger) // _MICROSECONDS_OF_AN_HOUR
_HOURS = (
    sa.select(
        GUARD_COUNT.c.link_id,
        _HOUR_NUMBER.label("hour"),
        sa.func.sum(GUARD_COUNT.c.spent).label("spent"),
    )
    .where(
        GUARD_COUNT.c.since >= sa.bindparam("start", type_=Instant),
        GUARD_COUNT.c.since < sa.bindparam("end", type_=Instant),
        GUARD_COUNT.c.block == WHOLE_LINK,
    )
    .group_by(GUARD_COUNT.c.link_id, sa.text("hour"))
)
