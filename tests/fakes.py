"""The stand-ins that tests hand over as arguments: the clock, and people outside the house."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # 12:00 in Hanoi on a working day


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until a test advances it."""

    at: datetime = NOON
    _elapsed: timedelta = field(default=timedelta(), init=False)

    def now(self) -> datetime:
        """Return the instant the test has set."""
        return self.at

    def monotonic(self) -> float:
        """Return the time advanced so far.

        Units: seconds.
        """
        return self._elapsed.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Let *by* pass, on the wall and on the monotonic clock alike.

        Raises: ValueError if time would run backwards, which no monotonic clock does.
        """
        if by < timedelta():
            message = "a clock only advances; set `at` to move the wall clock back"
            raise ValueError(message)
        self.at += by
        self._elapsed += by
