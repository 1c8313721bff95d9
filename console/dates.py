"""Days as officers type them, in Viet Nam's calendar."""

import re
from datetime import UTC, date, datetime, time, timedelta

from core.clock import VIETNAM

_WRITTEN = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})|(\d{2})(\d{2})(\d{4})|(\d{4})-(\d{2})-(\d{2})"
)
_WORDS = {"hôm nay": 0, "today": 0, "hôm qua": 1, "yesterday": 1}


def read_day(text: str, today: date) -> date | None:
    """Read a day, as 1/11/2026, 01112026, 2026-11-01, hôm nay; None if it is none."""
    plain = text.strip().casefold()
    if plain in _WORDS:
        return today - timedelta(days=_WORDS[plain])
    found = _WRITTEN.fullmatch(plain)
    if found is None:
        return None
    day, month, year, day2, month2, year2, year3, month3, day3 = found.groups()
    try:
        return date(
            int(year or year2 or year3), int(month or month2 or month3), int(day or day2 or day3)
        )
    except ValueError:
        return None


def start_of(day: date) -> datetime:
    """Return the instant at which a day begins in Viet Nam."""
    return datetime.combine(day, time(), VIETNAM).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the instant at which the next day begins."""
    return start_of(day + timedelta(days=1))


def written(day: date) -> str:
    """Write a day as people do here."""
    return f"{day:%d/%m/%Y}"
