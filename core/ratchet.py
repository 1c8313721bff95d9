"""Chains of month keys that run forward only: a later key says nothing of an earlier one.

Months are numbers as 202603. Source: RFC 5869 for the derivation, ADR 0014 for what it is for.
"""

import hmac
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

KEY_BYTES = 32
_LAST_MONTH_OF_A_YEAR = 12
_TO_NEXT_YEAR = 89
_CONTEXT = b"tradan journal month v1\x00"


@dataclass(frozen=True, slots=True)
class Chain:
    """The months of one purpose that can still be read: all from *start*, and those in *kept*."""

    start: int
    key: bytes = field(repr=False)
    kept: Mapping[int, bytes] = field(repr=False)

    def data_key(self, purpose: str, month: int) -> bytes:
        """Return the key of a month.

        Raises: KeyError if it was destroyed.
        """
        if month < self.start:
            return self.kept[month]
        return _derive(self._key_at(month), f"{purpose}/{month:06}".encode())

    def readable(self, through: int) -> set[int]:
        """Return the months up to *through* whose key can be had."""
        return {*months(self.start, through), *(m for m in self.kept if m <= through)}

    def without(self, purpose: str, gone: Collection[int]) -> "Chain":
        """Return the chain from which these months' keys cannot be had, and every other can."""
        kept = {month: key for month, key in self.kept.items() if month not in gone}
        passed = max((month for month in gone if month >= self.start), default=None)
        if passed is None:
            return Chain(self.start, self.key, kept)
        for month in months(self.start, passed):
            if month not in gone:
                kept[month] = self.data_key(purpose, month)
        start = following(passed)
        return Chain(start, self._key_at(start), kept)

    def _key_at(self, month: int) -> bytes:
        key = self.key
        for _ in range(_count(month) - _count(self.start)):
            key = _derive(key, b"next")
        return key


def month_of(instant: datetime) -> int:
    """Return the month that an aware UTC instant lies in."""
    return instant.year * 100 + instant.month


def following(month: int) -> int:
    """Return the month after *month*."""
    return month + (_TO_NEXT_YEAR if month % 100 == _LAST_MONTH_OF_A_YEAR else 1)


def earlier(month: int, count: int) -> int:
    """Return the month that lies *count* months before *month*."""
    year, number = divmod(_count(month) - count, _LAST_MONTH_OF_A_YEAR)
    return year * 100 + number + 1


def months(first: int, last: int) -> Iterator[int]:
    """Yield the months from *first* to *last*, both included."""
    while first <= last:
        yield first
        first = following(first)


def is_month(number: int) -> bool:
    """Tell whether a number names a month."""
    return 1 <= number % 100 <= _LAST_MONTH_OF_A_YEAR and 0 < number // 100 <= 9999  # noqa: PLR2004 (the calendar's years)


def _count(month: int) -> int:
    return month // 100 * _LAST_MONTH_OF_A_YEAR + month % 100 - 1


def _derive(key: bytes, name: bytes) -> bytes:
    # One block of HKDF-Expand is as long as the key that is wanted.
    return hmac.digest(key, _CONTEXT + name + b"\x01", "sha256")
