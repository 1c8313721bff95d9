"""The tally: what came and how it ended, minute by minute, so that nobody has to count messages.

A minute is counted once, some time after it has closed; what is answered later than that is not in
its spans, and in no figure twice. With the last minute of an hour the whole hour is added up, for
whoever looks further back than a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Instant, dialect_of, metadata, upsert
from core.ids import first_uuid7
from sms.tables import INBOUND, OUTBOUND

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Replies that are on their way get this long to be counted as handed over.
_SETTLED_AFTER = timedelta(minutes=2)
_CAUGHT_UP_AT_ONCE = 30
_KEPT = timedelta(days=400)
_NONE = ""

TALLY = sa.Table(
    "tally",
    metadata,
    sa.Column("minute", Instant, primary_key=True, autoincrement=False),
    sa.Column("link_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("command", sa.String(16), primary_key=True),
    sa.Column("state", sa.String(16), primary_key=True),
    sa.Column("reply", sa.String(16), primary_key=True),
    sa.Column("messages", sa.Integer, nullable=False),
)

TALLY_HOUR = sa.Table(
    "tally_hour",
    metadata,
    sa.Column("hour", Instant, primary_key=True, autoincrement=False),
    sa.Column("link_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("command", sa.String(16), primary_key=True),
    sa.Column("state", sa.String(16), primary_key=True),
    sa.Column("reply", sa.String(16), primary_key=True),
    sa.Column("messages", sa.Integer, nullable=False),
)

# One row for each minute that was counted, also for one in which nothing came.
TALLIED = sa.Table(
    "tallied",
    metadata,
    sa.Column("minute", Instant, primary_key=True, autoincrement=False),
    sa.Column("handed_over", sa.Integer, nullable=False),
    sa.Column("p50_us", sa.BigInteger),
    sa.Column("p95_us", sa.BigInteger),
    sa.Column("p99_us", sa.BigInteger),
)


@dataclass(frozen=True, slots=True)
class Span:
    """How long it took from taking a message to handing its reply over.

    Units: microseconds.
    """

    p50: int | None = None
    p95: int | None = None
    p99: int | None = None


def count_up(session: Session, now: datetime) -> int:
    """Count the minutes that have closed since the last that was counted; return how many."""
    until = _minute_of(now - _SETTLED_AFTER)
    last = session.execute(sa.select(sa.func.max(TALLIED.c.minute))).scalar()
    start = last + MINUTE if last is not None else until - MINUTE
    minutes: list[datetime] = []
    while start < until and len(minutes) < _CAUGHT_UP_AT_ONCE:
        minutes.append(start)
        start += MINUTE
    for minute in minutes:
        _count(session, minute)
        if (minute + MINUTE).minute == 0:
            _add_up(session, minute + MINUTE - HOUR)
    return len(minutes)


def added_up_until(session: Session) -> datetime | None:
    """Return the end of the last hour that was added up and had any messages."""
    last: datetime | None = session.execute(sa.select(sa.func.max(TALLY_HOUR.c.hour))).scalar()
    return None if last is None else last + HOUR


def forget(session: Session, now: datetime) -> None:
    """Let go of what is older than anybody looks back."""
    for at in (TALLY.c.minute, TALLIED.c.minute, TALLY_HOUR.c.hour):
        session.execute(sa.delete(at.table).where(at < now - _KEPT))


def span_of(spans: Sequence[int]) -> Span:
    """Return the percentiles of spans; the nearest rank, so each is one that was measured."""
    if not spans:
        return Span()
    ranked = sorted(spans)
    return Span(*(ranked[-(-len(ranked) * percent // 100) - 1] for percent in (50, 95, 99)))


def _count(session: Session, minute: datetime) -> None:
    within = (INBOUND.c.id >= first_uuid7(minute), INBOUND.c.id < first_uuid7(minute + MINUTE))
    dialect = dialect_of(session)
    counts = session.execute(_COUNTS.where(*within).group_by(*_KEPT_COLUMNS)).all()
    if counts:
        session.execute(
            upsert(dialect, TALLY).on_conflict_do_nothing(),
            [{"minute": minute, **row._asdict()} for row in counts],
        )
    spans = session.execute(_TOOK.where(*within)).scalars().all()
    span = span_of(spans)
    session.execute(
        upsert(dialect, TALLIED).on_conflict_do_nothing(),
        {
            "minute": minute,
            "handed_over": len(spans),
            "p50_us": span.p50,
            "p95_us": span.p95,
            "p99_us": span.p99,
        },
    )


def _add_up(session: Session, hour: datetime) -> None:
    keys = (TALLY.c.link_id, TALLY.c.command, TALLY.c.state, TALLY.c.reply)
    total = sa.select(sa.literal(hour, Instant), *keys, sa.func.sum(TALLY.c.messages)).where(
        TALLY.c.minute >= hour, TALLY.c.minute < hour + HOUR
    )
    insert = upsert(dialect_of(session), TALLY_HOUR).from_select(
        [column.name for column in TALLY_HOUR.c], total.group_by(*keys)
    )
    session.execute(insert.on_conflict_do_nothing())


def _minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


_ANSWERED = INBOUND.outerjoin(OUTBOUND, OUTBOUND.c.inbound_id == INBOUND.c.id)
_KEPT_COLUMNS = (
    INBOUND.c.link_id,
    sa.func.coalesce(INBOUND.c.command, _NONE).label("command"),
    INBOUND.c.state,
    sa.func.coalesce(OUTBOUND.c.reply, _NONE).label("reply"),
)
_COUNTS = sa.select(*_KEPT_COLUMNS, sa.func.count().label("messages")).select_from(_ANSWERED)
_TOOK = (
    sa.select(
        sa.type_coerce(OUTBOUND.c.accepted_at, sa.BigInteger)
        - sa.type_coerce(INBOUND.c.stored_at, sa.BigInteger)
    )
    .select_from(_ANSWERED)
    .where(OUTBOUND.c.accepted_at.is_not(None))
)
