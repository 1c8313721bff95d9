"""What the overview tells of the last day, from the tally: no message is counted here.

The databases add the minutes up, step by step, and take whole hours where steps are of hours: of a
week come as many rows as are drawn.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import VIETNAM
from sms import queue, tally
from sms.tally import HOUR, TALLIED, TALLY, TALLY_HOUR

_MICROSECONDS = 1_000_000
_SERIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A stretch of time in equal steps.

    Units: *p50*, *p95*, *p99* in seconds, the slowest minute of each step, None where nothing was
    handed over.
    """

    labels: tuple[str, ...]
    by_link: Mapping[str, tuple[int, ...]]
    p50: tuple[float | None, ...]
    p95: tuple[float | None, ...]
    p99: tuple[float | None, ...]
    states: Mapping[str, int]
    replies: Mapping[str, int]
    messages: int
    waiting_since: datetime | None


def load(
    session: Session,
    codes: Mapping[int, str],
    *,
    since: datetime,
    until: datetime,
    step: timedelta,
) -> Day:
    """Load the tally between two instants.

    Shape: where *step* is of whole hours, *since* is the beginning of one.
    """
    count = -(-(until - since) // step)
    starts = [since + step * place for place in range(count)]
    by_link: dict[str, list[int]] = {}
    states, replies = Counter[str](), Counter[str]()
    for row in _counted(session, since, until, step):
        code = codes.get(row.link_id, "–")
        by_link.setdefault(code, [0] * count)[row.place] += row.messages
        states[row.state] += row.messages
        if row.reply:
            replies[row.reply] += row.messages
    spans: list[list[float | None]] = [[None] * count for _ in range(3)]
    for row in session.execute(_spans(since, until, step)):
        for series, micros in zip(spans, (row.p50, row.p95, row.p99), strict=True):
            series[row.place] = micros / _MICROSECONDS
    written = "%H:%M" if until - since <= timedelta(days=1) else "%d/%m %H:%M"
    return Day(
        labels=tuple(f"{start.astimezone(VIETNAM):{written}}" for start in starts),
        by_link={code: tuple(values) for code, values in _largest(by_link, count).items()},
        p50=tuple(spans[0]),
        p95=tuple(spans[1]),
        p99=tuple(spans[2]),
        states=states,
        replies=replies,
        messages=sum(states.values()),
        waiting_since=queue.oldest(session),
    )


def _counted(
    session: Session, since: datetime, until: datetime, step: timedelta
) -> Iterator[sa.Row[Any]]:
    """Add up what came in each step, by link and by how it ended."""
    minutes_from = since
    if not step % HOUR:
        minutes_from = min(max(tally.added_up_until(session) or since, since), until)
        hours = _sums(TALLY_HOUR.c.hour, since, step)
        yield from session.execute(hours.where(TALLY_HOUR.c.hour < minutes_from))
    minutes = _sums(TALLY.c.minute, since, step)
    yield from session.execute(
        minutes.where(TALLY.c.minute >= minutes_from, TALLY.c.minute < until)
    )


def _sums(at: sa.Column[Any], since: datetime, step: timedelta) -> sa.Select[*tuple[Any, ...]]:
    table = at.table.c
    keys = (_place(at, since, step), table.link_id, table.state, table.reply)
    sums = sa.select(*keys, sa.func.sum(table.messages).label("messages"))
    return sums.where(at >= since).group_by(*keys)


def _spans(since: datetime, until: datetime, step: timedelta) -> sa.Select[*tuple[Any, ...]]:
    """Find the slowest minute of each step."""
    at = TALLIED.c.minute
    place = _place(at, since, step)
    slowest = (sa.func.max(TALLIED.c[f"{name}_us"]).label(name) for name in ("p50", "p95", "p99"))
    timed = sa.select(place, *slowest).where(TALLIED.c.handed_over > 0)
    return timed.where(at >= since, at < until).group_by(place)


def _place(at: sa.Column[Any], since: datetime, step: timedelta) -> sa.Label[int]:
    """Tell which step an instant is in."""
    passed = sa.type_coerce(at - since, sa.BigInteger)
    return (passed // (step // timedelta(microseconds=1))).label("place")


def _largest(by_link: Mapping[str, Sequence[int]], count: int) -> dict[str, Sequence[int]]:
    """Keep the busiest links apart and put the rest together: a page has so many colours."""
    ranked = sorted(by_link, key=lambda code: (-sum(by_link[code]), code))
    kept: dict[str, Sequence[int]] = {code: by_link[code] for code in ranked[:_SERIES]}
    rest = ranked[_SERIES:]
    if rest:
        kept["…"] = [sum(by_link[code][place] for code in rest) for place in range(count)]
    return kept
