"""Looks after links that share their load: shifts weight from what fails, and moves what is stuck.

Every worker looks; the lock on the links' rows, and the instant of the last shift in them, make it
one shift a minute of all of them together. ADR 0029.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import log, metrics
from core.clock import Clock
from core.db import Database, locked
from core.prepared import among, prepared
from journal.journal import Journal
from records import numbers, stops
from sms import attempts, outbox, weights
from sms.attempts import Count
from sms.dispatch import ReplyState
from sms.links.model import Link
from sms.links.registry import LinkRegistry
from sms.routes import Routes, may_carry
from sms.tables import LINK, OUTBOUND
from sms.weights import Share

# So long may a reply wait for a link of several before it is another's.
LATE = timedelta(seconds=5)
_AT_ONCE = 500
_NOTHING = Count(0, 0)
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shifted:
    """A link that weighs something else now, and whether its failures are why."""

    code: str
    weight: int
    is_failing: bool


class Balance:
    """What one worker does for the links of this deployment that share their load."""

    def __init__(
        self, database: Database, links: LinkRegistry, journal: Journal, clock: Clock
    ) -> None:
        self._database = database
        self._journal = journal
        self._links = links
        self._routes = Routes(links)
        self._clock = clock

    def shift(self) -> None:
        """Give links another weight where attempts say so, and say which."""
        now = self._clock.now()
        for group in self._links.shared():
            for one in self._database.write(partial(shift, group=group, now=now)):
                reason = "failing" if one.is_failing else "shared"
                _log.warning("link.weight", link=one.code, count=one.weight, reason=reason)
                if one.is_failing:
                    metrics.ALARMS.labels("link-failing").inc()

    def move(self) -> None:
        """Give replies that wait too long for their link to another that has room."""
        now = self._clock.now()
        groups = self._links.shared()
        if not groups:
            return

        def work(session: Session) -> dict[int, int]:
            may_disclose = self._journal.obstacle(session, now) is None
            return move(session, self._routes, groups, now, may_disclose=may_disclose)

        moved = self._database.write(work)
        for link_id, count in sorted(moved.items()):
            link = self._links.by_id(link_id)
            _log.warning("link.late", link=link.code if link else "", count=count)

    def forget(self) -> None:
        """Let go of counts that nothing is judged by any more."""
        now = self._clock.now()
        self._database.write(lambda session: attempts.forget(session, now))


def shift(session: Session, group: Sequence[Link], now: datetime) -> list[Shifted]:
    """Rebalance links that share their load, at most once a minute; return those that changed."""
    ids = [link.id for link in group]
    rows = session.execute(locked(_ROWS, session), {"links": ids}).all()
    last: datetime | None = max((row.shifted_at for row in rows if row.shifted_at), default=None)
    since = weights.QUIET if last is None else now - last
    if since < weights.BETWEEN:
        return []
    judged_from = now - weights.WINDOW
    counts = attempts.since(session, ids, max(judged_from, last or judged_from))
    shares = _shares(rows, group, counts, stops.in_force(session), now)
    after = weights.rebalance(shares, since)
    if all(after[share.link_id] == share.weight for share in shares):
        return []
    values = [{"which": link_id, "points": points, "at": now} for link_id, points in after.items()]
    session.execute(_WEIGH, values)
    codes = {link.id: link.code for link in group}
    return [
        Shifted(codes[share.link_id], after[share.link_id], share.is_failing)
        for share in shares
        if after[share.link_id] != share.weight
    ]


def move(
    session: Session,
    routes: Routes,
    groups: Sequence[Sequence[Link]],
    now: datetime,
    *,
    may_disclose: bool,
) -> dict[int, int]:
    """Move replies that wait too long, to links for which none does; return how many, by link.

    Each counts as a failure of the link that it waited for.
    """
    ids = [link.id for group in groups for link in group]
    values = {
        "now": now,
        "due": now - LATE,
        "may_disclose": may_disclose,
        # What waits for anything but its link is nobody's fault.
        "by_serving": True,
        "settled": now - numbers.SETTLES,
        "links": ids,
    }
    late: dict[int, list[UUID]] = defaultdict(list)
    for row in session.execute(locked(_LATE, session, skip=True, of=OUTBOUND), values):
        late[row.link_id].append(row.id)
    if not late:
        return {}
    in_force, moves, moved = stops.in_force(session), [], Counter[int]()
    for link_id, replies in late.items():
        free = routes.able(link_id, in_force, now)
        free = {key: weight for key, weight in free.items() if key not in late}
        if free:
            drawn = [weights.draw(free, secrets.randbelow) for _ in replies]
            ways = zip(replies, drawn, strict=True)
            moves += [{"which": one, "by": by, "at": now} for one, by in ways]
            moved[link_id] += len(replies)
    if moves:
        session.execute(_MOVE, moves)
        attempts.add(session, {key: Count(n, n) for key, n in moved.items()}, now)
    return moved


def _shares(
    rows: Sequence[Any],
    group: Sequence[Link],
    counts: dict[int, Count],
    in_force: stops.Stops,
    now: datetime,
) -> list[Share]:
    able = {link.id for link in group if may_carry(link, in_force, now)}
    return [
        Share(
            link_id=row.id,
            weight=row.weight,
            resting=row.resting_weight,
            tried=counts.get(row.id, _NOTHING).tried,
            failed=counts.get(row.id, _NOTHING).failed,
            may_carry=row.id in able,
        )
        for row in rows
    ]


_ROWS: sa.Select[tuple[Any, ...]] = prepared(
    sa.select(LINK.c.id, LINK.c.weight, LINK.c.resting_weight, LINK.c.shifted_at)
    .where(among(LINK.c.id, "links"))
    .order_by(LINK.c.id)
)
_WEIGH = prepared(
    sa.update(LINK)
    .where(LINK.c.id == sa.bindparam("which"))
    .values(weight=sa.bindparam("points"), shifted_at=sa.bindparam("at"))
)
_LATE: sa.Select[tuple[Any, ...]] = prepared(
    sa.select(OUTBOUND.c.id, OUTBOUND.c.link_id)
    .join(LINK, LINK.c.id == OUTBOUND.c.link_id)
    .where(
        *outbox.DUE,
        OUTBOUND.c.state == ReplyState.QUEUED,
        # What may have gone out is asked about where it went.
        OUTBOUND.c.unknowns == 0,
        among(OUTBOUND.c.link_id, "links"),
    )
    .order_by(OUTBOUND.c.priority, OUTBOUND.c.next_at)
    .limit(_AT_ONCE)
)
_MOVE = prepared(
    sa.update(OUTBOUND)
    .where(OUTBOUND.c.id == sa.bindparam("which"))
    # It waits for that link from now on: else it would be late there at once, and sent back.
    .values(link_id=sa.bindparam("by"), next_at=sa.bindparam("at"))
)
