"""What the overview tells of the last day, from the tally: no message is counted here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import VIETNAM
from sms import queue
from sms.tally import TALLIED, TALLY

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
    """Load the tally between two instants."""
    count = -(-(until - since) // step)
    starts = [since + step * place for place in range(count)]
    by_link: dict[str, list[int]] = {}
    states: dict[str, int] = {}
    replies: dict[str, int] = {}
    for row in session.execute(_tallied_since(since)):
        place = (row.minute - since) // step
        if not 0 <= place < count:
            continue
        code = codes.get(row.link_id, "–")
        by_link.setdefault(code, [0] * count)[place] += row.messages
        states[row.state] = states.get(row.state, 0) + row.messages
        if row.reply:
            replies[row.reply] = replies.get(row.reply, 0) + row.messages
    spans = _spans(session, since, step, count)
    written = "%H:%M" if until - since <= timedelta(days=1) else "%d/%m %H:%M"
    return Day(
        labels=tuple(f"{start.astimezone(VIETNAM):{written}}" for start in starts),
        by_link={code: tuple(values) for code, values in _largest(by_link, count).items()},
        p50=spans[0],
        p95=spans[1],
        p99=spans[2],
        states=states,
        replies=replies,
        messages=sum(states.values()),
        waiting_since=queue.oldest(session),
    )


def _tallied_since(since: datetime) -> sa.Select[tuple[datetime, int, str, str, int]]:
    keys = (TALLY.c.minute, TALLY.c.link_id, TALLY.c.state, TALLY.c.reply)
    total = sa.func.sum(TALLY.c.messages).label("messages")
    return sa.select(*keys, total).where(TALLY.c.minute >= since).group_by(*keys)


def _spans(
    session: Session, since: datetime, step: timedelta, count: int
) -> list[tuple[float | None, ...]]:
    found: list[list[float | None]] = [[None] * count for _ in range(3)]
    wanted = sa.select(TALLIED).where(TALLIED.c.minute >= since, TALLIED.c.handed_over > 0)
    for row in session.execute(wanted):
        place = (row.minute - since) // step
        if 0 <= place < count:
            for series, micros in zip(found, (row.p50_us, row.p95_us, row.p99_us), strict=True):
                series[place] = max(series[place] or 0.0, micros / _MICROSECONDS)
    return [tuple(series) for series in found]


def _largest(by_link: Mapping[str, Sequence[int]], count: int) -> dict[str, Sequence[int]]:
    """Keep the busiest links apart and put the rest together: a page has so many colours."""
    ranked = sorted(by_link, key=lambda code: (-sum(by_link[code]), code))
    kept: dict[str, Sequence[int]] = {code: by_link[code] for code in ranked[:_SERIES]}
    rest = ranked[_SERIES:]
    if rest:
        kept["…"] = [sum(by_link[code][place] for code in rest) for place in range(count)]
    return kept
