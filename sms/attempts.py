"""What attempts to hand replies over came to, by link and minute, where links share their load."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of, upsert
from core.prepared import among, prepared
from sms.dispatch import NotStarted, Result
from sms.links.model import Refused, Unknown
from sms.tables import LINK_ATTEMPT

_KEPT = timedelta(hours=1)


class Count(NamedTuple):
    """How many were tried, and how many of them did not reach the operator as they should have."""

    tried: int
    failed: int


def count(results: Iterable[Result], are_shared: Callable[[int], bool]) -> dict[int, Count]:
    """Count what came back, of the links that share their load.

    What an operator refuses for good it refuses for the reply's sake, not for the link's.
    """
    tried: Counter[int] = Counter()
    failed: Counter[int] = Counter()
    for result in results:
        link_id, outcome = result.claimed.link_id, result.outcome
        if isinstance(outcome, NotStarted) or not are_shared(link_id):
            continue
        tried[link_id] += 1
        is_refusal = isinstance(outcome, Refused) and outcome.retryable
        failed[link_id] += is_refusal or isinstance(outcome, Unknown)
    return {link_id: Count(tried[link_id], failed[link_id]) for link_id in sorted(tried)}


def add(session: Session, counts: Mapping[int, Count], now: datetime) -> None:
    """Add to the counts of this minute."""
    minute = now.replace(second=0, microsecond=0)
    if counts:
        rows = [
            {"link_id": link_id, "minute": minute, **of._asdict()}
            for link_id, of in sorted(counts.items())
        ]
        session.execute(_adding(dialect_of(session)), rows)


def since(session: Session, link_ids: Collection[int], at: datetime) -> dict[int, Count]:
    """Add up the minutes that began at *at* or later."""
    rows = session.execute(_SINCE, {"links": sorted(link_ids), "at": at})
    return {row.link_id: Count(int(row.tried), int(row.failed)) for row in rows}


def forget(session: Session, now: datetime) -> None:
    """Let go of minutes that nothing is judged by any more."""
    session.execute(sa.delete(LINK_ATTEMPT).where(LINK_ATTEMPT.c.minute < now - _KEPT))


@cache
def _adding(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    statement = upsert(dialect, LINK_ATTEMPT)
    sums = {name: LINK_ATTEMPT.c[name] + statement.excluded[name] for name in Count._fields}
    keys = ["link_id", "minute"]
    return prepared(statement.on_conflict_do_update(index_elements=keys, set_=sums))


_SINCE = prepared(
    sa.select(
        LINK_ATTEMPT.c.link_id,
        sa.func.sum(LINK_ATTEMPT.c.tried).label("tried"),
        sa.func.sum(LINK_ATTEMPT.c.failed).label("failed"),
    )
    .where(among(LINK_ATTEMPT.c.link_id, "links"), LINK_ATTEMPT.c.minute >= sa.bindparam("at"))
    .group_by(LINK_ATTEMPT.c.link_id)
)
