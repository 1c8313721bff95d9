"""How much an operator may hand over: the contract's rate, the backlog, a slow-down for guesses.

The rate is counted in the link's row and granted to each process in portions, so that all processes
together keep it without a hot row for every message. Failures of authentication are counted in
memory: a row for each would let anybody write to the database.
"""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, locked
from sms.links.model import Link
from sms.links.registry import BURST
from sms.tables import INBOUND, LINK

MOST_WAITING = 5000
_PORTIONS = 20
_SAMPLE_SECONDS = 1.0
_FAILURES = 20
_WINDOW = 60.0
_BLOCK = 300.0
_MOST_SOURCES = 4096
_V = TypeVar("_V")


class RateLimit:
    """The contract's rate, shared by every process through portions."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._granted: dict[int, int] = {}

    def spend(self, links: Sequence[Link]) -> list[bool]:
        """Spend one message of each link's rate, as often as it is named, where there is one."""
        wanted = Counter(link.id for link in links)
        with self._lock:
            short = {
                link.id: link for link in links if self._granted.get(link.id, 0) < wanted[link.id]
            }
        if short:
            now = self._clock.now()
            granted = self._database.write(
                lambda session: {
                    key: _grant(session, short[key], wanted[key], now) for key in sorted(short)
                }
            )
            with self._lock:
                for key, count in granted.items():
                    self._granted[key] = self._granted.get(key, 0) + count
        with self._lock:
            return [self._spend_one(link.id) for link in links]

    def _spend_one(self, link_id: int) -> bool:
        left = self._granted.get(link_id, 0)
        if left:
            self._granted[link_id] = left - 1
        return left > 0


class Backlog:
    """How many messages of each link wait, as counted at most once a second."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._counted_at: float | None = None
        self._waiting: dict[int, int] = {}

    def is_full(self, link: Link) -> bool:
        """Tell whether the link has more waiting than may wait, and count this message in."""
        now = self._clock.monotonic()
        with self._lock:
            if self._counted_at is None or now - self._counted_at >= _SAMPLE_SECONDS:
                self._counted_at = now
                self._waiting = self._database.read(_waiting)
            waiting = self._waiting.get(link.id, 0)
            self._waiting[link.id] = waiting + 1
        return waiting >= MOST_WAITING


class FailureThrottle:
    """Slows a source whose signatures keep failing on a link; a genuine request is never slowed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._blocked: OrderedDict[tuple[str, str], float] = OrderedDict()

    def failed(self, link_code: str, source: str) -> int | None:
        """Count a failure; return for how many seconds the source is told to wait, if at all."""
        key, now = (link_code, source), self._clock.monotonic()
        with self._lock:
            if self._blocked.get(key, now) > now:
                return int(self._blocked[key] - now) + 1
            times = self._failures.setdefault(key, deque(maxlen=_FAILURES + 1))
            self._failures.move_to_end(key)
            times.append(now)
            _trim(self._failures)
            if len(times) <= _FAILURES or now - times[0] > _WINDOW:
                return None
            self._blocked[key] = now + _BLOCK
            self._blocked.move_to_end(key)
            _trim(self._blocked)
            return int(_BLOCK)


def _trim(table: OrderedDict[tuple[str, str], _V]) -> None:
    while len(table) > _MOST_SOURCES:
        table.popitem(last=False)


def _grant(session: Session, link: Link, wanted: int, now: datetime) -> int:
    statement = sa.select(LINK.c.tokens, LINK.c.refilled_at).where(LINK.c.id == link.id)
    row: Any = session.execute(locked(statement, session)).one()
    passed = max(now - row.refilled_at, timedelta()) / timedelta(seconds=1)
    tokens = min(row.tokens + passed * link.rate, float(link.rate * BURST))
    granted = min(max(wanted, link.rate // _PORTIONS), int(tokens))
    session.execute(
        sa.update(LINK).where(LINK.c.id == link.id).values(tokens=tokens - granted, refilled_at=now)
    )
    return granted


def _waiting(session: Session) -> dict[int, int]:
    # The literal text lets both databases use the partial index of waiting messages.
    statement = (
        sa.select(INBOUND.c.link_id, sa.func.count())
        .where(sa.text("inbound.state = 'received'"))
        .group_by(INBOUND.c.link_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}
