"""Time as an argument: whoever needs it is handed a clock."""

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


class Clock(Protocol):
    """Tells the instant, and a count of seconds that never goes back."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some fixed moment of this process."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some fixed moment of this process."""
        return time.monotonic()


def vietnam_day(instant: datetime) -> date:
    """Return the calendar day of *instant* in Viet Nam, which counts quotas and prices."""
    return instant.astimezone(VIETNAM).date()
