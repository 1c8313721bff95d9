"""The sessions of this process that take replies, and how many replies each link takes now.

Read by the thread that claims replies, changed by the thread that has the sessions.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from core import metrics
from sms.lanes import Width
from sms.links.smpp.connection import Connection

# How much of a second's rate may leave at once after a pause.
_BURSTS = 10


@dataclass(slots=True)
class _Throttle:
    """A link's rate of segments, which outlives its connections."""

    rate: int
    tokens: float
    at: float

    def left(self, now: float) -> float:
        most = max(self.rate / _BURSTS, 1.0)
        self.tokens = min(self.tokens + (now - self.at) * self.rate, most)
        self.at = now
        return self.tokens


@dataclass(slots=True)
class _Lane:
    """What is known of one link."""

    code: str
    window: int
    throttle: _Throttle
    senders: list[Connection] = field(default_factory=list)
    receivers: list[Connection] = field(default_factory=list)


class Roster:
    """The links that are bound from here, and those that are bound elsewhere or nowhere."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        all_links: Callable[[], Iterable[int]] = tuple,
    ) -> None:
        self._monotonic = monotonic
        self._all_links = all_links
        self._lock = threading.Lock()
        self._lanes: dict[int, _Lane] = {}

    def expect(self, links: Mapping[int, tuple[str, int, int]]) -> None:
        """Name the links there are, each with its code, window and rate."""
        with self._lock:
            for link_id in self._lanes.keys() - links.keys():
                lane = self._lanes.pop(link_id)
                _show(lane.code, 0, 0)
            for link_id, (code, window, rate) in links.items():
                lane = self._lanes.get(link_id) or _Lane(
                    code, window, _Throttle(rate, 0.0, self._monotonic())
                )
                lane.window, lane.throttle.rate = window, rate
                self._lanes[link_id] = lane
                bound = {id(one) for one in (*lane.senders, *lane.receivers)}
                _show(code, len(bound), sum(one.in_flight for one in lane.senders))

    def join(self, link_id: int, connection: Connection, *, sends: bool, receives: bool) -> None:
        """Have a session that is bound now take part."""
        with self._lock:
            lane = self._lanes.get(link_id)
            if lane and sends:
                lane.senders.append(connection)
            if lane and receives:
                lane.receivers.append(connection)

    def leave(self, link_id: int, connection: Connection) -> None:
        """Have a session take part no more."""
        with self._lock:
            if lane := self._lanes.get(link_id):
                lane.senders = [one for one in lane.senders if one is not connection]
                lane.receivers = [one for one in lane.receivers if one is not connection]

    def choose(self, link_id: int) -> Connection | None:
        """Return the best session that has room in its window, if there is one.

        Best is the one whose SMSC has failed us least of late, then the freest, then the one that
        rested longest: so a sick host is used only for what the others have no room for.
        """
        with self._lock:
            lane = self._lanes.get(link_id)
            if lane is None:
                return None
            free = [one for one in lane.senders if one.is_bound and one.in_flight < lane.window]
            now = self._monotonic()  # an event loop's clock too
            return min(free, key=lambda one: _preference(one, now), default=None)

    def widths(self) -> Mapping[int, Width]:
        """Say for each link how many replies may be under way, and how many may be started now.

        By a link that nothing is known of yet, as before the first look at it, none.
        """
        unknown = dict.fromkeys(self._all_links(), Width(under_way=0, starts=0))
        with self._lock:
            now = self._monotonic()
            return unknown | {
                link_id: Width(
                    under_way=lane.window * sum(one.is_bound for one in lane.senders),
                    starts=int(lane.throttle.left(now)),
                )
                for link_id, lane in self._lanes.items()
            }

    def started(self, link_id: int, segments: int) -> None:
        """Note that a reply of so many segments is on its way; a debt is waited out."""
        with self._lock:
            if lane := self._lanes.get(link_id):
                lane.throttle.tokens -= segments


def _preference(one: Connection, now: float) -> tuple[bool, int, float]:
    return one.conduct.is_troubled(now), one.in_flight, one.conduct.used_at


def _show(code: str, bound: int, in_flight: int) -> None:
    metrics.SMPP_BOUND.labels(code).set(bound)
    metrics.SMPP_WINDOW.labels(code).set(in_flight)
