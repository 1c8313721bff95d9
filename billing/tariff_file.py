"""Files of tariffs: CSV in, all or nothing, and what taking one would change."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from billing import tariffs
from billing.errors import TariffError, TariffFileError
from billing.periods import Period
from billing.tariffs import ANY_SHORT_CODE, WHOLE, Encoding, Tariff, Timeline
from billing.usage import LONGEST_SHORT_CODE, Direction

NEEDED = (
    "operator", "short_code", "direction", "encoding", "valid_from", "valid_to", "price_hundredths",
)  # fmt: skip
OPTIONAL = ("vat_bp", "share_bp")
LARGEST = 1024 * 1024  # bytes
_DEAREST = 100_000_000  # a million dong
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A price, and the line of the file that sets it."""

    line: int
    tariff: Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What taking a file would come to: the prices after it, and how many it changes."""

    after: tuple[Tariff, ...]
    added: int
    ended: int
    corrected: int
    unchanged: int

    @property
    def changes(self) -> bool:
        """Tell whether anything would be other than it is."""
        return bool(self.added or self.ended or self.corrected)


def read(content: bytes, operators: Collection[str]) -> list[Row]:
    """Read a file of tariffs of these operators.

    Raises: TariffFileError naming every line that is wrong.
    """
    lines = _lines(content)
    faults: list[tuple[int, str]] = []
    rows = []
    for line, cells in lines:
        try:
            rows.append(Row(line, _tariff(cells, operators)))
        except ValueError as error:
            faults.append((line, str(error)))
    if faults:
        raise TariffFileError(faults)
    if not rows:
        raise TariffFileError([(0, "there is no price in it")])
    return rows


def plan(
    known: Iterable[Tariff],
    rows: Sequence[Row],
    today: date,
    *,
    correct: bool,
    sent: Mapping[str, Collection[Period]],
) -> Plan:
    """Say what prices would be after a file; *correct* lets it change what holds already.

    Shape: *sent* holds the months of which each operator was sent a statement. Raises:
    TariffFileError naming every line that overlaps, leaves a gap, or changes the past.
    """
    if found := _overlaps(rows):
        raise TariffFileError(sorted(found))
    before = set(known)
    after, faults = list(before), list[tuple[int, str]]()
    for row in sorted(rows, key=lambda row: row.tariff.valid_from):
        if row.tariff in before:
            continue
        why = _changes_the_past(before, row.tariff, today) or _prices_anew(row.tariff, sent)
        if why and not correct:
            faults.append((row.line, why))
            continue
        try:
            after = tariffs.put(after, row.tariff)
        except TariffError as error:
            faults.append((row.line, str(error)))
    if not faults:
        faults = _gaps(after, {row.tariff: row.line for row in rows})
    if faults:
        raise TariffFileError(sorted(set(faults)))
    return _counted(before, after, rows)


def gaps(known: Iterable[Tariff]) -> Iterator[tuple[Tariff, Tariff]]:
    """Yield each price and the next of the same thing that does not begin on the day after it."""
    timelines: dict[Timeline, list[Tariff]] = {}
    for tariff in known:
        for timeline in tariff.timelines:
            timelines.setdefault(timeline, []).append(tariff)
    for found in timelines.values():
        for one, other in pairwise(sorted(found, key=lambda tariff: tariff.valid_from)):
            if one.valid_to is None or one.valid_to + _DAY != other.valid_from:
                yield one, other


def unfollowed(known: Iterable[Tariff], today: date) -> list[Tariff]:
    """Return the prices that hold today or later, end, and are followed by none."""
    ours = list(known)
    begun = {(timeline, tariff.valid_from) for tariff in ours for timeline in tariff.timelines}
    return [
        tariff
        for tariff in ours
        if tariff.valid_to is not None
        and tariff.valid_to >= today
        and any((timeline, tariff.valid_to + _DAY) not in begun for timeline in tariff.timelines)
    ]


def _counted(before: set[Tariff], after: Sequence[Tariff], rows: Sequence[Row]) -> Plan:
    places = {(*tariff.key, tariff.valid_from) for tariff in before}
    wanted = {row.tariff for row in rows}
    new = set(after) - before
    corrected = [t for t in new & wanted if (*t.key, t.valid_from) in places]
    return Plan(
        after=tuple(after),
        added=len(new & wanted) - len(corrected),
        ended=len(new - wanted),
        corrected=len(corrected),
        unchanged=len(wanted & before),
    )


def _changes_the_past(before: Iterable[Tariff], wanted: Tariff, today: date) -> str:
    """Say what would be other than it was on a day that is over; empty where nothing would."""
    if wanted.valid_from >= today:
        return ""
    # The price of a number goes before that for any, and so changes it.
    held = {
        (whose, code, direction, encoding)
        for whose, one, direction, encoding in wanted.timelines
        for code in (one, ANY_SHORT_CODE)
    }
    for tariff in before:
        begins = max(tariff.valid_from, wanted.valid_from)
        meets = all(each.valid_to is None or each.valid_to >= begins for each in (tariff, wanted))
        if meets and begins < today and held.intersection(tariff.timelines):
            return (
                f"it changes the price from {tariff.valid_from} on days that are over: "
                "--correct does, and corrects closed months in the next"
            )
    return ""


def _prices_anew(wanted: Tariff, sent: Mapping[str, Collection[Period]]) -> str:
    """Say which month was sent without this price; empty where none was.

    What had no price then is in its statement as not billed, or was not carried at all.
    """
    for period in sorted(sent.get(wanted.operator, ())):
        ends = wanted.valid_to is not None and wanted.valid_to < period.first_day
        if wanted.valid_from <= period.last_day and not ends:
            return (
                f"it prices days of {period}, of which a statement was sent without it: "
                "--correct does, and corrects closed months in the next"
            )
    return ""


def _overlaps(rows: Sequence[Row]) -> list[tuple[int, str]]:
    found = []
    ordered = sorted(rows, key=lambda row: row.tariff.valid_from)
    for place, row in enumerate(ordered):
        for later in ordered[place + 1 :]:
            end = row.tariff.valid_to
            meets = end is None or end >= later.tariff.valid_from
            if meets and set(row.tariff.timelines) & set(later.tariff.timelines):
                found.append((later.line, f"it overlaps line {row.line}"))
    return found


def _gaps(after: Iterable[Tariff], lines: Mapping[Tariff, int]) -> list[tuple[int, str]]:
    return [
        (
            lines.get(other, lines.get(one, 0)),
            f"a gap between {one.valid_to} and {other.valid_from}: no price would hold",
        )
        for one, other in gaps(after)
    ]


def _lines(content: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    if len(content) > LARGEST:
        raise TariffFileError([(0, f"the file is larger than {LARGEST} bytes")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TariffFileError([(line, "not UTF-8")]) from error
    head = text.partition("\n")[0]
    delimiter = ";" if ";" in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [cell.strip() for cell in next(reader, [])]
        _check(columns)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, _named(columns, cells, reader.line_num)
    except csv.Error as error:
        raise TariffFileError([(reader.line_num, f"not CSV ({error})")]) from error


def _check(columns: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    strange = [name for name in columns if name not in (*NEEDED, *OPTIONAL)]
    if missing:
        raise TariffFileError([(1, f"columns are missing: {', '.join(missing)}")])
    if strange or len(set(columns)) < len(columns):
        known = ", ".join((*NEEDED, *OPTIONAL))
        raise TariffFileError([(1, f"the columns are {known}, each once")])


def _named(columns: Sequence[str], cells: Sequence[str], line: int) -> Mapping[str, str]:
    if len(cells) != len(columns):
        raise TariffFileError([(line, f"{len(cells)} cells, and {len(columns)} columns")])
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}


def _tariff(cells: Mapping[str, str], operators: Collection[str]) -> Tariff:
    if cells["operator"] not in operators:
        raise ValueError("no link is of this operator")
    made = Tariff(
        operator=cells["operator"],
        short_code=_short_code(cells["short_code"]),
        direction=Direction(_one_of(cells["direction"], "direction", tuple(Direction))),
        encoding=Encoding(_one_of(cells["encoding"], "encoding", tuple(Encoding))),
        valid_from=_day(cells["valid_from"], "valid_from"),
        valid_to=_day(cells["valid_to"], "valid_to") if cells["valid_to"] else None,
        price_hundredths=_whole(cells["price_hundredths"], "price_hundredths", _DEAREST),
        vat_bp=_whole(cells.get("vat_bp") or "0", "vat_bp", WHOLE),
        share_bp=_whole(cells.get("share_bp") or "0", "share_bp", WHOLE),
    )
    if made.valid_to is not None and made.valid_to < made.valid_from:
        raise ValueError("valid_to is before valid_from")
    if made.direction is Direction.MT and made.share_bp:
        raise ValueError("share_bp is of messages to us (mo): of replies there is none")
    return made


def _short_code(text: str) -> str:
    if text == ANY_SHORT_CODE:
        return text
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and len(text) <= LONGEST_SHORT_CODE):
        raise ValueError(f"short_code is a number, or {ANY_SHORT_CODE} for any")
    return text


def _one_of(text: str, column: str, words: Sequence[str]) -> str:
    if text not in words:
        raise ValueError(f"{column} is one of {', '.join(words)}")
    return text


def _day(text: str, column: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or text != found.isoformat():
        raise ValueError(f"{column} is a day, written as 2026-10-31")
    return found


def _whole(text: str, column: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(most)) + 3) or (
        int(text) > most
    ):
        raise ValueError(f"{column} is a whole number from 0 to {most}")
    return int(text)
