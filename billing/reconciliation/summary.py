"""What a reconciliation comes to: totals of both sides, every class of difference, a verdict."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from billing.periods import Period
from billing.reconciliation.errors import ReconciliationError
from billing.reconciliation.mapping import Basis, Measure, Tolerance
from billing.usage import Direction

if TYPE_CHECKING:
    from billing.reconciliation.comparison import Sides
    from billing.reconciliation.engine import Engine


class Kind(StrEnum):
    """The classes of difference; every record that differs is in one."""

    ONLY_OURS = "only_ours"
    ONLY_THEIRS = "only_theirs"
    DOUBLED = "doubled"
    PARTS = "parts"
    PRICE = "price"
    EDGE = "edge"


class Reason(StrEnum):
    """Why a record is at an edge of the period, or on one side alone.

    Shape: the other side has it in the month beside, within what clocks may differ (CLOCK) or a
    record may be late (LATE); its month beside is not imported yet (UNSEEN); both have it, and it
    is priced by the other side of a midnight (TARIFF). We put it aside and bill nothing (ASIDE).
    """

    CLOCK = "clock"
    LATE = "late"
    UNSEEN = "unseen"
    TARIFF = "tariff"
    ASIDE = "aside"


class Verdict(StrEnum):
    """What a month's difference is to the contract."""

    SAME = "same"
    WITHIN = "within"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Count:
    """How much there is of something.

    Units: *amount* in hundredths of a dong.
    """

    records: int = 0
    parts: int = 0
    amount: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.records + other.records, self.parts + other.parts, self.amount + other.amount
        )

    def __sub__(self, other: "Count") -> "Count":
        return Count(
            self.records - other.records, self.parts - other.parts, self.amount - other.amount
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """The records of one class and reason in one direction, and what either side has of them."""

    kind: Kind
    reason: Reason | None
    direction: Direction
    records: int
    ours: Count
    theirs: Count


@dataclass(frozen=True, slots=True)
class Day:
    """What both sides have on one day of one direction."""

    day: date
    direction: Direction
    ours: Count
    theirs: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A month, compared.

    Shape: *files* are the digests of what was compared; *has_amounts* tells whether the operator's
    files have any; *mapping* is the digest of what the tolerance stands in.
    """

    operator: str
    period: Period
    files: tuple[str, ...]
    has_amounts: bool
    days: tuple[Day, ...]
    differences: tuple[Difference, ...]
    tolerance: Tolerance
    mapping: str

    @property
    def ours(self) -> Count:
        """What we have."""
        return sum((day.ours for day in self.days), Count())

    @property
    def theirs(self) -> Count:
        """What the operator has; without amounts of its own, at our prices but for what differs."""
        counted = sum((day.theirs for day in self.days), Count())
        if self.has_amounts:
            return counted
        more = sum(each.theirs.amount - each.ours.amount for each in self.differences)
        return replace(counted, amount=self.ours.amount + more)

    @property
    def digest(self) -> str:
        """The digest of the one file, or of the digests of all."""
        if len(self.files) == 1:
            return self.files[0]
        return hashlib.sha256("".join(self.files).encode()).hexdigest()

    @property
    def difference(self) -> Count:
        """What the operator has more than we."""
        return self.theirs - self.ours

    def records(self, kind: Kind) -> int:
        """Count the records of a class."""
        return sum(each.records for each in self.differences if each.kind is kind)

    @property
    def verdict(self) -> Verdict:
        """Hold the difference against the contract, exactly."""
        if not self.differences:
            return Verdict.SAME
        ours, theirs = (
            _measured(each, self.tolerance.measure) for each in (self.ours, self.theirs)
        )
        basis = {
            Basis.OURS: Fraction(ours),
            Basis.THEIRS: Fraction(theirs),
            Basis.MEAN: Fraction(ours + theirs, 2),
        }[self.tolerance.basis]
        is_within = abs(theirs - ours) <= self.tolerance.share * basis
        return Verdict.WITHIN if is_within and self.tolerance.share else Verdict.DIFFERENT


def read(duck: "Engine", operator: str, sides: "Sides") -> Summary:
    """Take the summary of a comparison from its tables.

    Raises: ReconciliationError if one of our records has no price, or the classes do not explain
    the difference of the totals.
    """
    differences = tuple(_differences(duck))
    counts: dict[tuple[date, Direction], dict[str, Count]] = {}
    has_amounts = True
    for side, direction, day, records, parts, amount, unpriced in duck.run(
        "SELECT side, direction, day, records, parts, amount, unpriced FROM daily ORDER BY ALL"
    ):
        if side == "ours" and unpriced:
            raise ReconciliationError(
                f"no price is in force for {direction} on {day}: `billing tariff import` one"
            )
        has_amounts = has_amounts and not unpriced
        found = counts.setdefault((date.fromisoformat(str(day)), Direction(str(direction))), {})
        found[str(side)] = _count(records, parts, amount)
    days = tuple(
        Day(day, direction, found.get("ours", Count()), found.get("theirs", Count()))
        for (day, direction), found in sorted(counts.items())
    )
    summary = Summary(
        operator=operator,
        period=sides.period,
        files=tuple(sorted(path.stem for path in sides.theirs)),
        has_amounts=has_amounts,
        days=days,
        differences=differences,
        tolerance=sides.tolerance,
        mapping=sides.mapping,
    )
    _see_explained(summary)
    return summary


def _differences(duck: "Engine") -> Iterable[Difference]:
    counted = ", ".join(
        f"count({side}_at), coalesce(sum({side}_parts), 0)::BIGINT, "
        f"coalesce(sum({side}_amount), 0)::BIGINT"
        for side in ("o", "t")
    )
    rows = duck.run(
        f"SELECT class, reason, direction, count(*), {counted} FROM difference "
        "GROUP BY ALL ORDER BY ALL"
    )
    for kind, reason, direction, records, *sides in rows:
        yield Difference(
            Kind(str(kind)),
            None if reason is None else Reason(str(reason)),
            Direction(str(direction)),
            int(records or 0),
            _count(*sides[:3]),
            _count(*sides[3:]),
        )


def _see_explained(summary: Summary) -> None:
    explained = sum((each.theirs - each.ours for each in summary.differences), Count())
    found = summary.difference
    is_amount_told = summary.has_amounts and summary.tolerance.amount == 0
    if (explained.records, explained.parts) != (found.records, found.parts) or (
        is_amount_told and explained.amount != found.amount
    ):
        raise ReconciliationError("the classes do not add up to the difference: report this")


def _count(*cells: object) -> Count:
    return Count(*(int(str(cell or 0)) for cell in cells))


def _measured(count: Count, measure: Measure) -> int:
    return {
        Measure.AMOUNT: count.amount,
        Measure.PARTS: count.parts,
        Measure.RECORDS: count.records,
    }[measure]


def as_json(summary: Summary) -> Mapping[str, object]:
    """Return a summary with stable keys; amounts in hundredths of a dong."""
    return {
        "operator": summary.operator,
        "period": str(summary.period),
        "verdict": summary.verdict.value,
        "files": list(summary.files),
        "digest": summary.digest,
        "mapping": summary.mapping,
        "has_amounts": summary.has_amounts,
        "ours": _told(summary.ours),
        "theirs": _told(summary.theirs),
        "difference": _told(summary.difference),
        "classes": {kind.value: summary.records(kind) for kind in Kind},
        "differences": [
            {
                "class": each.kind.value,
                "reason": each.reason.value if each.reason else None,
                "direction": each.direction.value,
                "records": each.records,
                "ours": _told(each.ours),
                "theirs": _told(each.theirs),
            }
            for each in summary.differences
        ],
        "days": [
            {
                "day": each.day.isoformat(),
                "direction": each.direction.value,
                "ours": _told(each.ours),
                "theirs": _told(each.theirs),
            }
            for each in summary.days
        ],
    }


def _told(count: Count) -> dict[str, int]:
    return {
        "records": count.records,
        "parts": count.parts,
        "amount_hundredths": count.amount,
    }
