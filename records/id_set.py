"""A set of personal numbers that stays small: some four bytes a number, for files of millions."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from records.personal_id import PersonalId

_LAST_DIGITS = 6
_BITMAP_BYTES = 10**_LAST_DIGITS // 8
# From here on a bit for each number that there can be takes less room than the numbers there are.
_MOST_LISTED = _BITMAP_BYTES // 4


class IdSet:
    """Remembers which numbers it was given.

    Shape: for each first six digits the last six, as a sorted array while they are few and as a
    bitmap when they are many.
    """

    def __init__(self) -> None:
        self._listed: dict[str, array[int]] = {}
        self._mapped: dict[str, bytearray] = {}

    def add(self, personal_id: PersonalId) -> bool:
        """Put a number in; return whether it was not there yet."""
        head, last = personal_id[:-_LAST_DIGITS], int(personal_id[-_LAST_DIGITS:])
        if (bitmap := self._mapped.get(head)) is not None:
            return _set(bitmap, last)
        listed = self._listed.setdefault(head, array("I"))
        at = bisect_left(listed, last)
        if at < len(listed) and listed[at] == last:
            return False
        listed.insert(at, last)
        if len(listed) > _MOST_LISTED:
            self._mapped[head] = _bitmap(self._listed.pop(head))
        return True


def _bitmap(numbers: Iterable[int]) -> bytearray:
    bitmap = bytearray(_BITMAP_BYTES)
    for number in numbers:
        _set(bitmap, number)
    return bitmap


def _set(bitmap: bytearray, number: int) -> bool:
    byte, bit = number >> 3, 1 << (number & 7)
    if bitmap[byte] & bit:
        return False
    bitmap[byte] |= bit
    return True
