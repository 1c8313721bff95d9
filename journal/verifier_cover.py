"""The verifier's word on openings that are gone: lawful only where a later leaf covers them.

Source: docs/journal-format.md, erasure and retention.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from journal.verifier_leaf import Leaf
from journal.verifier_report import Found

PARTS = ("identity", "act")
_Range = tuple[int, int]


class Covered:
    """The openings that some leaves, or those of them with one cause, say are gone."""

    def __init__(self, leaves: Iterable[Leaf] = (), cause: str = "") -> None:
        told = [leaf for leaf in leaves if cause in {"", leaf.word("cause")}]
        whole = [leaf for leaf in told if leaf.word("part") == "all"]
        self._ranges = [_merged(each) for each in (told, whole)]

    def __bool__(self) -> bool:
        return bool(self._ranges[0])

    def has(self, seq: int, part: int) -> bool:
        """Tell whether the identity (0) or the act (1) of a leaf is among them."""
        ranges = self._ranges[part]
        place = bisect_right(ranges, (seq, 2**63)) - 1
        return place >= 0 and seq <= ranges[place][1]


@dataclass(slots=True)
class Gaps:
    """Openings that are gone before their time, and the leaves that may cover them.

    Shape: each of `absent` is four times the number of a leaf, plus two for the act, plus one if
    there is something that does not open.
    """

    absent: "array[int]" = field(default_factory=lambda: array("q"))
    covers: list[Leaf] = field(default_factory=list)
    overdue: int = 0

    def note(self, seq: int, part: int, *, is_there: bool) -> None:
        """Note an opening that is gone, or is there and does not open."""
        self.absent.append(4 * seq + 2 * part + is_there)

    def take(self, other: "Gaps") -> None:
        """Add what was noted elsewhere."""
        self.absent.extend(other.absent)
        self.covers.extend(other.covers)
        self.overdue += other.overdue

    def settle(self, found: Found) -> list[str]:
        """Find what nothing covers, and return what is worth a remark."""
        covered, erased = Covered(self.covers), Covered(self.covers, "order")
        lost = 0
        for each in self.absent:
            seq, part, is_there = each >> 2, each >> 1 & 1, each & 1
            if not covered.has(seq, part):
                _find(found, seq, PARTS[part], is_there=bool(is_there))
            elif not erased.has(seq, part):
                lost += 1
        return self._remarks(lost)

    def _remarks(self, lost: int) -> list[str]:
        remarks = []
        if lost:
            remarks.append(f"{lost} openings were lost, and entries say why")
        if self.overdue:
            remarks.append(
                f"{self.overdue} openings are kept beyond their time: under a legal hold, or "
                "expiry is behind"
            )
        return remarks


def _find(found: Found, seq: int, name: str, *, is_there: bool) -> None:
    if is_there:
        found.add("opening-unreadable", seq, f"the {name} does not open")
    else:
        found.add("opening-missing", seq, f"the {name} is gone before its time")


def _merged(leaves: Iterable[Leaf]) -> list[_Range]:
    merged: list[_Range] = []
    for first, last in sorted(each for leaf in leaves for each in leaf.covered):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged
