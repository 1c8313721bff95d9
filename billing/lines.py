"""The lines of a statement: a pure function of what was carried and of tariffs.

Each amount is a number of parts times an amount of one part, so that lines of days, weeks or links
add up exactly to those of the whole (ADR 0021).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from billing.carried import Group, Section
from billing.periods import Period
from billing.tariffs import Tariff, Tariffs
from billing.usage import Direction

OWED = frozenset({Section.USAGE, Section.CORRECTION})
_ORDER = {section: place for place, section in enumerate(Section)}


class Rating(StrEnum):
    """Whether a price was found: UNBILLED where an operator has none of that direction at all."""

    PRICED = "priced"
    UNBILLED = "unbilled"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a line is about, and the price that held.

    Shape: *corrects* is the period that a correction is of; *valid_from* an ISO day. Both are empty
    where there is none. Units: *price_hundredths* of a dong a part, *vat_bp* and *share_bp* in
    basis points.
    """

    section: Section
    corrects: str = ""
    short_code: str
    direction: Direction
    encoding: str
    rating: Rating
    valid_from: str = ""
    price_hundredths: int = 0
    vat_bp: int = 0
    share_bp: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """Messages and parts under one set of terms, and what they come to.

    Units: *amount*, *vat* and *share* in hundredths of a dong.
    """

    terms: Terms
    messages: int
    parts: int
    amount: int
    vat: int
    share: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What lines come to.

    Units: *amount*, *vat* and *share* in hundredths of a dong.
    """

    messages: int = 0
    parts: int = 0
    amount: int = 0
    vat: int = 0
    share: int = 0


def of(operator: str, groups: Iterable[Group], tariffs: Tariffs) -> tuple[Line, ...]:
    """Price what was carried, each group by its own day."""
    return _merged(_priced(operator, group, tariffs) for group in groups)


def added(*several: Iterable[Line]) -> tuple[Line, ...]:
    """Add lines up: lines of the same terms become one."""
    return _merged(line for lines in several for line in lines)


def less(lines: Iterable[Line], others: Iterable[Line]) -> tuple[Line, ...]:
    """Take lines from lines; what is nothing then is left out."""
    left = _merged([*lines, *(_taken_back(line) for line in others)])
    return tuple(line for line in left if line.messages or line.parts)


def difference(now: Iterable[Line], before: Iterable[Line], period: Period) -> tuple[Line, ...]:
    """Return what corrects the lines of a closed period to what they would be now.

    A direction that was not billed then is not billed for want of a price now: the first that an
    operator ever has begins when it begins.
    """
    signed = list(before)
    unbilled = {line.terms.direction for line in signed if line.terms.rating is Rating.UNBILLED}
    return _merged(
        replace(line, terms=replace(line.terms, section=Section.CORRECTION, corrects=str(period)))
        for line in less((_unbilled(line, unbilled) for line in now), signed)
        if line.terms.section is Section.USAGE
    )


def total(lines: Iterable[Line], direction: Direction) -> Sum:
    """Add up what is owed of one direction."""
    return summed(
        line for line in lines if line.terms.direction is direction and line.terms.section in OWED
    )


def summed(lines: Iterable[Line]) -> Sum:
    """Add lines up, whatever their terms."""
    ours = list(lines)
    return Sum(
        sum(line.messages for line in ours),
        sum(line.parts for line in ours),
        sum(line.amount for line in ours),
        sum(line.vat for line in ours),
        sum(line.share for line in ours),
    )


def net(lines: Sequence[Line]) -> int:
    """Return what the operator owes us after netting: our share of messages in, less messages out.

    Units: hundredths of a dong; below nothing where we owe the operator.
    """
    return total(lines, Direction.MO).share - total(lines, Direction.MT).amount


def unpriced(lines: Iterable[Line]) -> list[Line]:
    """Return the lines that would be owed and have no price."""
    return [
        line
        for line in lines
        if line.terms.rating is Rating.UNPRICED and line.terms.section in OWED
    ]


def canonical(operator: str, period: Period, lines: Sequence[Line]) -> bytes:
    """Write lines down in the one way that is digested."""
    told = {"operator": operator, "period": str(period), "lines": [asdict(line) for line in lines]}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(operator: str, period: Period, lines: Sequence[Line]) -> str:
    """Return the SHA-256 of lines, in hexadecimal."""
    return hashlib.sha256(canonical(operator, period, lines)).hexdigest()


def _priced(operator: str, group: Group, tariffs: Tariffs) -> Line:
    tariff = tariffs.find(operator, group.short_code, group.direction, group.encoding, group.day)
    terms = Terms(
        section=group.section,
        short_code=group.short_code,
        direction=group.direction,
        encoding=group.encoding,
        rating=_rating(operator, group, tariffs, tariff),
    )
    if tariff is None:
        return Line(terms, group.messages, group.parts, 0, 0, 0)
    terms = replace(
        terms,
        valid_from=tariff.valid_from.isoformat(),
        price_hundredths=tariff.price_hundredths,
        vat_bp=tariff.vat_bp,
        share_bp=tariff.share_bp,
    )
    parts = group.parts
    amounts = (tariff.price_hundredths, tariff.part_vat, tariff.part_share)
    return Line(terms, group.messages, parts, *(parts * each for each in amounts))


def _rating(operator: str, group: Group, tariffs: Tariffs, tariff: Tariff | None) -> Rating:
    if tariff is not None:
        return Rating.PRICED
    is_billed = tariffs.bills(operator, group.direction)
    return Rating.UNPRICED if is_billed else Rating.UNBILLED


def _unbilled(line: Line, directions: Collection[Direction]) -> Line:
    if line.terms.rating is not Rating.UNPRICED or line.terms.direction not in directions:
        return line
    return replace(line, terms=replace(line.terms, rating=Rating.UNBILLED))


def _merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    found: dict[Terms, Line] = {}
    for line in lines:
        there = found.get(line.terms)
        found[line.terms] = line if there is None else _plus(there, line)
    return tuple(sorted(found.values(), key=_place))


def _plus(one: Line, other: Line) -> Line:
    return Line(
        one.terms,
        one.messages + other.messages,
        one.parts + other.parts,
        one.amount + other.amount,
        one.vat + other.vat,
        one.share + other.share,
    )


def _taken_back(line: Line) -> Line:
    return Line(line.terms, -line.messages, -line.parts, -line.amount, -line.vat, -line.share)


def _place(line: Line) -> tuple[object, ...]:
    terms = line.terms
    return (
        _ORDER[terms.section], terms.corrects, terms.direction, terms.short_code, terms.encoding,
        terms.valid_from, terms.price_hundredths, terms.vat_bp, terms.share_bp, terms.rating,
    )  # fmt: skip
