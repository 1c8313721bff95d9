"""How the console writes figures and times, in the language of the page."""

from datetime import datetime, timedelta

from flask_babel import get_locale
from flask_babel import gettext as _

from core.clock import VIETNAM

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_KILO = 1024
_HUNDREDTHS = 100


def number(value: int) -> str:
    """Write a whole number with its thousands parted."""
    parted = f"{value:,}"
    return parted.replace(",", ".") if str(get_locale()) == "vi" else parted


def dong(hundredths: int) -> str:
    """Write a sum of money in dong, with its hundredths where there are any."""
    whole, rest = divmod(abs(hundredths), _HUNDREDTHS)
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{number(whole)}{f'{_point()}{rest:02}' if rest else ''}"


def moment(at: datetime | None) -> str:
    """Write a day and the time of day in Viet Nam; a dash for none."""
    return "–" if at is None else f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M:%S}"


def day_of(at: datetime) -> str:
    """Write the day in Viet Nam."""
    return f"{at.astimezone(VIETNAM):%d/%m/%Y}"


def hour(at: datetime) -> str:
    """Write the time of day in Viet Nam."""
    return f"{at.astimezone(VIETNAM):%H:%M:%S}"


def instant(at: datetime | None) -> str:
    """Write the time of day in Viet Nam to the millisecond; a dash for none."""
    if at is None:
        return "–"
    local = at.astimezone(VIETNAM)
    return f"{local:%H:%M:%S}{_point()}{local.microsecond // 1000:03d}"


def span(length: timedelta | None) -> str:
    """Write how long something took; a dash for what is not over."""
    if length is None:
        return "–"
    return f"{length.total_seconds():.2f}".replace(".", _point()) + " s"


def decimal(value: float) -> str:
    """Write a figure with one place after the point."""
    return f"{value:.1f}".replace(".", _point())


def seconds(value: float) -> str:
    """Write a span of so many seconds."""
    return span(timedelta(seconds=value))


def size_in_bytes(count: int | None) -> str:
    """Write a size in the largest unit that it fills; a dash for none."""
    if count is None:
        return "–"
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < _KILO:
            break
        value, unit = value / _KILO, larger
    return f"{decimal(value)} {unit}"


def ago(length: timedelta) -> str:
    """Write how long ago something was, in the one unit that matters."""
    passed = max(int(length.total_seconds()), 0)
    if passed < _MINUTE:
        return f"{passed} s"
    if passed < _HOUR:
        return str(_("%(count)s phút", count=passed // _MINUTE))
    if passed < _DAY:
        return str(_("%(count)s giờ", count=passed // _HOUR))
    return str(_("%(count)s ngày", count=number(passed // _DAY)))


def _point() -> str:
    return "," if str(get_locale()) == "vi" else "."
