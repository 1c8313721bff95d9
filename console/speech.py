"""How the console writes figures and times, in the language of the page."""

from datetime import datetime

from flask_babel import get_locale

from core.clock import VIETNAM


def number(value: int) -> str:
    """Write a whole number with its thousands parted."""
    parted = f"{value:,}"
    return parted.replace(",", ".") if str(get_locale()) == "vi" else parted


def moment(at: datetime | None) -> str:
    """Write a day and the time of day in Viet Nam; a dash for none."""
    return "–" if at is None else f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M:%S}"
