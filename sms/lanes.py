"""Keeps room for every link: one operator that hangs must not hold up the replies of the others."""

from collections import Counter
from collections.abc import Mapping

from sms.dispatch import NotStarted
from sms.links.model import Accepted, Outcome

# Left free by every single link for all others.
_KEPT_FREE = 2
# So many failures in a row, and a link is tried with one reply at a time until one is accepted.
_FAILURES = 3


class Lanes:
    """Counts what is under way on each link, and narrows the links that do not answer."""

    def __init__(self, threads: int) -> None:
        self._widest = max(threads - _KEPT_FREE, 1)
        self._under_way: Counter[int] = Counter()
        self._failures: Counter[int] = Counter()

    def started(self, link_id: int) -> None:
        """Note that a reply is under way."""
        self._under_way[link_id] += 1

    def ended(self, link_id: int, outcome: Outcome | NotStarted) -> None:
        """Note what came of a reply."""
        self._under_way[link_id] -= 1
        if isinstance(outcome, Accepted):
            self._failures[link_id] = 0
        elif not isinstance(outcome, NotStarted):
            self._failures[link_id] += 1

    def any_full(self) -> bool:
        """Tell whether some link has no room now."""
        return any(room <= 0 for room in self.rooms().values())

    def rooms(self) -> Mapping[int, int]:
        """Say for each link that was seen how many more of its replies may be started."""
        return {
            link_id: (1 if self._failures[link_id] >= _FAILURES else self._widest) - count
            for link_id, count in self._under_way.items()
        }
