"""Mappings: how one operator writes its call records, and what its contract puts up with. Data.

A mapping is a TOML file; `billing/reconciliation/mapping_file.py` reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction


class Unit(StrEnum):
    """What a file counts money in."""

    DONG = "dong"
    HUNDREDTHS = "hundredths"


class Basis(StrEnum):
    """Whose figure a contract takes a share of."""

    OURS = "ours"
    THEIRS = "theirs"
    MEAN = "mean"


class Measure(StrEnum):
    """What a contract compares."""

    AMOUNT = "amount"
    PARTS = "parts"
    RECORDS = "records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The operator's names of the columns; None where there is no such column.

    Shape: `parts` counts the parts of a message in one row; `part` numbers them, one row for each.
    """

    id: str
    direction: str
    at: str
    parts: str | None
    part: str | None
    encoding: str | None
    status: str | None
    amount: str | None

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is read, in a fixed order."""
        every = (
            self.id, self.direction, self.at, self.parts, self.part, self.encoding, self.status,
            self.amount,
        )  # fmt: skip
        return tuple(name for name in every if name is not None)


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How instants are written.

    Shape: *format* is one of strptime, or `epoch` or `epoch_ms`. Units: *zone* is how far the
    clock on the wall is ahead of UTC.
    """

    format: str
    zone: timedelta


@dataclass(frozen=True, slots=True)
class MoneyForm:
    """How amounts are written."""

    unit: Unit = Unit.DONG
    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True, slots=True)
class Trailer:
    """The last line of a file: a mark in its first cell, and sums in others, counted from 1."""

    mark: str
    records: int
    parts: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a contract puts up with.

    Units: *edge* is how far two clocks may be apart at a day's or month's end, *late* how much
    later a record may be counted; *amount* in hundredths of a dong, for each record; *share* of the
    month's figure.
    """

    edge: timedelta = timedelta(0)
    late: timedelta = timedelta(0)
    amount: int = 0
    share: Fraction = Fraction(0)
    basis: Basis = Basis.THEIRS
    measure: Measure = Measure.AMOUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class CdrMapping:
    """How one operator writes its call records.

    Shape: *expect* holds words of which one stands in every row of its column; *statuses* tells
    which words mean that a message was carried. *delimiter* is for CSV alone; *digest* is the
    SHA-256 of what it was read from, *reading* that of all but the tolerance: of what decides what
    a file is read to.
    """

    columns: Columns
    time: TimeForm
    directions: Mapping[str, str]
    encodings: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, bool] = field(default_factory=dict)
    expect: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    money: MoneyForm = MoneyForm()
    trailer: Trailer | None = None
    tolerance: Tolerance = Tolerance()
    delimiter: str = ","
    digest: str = ""
    reading: str = ""

    @property
    def read(self) -> tuple[str, ...]:
        """Every column that a file must have."""
        return (
            *self.columns.named,
            *(each for each in self.expect if each not in self.columns.named),
        )
