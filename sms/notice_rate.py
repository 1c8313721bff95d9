"""How many notices a link may post: counted in memory, for they protect the machine and no record.

Several come for each reply, so they have a rate of their own, and take nothing of the messages'.
"""

import threading

from core.clock import Clock
from sms.links.model import Link
from sms.links.registry import BURST

TIMES = 4


class NoticeRate:
    """What each link has left, in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[int, tuple[float, float]] = {}

    def spend(self, link: Link) -> bool:
        """Spend one notice of the link's rate, if there is one."""
        now, rate = self._clock.monotonic(), float(link.rate * TIMES)
        with self._lock:
            tokens, since = self._left.get(link.id, (rate * BURST, now))
            tokens = min(tokens + (now - since) * rate, rate * BURST)
            self._left[link.id] = (max(tokens - 1, 0.0), now)
        return tokens >= 1
