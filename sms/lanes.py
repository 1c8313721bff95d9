"""Keeps room for every link: one operator that hangs must not hold up the replies of the others."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sms.dispatch import NotStarted
from sms.links.model import Accepted, Outcome

# Left free by every single link for all others.
_KEPT_FREE = 2
# So many failures in a row, and a link is tried with one reply at a time until one is accepted.
_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Width:
    """How many replies of a link may be under way at once here, and how many may start now."""

    under_way: int
    starts: int


class Gate(Protocol):
    """What lets only so many replies of some links leave by this process."""

    def widths(self) -> Mapping[int, Width]:
        """Say of each such link how many."""
        ...

    def started(self, link_id: int, segments: int) -> None:
        """Note that a reply of so many segments is on its way."""
        ...


class Lanes:
    """Counts what is under way on each link, and narrows the links that do not answer."""

    def __init__(self, threads: int, gate: Gate | None = None) -> None:
        self._widest = max(threads - _KEPT_FREE, 1)
        self._gate = gate
        self._under_way: Counter[int] = Counter()
        self._failures: Counter[int] = Counter()

    def started(self, link_id: int, segments: int = 1) -> None:
        """Note that a reply is under way."""
        self._under_way[link_id] += 1
        if self._gate is not None:
            self._gate.started(link_id, segments)

    def ended(self, link_id: int, outcome: Outcome | NotStarted) -> None:
        """Note what came of a reply."""
        self._under_way[link_id] -= 1
        if isinstance(outcome, Accepted):
            self._failures[link_id] = 0
        elif not isinstance(outcome, NotStarted):
            self._failures[link_id] += 1

    def rooms(self, paced: Mapping[int, int] | None = None) -> Mapping[int, int]:
        """Say for each link that was seen, or is held to a pace, how many more may be started.

        *paced*: how many more may be, of links that have a rate.
        """
        rooms = {
            link_id: (1 if self._failures[link_id] >= _FAILURES else self._widest) - count
            for link_id, count in self._under_way.items()
        }
        for link_id, room in (paced or {}).items():
            rooms[link_id] = min(rooms.get(link_id, room), room)
        for link_id, width in ({} if self._gate is None else self._gate.widths()).items():
            room = min(width.under_way - self._under_way[link_id], width.starts)
            rooms[link_id] = min(rooms.get(link_id, room), room)
        return rooms
