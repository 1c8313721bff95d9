"""Prices as the console lists them: those that hold, those to come, and where none holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from billing import tariff_file, tariffs
from billing.tariffs import Tariff
from sms.links.model import Link, LinkState

_DAY = timedelta(days=1)


class Standing(StrEnum):
    """How a price stands to a day."""

    OVER = "over"
    HOLDS = "holds"
    COMES = "comes"


@dataclass(frozen=True, slots=True)
class Price:
    """A price as the list shows it.

    Shape: *gap* are the days after it on which no price of the same thing holds; without an end
    where none follows at all.
    """

    tariff: Tariff
    standing: Standing
    gap: tuple[date, date | None] | None


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in the order of what they are of; *without* are operators that have none today."""

    shown: tuple[Price, ...]
    without: tuple[str, ...]
    is_all: bool


def load(session: Session, links: Iterable[Link], today: date, *, is_all: bool) -> Prices:
    """Load the prices that hold or will hold, or *is_all* that were ever set."""
    known = tariffs.load(session)
    gaps: dict[Tariff, tuple[date, date | None]] = {
        one: (one.valid_to + _DAY, other.valid_from - _DAY)
        for one, other in tariff_file.gaps(known.all)
        if one.valid_to is not None
    }
    for each in tariff_file.unfollowed(known.all, today):
        if each.valid_to is not None:
            gaps.setdefault(each, (each.valid_to + _DAY, None))
    prices = [Price(each, _standing(each, today), gaps.get(each)) for each in known.all]
    ordered = sorted(prices, key=lambda price: (*price.tariff.key, price.tariff.valid_from))
    carry = {link.operator for link in links if link.state is not LinkState.TERMINATED}
    return Prices(
        tuple(p for p in ordered if is_all or p.standing is not Standing.OVER or p.gap),
        tuple(name for name in sorted(carry) if known.to_citizen(name, today) is None),
        is_all,
    )


def _standing(tariff: Tariff, today: date) -> Standing:
    if tariff.valid_from > today:
        return Standing.COMES
    return Standing.HOLDS if tariff.holds_on(today) else Standing.OVER
