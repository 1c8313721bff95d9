"""Tariffs: what one SMS part costs the citizen at an operator, and from which day.

For a short code, direction and encoding exactly one price is in force on a day, or none. The price
of a short code goes before the one for any (`*`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.errors import TariffError
from billing.tables import TARIFF
from billing.usage import Direction

ANY_SHORT_CODE = "*"
WHOLE = 10_000  # basis points
_DAY = timedelta(days=1)


class Encoding(StrEnum):
    """What the parts of a message are written in; ANY for a price that holds for both."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"
    ANY = "any"


WRITTEN = (Encoding.GSM7, Encoding.UCS2)
Timeline = tuple[str, str, Direction, Encoding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A price, and the days on which it holds; without an end, until another begins.

    Units: *price_hundredths* of a dong for each SMS part, VAT included; *vat_bp* and *share_bp* in
    basis points. Days are those of Viet Nam, both included.
    """

    operator: str
    short_code: str = ANY_SHORT_CODE
    direction: Direction = Direction.MO
    encoding: Encoding = Encoding.ANY
    valid_from: date
    valid_to: date | None = None
    price_hundredths: int
    vat_bp: int = 0
    share_bp: int = 0

    @property
    def part_vat(self) -> int:
        """The VAT within the price of one part, rounded half up, once.

        Units: hundredths of a dong. Source: ADR 0021.
        """
        return _half_up(self.price_hundredths * self.vat_bp, WHOLE + self.vat_bp)

    @property
    def part_share(self) -> int:
        """What the operator owes us of one part, of the price without VAT, rounded half up, once.

        Units: hundredths of a dong. Source: ADR 0021.
        """
        return _half_up((self.price_hundredths - self.part_vat) * self.share_bp, WHOLE)

    @property
    def key(self) -> Timeline:
        """What it is a price of."""
        return self.operator, self.short_code, self.direction, self.encoding

    @property
    def timelines(self) -> tuple[Timeline, ...]:
        """Each single encoding that it is a price of."""
        written = WRITTEN if self.encoding is Encoding.ANY else (self.encoding,)
        return tuple((self.operator, self.short_code, self.direction, each) for each in written)

    def holds_on(self, day: date) -> bool:
        """Tell whether a day is one of its days."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Tariffs:
    """Every price that was ever set."""

    all: Sequence[Tariff] = ()
    _by_timeline: Mapping[Timeline, tuple[Tariff, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[Timeline, tuple[Tariff, ...]] = {}
        for tariff in sorted(self.all, key=lambda tariff: tariff.valid_from):
            for timeline in tariff.timelines:
                found[timeline] = (*found.get(timeline, ()), tariff)
        object.__setattr__(self, "_by_timeline", found)

    def find(
        self, operator: str, short_code: str, direction: Direction, encoding: str, day: date
    ) -> Tariff | None:
        """Return the price in force, if one is."""
        for code in (short_code, ANY_SHORT_CODE):
            timeline = (operator, code, direction, Encoding(encoding))
            for tariff in self._by_timeline.get(timeline, ()):
                if tariff.holds_on(day):
                    return tariff
        return None

    def bills(self, operator: str, direction: Direction) -> bool:
        """Tell whether an operator bills this direction at all."""
        return any(t.operator == operator and t.direction is direction for t in self.all)

    def to_citizen(self, operator: str, day: date, short_code: str | None = None) -> int | None:
        """Return what a message to us costs; the dearest where no short code is named.

        Units: hundredths of a dong for each SMS part. Shape: None where no price is in force.
        """
        if short_code is not None:
            found = self.find(operator, short_code, Direction.MO, Encoding.GSM7, day)
            return None if found is None else found.price_hundredths
        ours = (
            tariff.price_hundredths
            for (whose, _, direction, encoding), tariffs in self._by_timeline.items()
            if (whose, direction, encoding) == (operator, Direction.MO, Encoding.GSM7)
            for tariff in tariffs
            if tariff.holds_on(day)
        )
        return max(ours, default=None)


def load(session: Session) -> Tariffs:
    """Return every price that was ever set."""
    rows = session.execute(sa.select(TARIFF).order_by(*TARIFF.primary_key))
    return Tariffs(
        tuple(
            Tariff(
                operator=row.operator,
                short_code=row.short_code,
                direction=Direction(row.direction),
                encoding=Encoding(row.encoding),
                valid_from=row.valid_from,
                valid_to=row.valid_to,
                price_hundredths=row.price_hundredths,
                vat_bp=row.vat_bp,
                share_bp=row.share_bp,
            )
            for row in rows
        )
    )


def store(session: Session, before: Iterable[Tariff], after: Iterable[Tariff]) -> None:
    """Put prices in the place of those that stood there."""
    old, new = set(before), set(after)
    for tariff in sorted(old - new, key=_place):
        session.execute(sa.delete(TARIFF).where(*_is(tariff)))
    added = sorted(new - old, key=_place)
    if added:
        session.execute(sa.insert(TARIFF), [_row(tariff) for tariff in added])


def set_price(session: Session, operator: str, valid_from: date, price_hundredths: int) -> None:
    """Let a price of messages to us hold from a day on, until the next that is set already.

    Units: hundredths of a dong. Raises: TariffError where a price with an end holds that day.
    """
    known = load(session)
    wanted = Tariff(operator=operator, valid_from=valid_from, price_hundredths=price_hundredths)
    standing = [t for t in known.all if t.key == wanted.key and t.holds_on(valid_from)]
    if any(tariff.price_hundredths == price_hundredths for tariff in standing):
        return
    later = [t.valid_from for t in known.all if t.key == wanted.key and t.valid_from > valid_from]
    if later:
        wanted = replace(wanted, valid_to=min(later) - _DAY)
    store(session, known.all, put(known.all, wanted))


def put(known: Iterable[Tariff], wanted: Tariff) -> list[Tariff]:
    """Return prices as they are with one more, which ends the open one that it follows.

    Raises: TariffError where it would change what is set for days after its first.
    """
    kept: list[Tariff] = []
    for tariff in known:
        if not set(tariff.timelines) & set(wanted.timelines):
            kept.append(tariff)
        elif tariff.valid_from == wanted.valid_from and tariff.key == wanted.key:
            if tariff.valid_to != wanted.valid_to:
                raise TariffError(f"a price from {tariff.valid_from} has another end already")
        elif tariff.valid_to is None and tariff.valid_from < wanted.valid_from:
            kept.append(replace(tariff, valid_to=wanted.valid_from - _DAY))
        elif _is_before(tariff, wanted) or _is_before(wanted, tariff):
            kept.append(tariff)
        else:
            raise TariffError(f"it overlaps the price from {tariff.valid_from}")
    return [*kept, wanted]


def _is_before(one: Tariff, other: Tariff) -> bool:
    return one.valid_to is not None and one.valid_to < other.valid_from


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _place(tariff: Tariff) -> tuple[str, str, str, str, date]:
    return *tariff.key, tariff.valid_from


def _is(tariff: Tariff) -> tuple[sa.ColumnElement[bool], ...]:
    columns = TARIFF.primary_key.columns
    return tuple(column == value for column, value in zip(columns, _place(tariff), strict=True))


def _row(tariff: Tariff) -> dict[str, object]:
    return {
        "operator": tariff.operator,
        "short_code": tariff.short_code,
        "direction": tariff.direction.value,
        "encoding": tariff.encoding.value,
        "valid_from": tariff.valid_from,
        "valid_to": tariff.valid_to,
        "price_hundredths": tariff.price_hundredths,
        "vat_bp": tariff.vat_bp,
        "share_bp": tariff.share_bp,
    }
