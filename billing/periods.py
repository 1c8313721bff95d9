"""Periods: the calendar months, as Viet Nam counts them, that are billed and reconciled."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from billing.errors import PeriodError
from core.clock import VIETNAM, vietnam_day

_WRITTEN = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_MONTHS = 12


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One month."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a month as it is typed, 2026-10. Raises: PeriodError."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise PeriodError("a period is a month, written as 2026-10")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, instant: datetime) -> Self:
        """Return the month that an instant lies in."""
        day = vietnam_day(instant)
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def first_day(self) -> date:
        """The first day."""
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        """The last day."""
        return self.following.first_day - timedelta(days=1)

    @property
    def starts_at(self) -> datetime:
        """The first instant that belongs to it."""
        return datetime(self.year, self.month, 1, tzinfo=VIETNAM)

    @property
    def ends_at(self) -> datetime:
        """The first instant that no longer belongs to it."""
        return self.following.starts_at

    @property
    def following(self) -> Self:
        """The month after it."""
        return type(self)(self.year + self.month // _MONTHS, self.month % _MONTHS + 1)

    @property
    def preceding(self) -> Self:
        """The month before it."""
        return type(self)(self.year - (self.month == 1), (self.month - 2) % _MONTHS + 1)
