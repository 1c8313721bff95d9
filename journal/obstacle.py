"""Why answers may have to wait: the one place that decides it for every stage and page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from journal.quorum import Quorum, Witnessed

_MAY_LAG = timedelta(seconds=5)
_LOOK_AGAIN_SECONDS = 1.0


class Obstacle(StrEnum):
    """What the journal lacks while nothing may be disclosed."""

    BEHIND = "journal-behind"
    UNWITNESSED = "quorum-missing"


@dataclass(frozen=True, slots=True)
class _Seen:
    """How things stood at one moment of this process's clock."""

    moment: float
    waiting: datetime | None
    witnessed: Witnessed | None

    def obstacle(self, now: datetime) -> Obstacle | None:
        if self.waiting is not None and now - self.waiting > _MAY_LAG:
            return Obstacle.BEHIND
        if self.witnessed is not None and self.witnessed.is_missing(now):
            return Obstacle.UNWITNESSED
        return None


class Obstacles:
    """Looks at the database once a second while all is well, and each time while it is not.

    What was seen only ages: an entry that waits is older a second later, and a quorum too, so that
    a second-old look finds every obstacle when it begins, and a fresh one finds its end.
    """

    def __init__(
        self,
        oldest_waiting: Callable[[Session], datetime | None],
        quorum: Quorum | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._oldest_waiting = oldest_waiting
        self._quorum = quorum
        self._monotonic = monotonic
        self._seen: _Seen | None = None

    def reason(self, session: Session, now: datetime) -> Obstacle | None:
        """Say why nothing may be disclosed now; None if it may."""
        moment, seen = self._monotonic(), self._seen
        if seen is None or moment - seen.moment >= _LOOK_AGAIN_SECONDS or seen.obstacle(now):
            witnessed = None if self._quorum is None else self._quorum.last(session, now)
            seen = self._seen = _Seen(moment, self._oldest_waiting(session), witnessed)
        return seen.obstacle(now)
