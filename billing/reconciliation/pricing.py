"""What our prices make of a record, as SQL: the tariffs in force, by the day in Viet Nam."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from billing.reconciliation.engine import text
from billing.tariffs import ANY_SHORT_CODE, Encoding, Tariff, Tariffs
from billing.usage import Direction

_FOREVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Pricing:
    """The prices of one operator."""

    tariffs: Tariffs
    operator: str

    def per_part(self, day: str, of: str = "") -> str:
        """Return the price of a part of a record; *day* is the SQL of the day it is priced by.

        Shape: columns direction, encoding and short_code are read, of the table named *of*. Zero in
        a direction that the operator does not bill; NULL where no price is in force. Units:
        hundredths of a dong.
        """
        arms = [
            f"WHEN {of}direction = {text(each.direction)}{_words(each, of)} "
            f"AND {day} BETWEEN {text(each.valid_from.isoformat())} "
            f"AND {text((each.valid_to or _FOREVER).isoformat())} THEN {each.price_hundredths}"
            for each in self._ordered()
        ]
        arms += [
            f"WHEN {of}direction = {text(each)} THEN 0"
            for each in Direction
            if not self.tariffs.bills(self.operator, each)
        ]
        return f"CASE {' '.join(arms)} ELSE NULL END" if arms else "NULL"

    def _ordered(self) -> Iterator[Tariff]:
        """Yield the prices, those of a short code before those of any."""
        ours = [each for each in self.tariffs.all if each.operator == self.operator]
        yield from _with(ours, is_any=False)
        yield from _with(ours, is_any=True)


def _with(tariffs: Iterable[Tariff], *, is_any: bool) -> list[Tariff]:
    return [each for each in tariffs if (each.short_code == ANY_SHORT_CODE) is is_any]


def _words(tariff: Tariff, of: str) -> str:
    encoding = f" AND {of}encoding = {text(tariff.encoding)}"
    code = f" AND {of}short_code = {text(tariff.short_code)}"
    is_any_code = tariff.short_code == ANY_SHORT_CODE
    return ("" if tariff.encoding is Encoding.ANY else encoding) + ("" if is_any_code else code)
