"""Takes in an operator's file: everything in it is seen before anything of it is kept."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from billing.periods import Period
from billing.reconciliation import engine, normal, table
from billing.reconciliation.engine import Engine, text
from billing.reconciliation.errors import CdrFileError, Fault
from billing.reconciliation.mapping import CdrMapping, Unit
from billing.reconciliation.normal import Check
from billing.reconciliation.table import Table
from billing.reconciliation.unpacking import Tell, unpack

WHOLE = 1000
STEPS = 4
MOST_TOLD = 20
_UNPACKED = 300  # of the whole, which a progress is told in
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# The century that periods are of, in microseconds since 1970.
_FIRST, _LAST = (
    (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND for year in (2000, 2100)
)
# What a trailer's cells may say.
_COUNT = re.compile(r"[0-9]{1,18}")
_AMOUNT = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,6})?")
# Numbers of telephones, as operators write them: a person's, and never kept.
_TELEPHONE = r"(\+?84|0)[35789][0-9]{8}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was found right, in its normal form."""

    path: Path
    digest: str
    sums: "Sums"


@dataclass(frozen=True, slots=True)
class Sums:
    """What a file comes to.

    Shape: *carried* of the records are billed, and *first_at* and *last_at* are of those; *unread*
    counts what is wrong. Units: amounts in hundredths of a dong.
    """

    records: int
    parts: int
    amount: int
    carried: int
    carried_parts: int
    carried_amount: int
    first_at: datetime
    last_at: datetime
    unread: tuple[int, ...] = ()


def take(
    file: Path, mapping: CdrMapping, folder: Path, period: Period | None, *, tell: Tell
) -> Taken:
    """Bring a file into its normal form in *folder*, or say all that is wrong with it.

    Shape: without a *period* it may be any one month. Raises: CdrFileError.
    """
    came = unpack(
        file,
        folder,
        has_trailer=mapping.trailer is not None,
        tell=lambda done, size: tell(_UNPACKED * done // max(size, 1), WHOLE),
    )

    def tell_rest(done: int, total: int) -> None:
        tell(_UNPACKED + (WHOLE - _UNPACKED) * done // total, WHOLE)

    with engine.opened(folder, steps=STEPS, tell=tell_rest) as duck:
        rows = table.of(came, mapping, duck)
        found = normal.checks(mapping, rows.types)
        path = folder / "records.parquet"
        _normalise(duck, rows, mapping, found, path)
        if rows.rows is not None and (broken := list(table.rejected(duck))):
            raise CdrFileError(broken[:MOST_TOLD])
        sums = _sums(duck, path, mapping, found)
        _see_rows(sums, rows, duck, found)
        _see_trailer(sums, rows, mapping)
        _see_ids(duck, path, mapping)
        if not sums.carried:
            raise CdrFileError.whole("it has no record of a message that was carried")
        _see_period(duck, rows, found, path, period or _month_of(duck, path), mapping)
        if mapping.columns.part:
            path = _joined(duck, path)
    return Taken(path, came.digest, sums)


def window(period: Period, mapping: CdrMapping) -> tuple[int, int]:
    """Return from when to before when a record may stand in a period's file.

    Units: microseconds since 1970.
    """
    tolerance = mapping.tolerance
    before = max(tolerance.late, tolerance.edge)
    return micro(period.starts_at - before), micro(period.ends_at + tolerance.edge)


def micro(instant: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def _normalise(
    duck: Engine, rows: Table, mapping: CdrMapping, found: tuple[Check, ...], path: Path
) -> None:
    columns = ", ".join(
        (*(f"{each.sql} AS {each.column}" for each in found), *normal.defaults(mapping))
    )
    wanted = f"SELECT {columns} FROM {rows.source}"
    try:
        duck.run(f"COPY ({wanted}) TO {text(path)} (FORMAT parquet, COMPRESSION snappy)")
    except engine.Refused as error:
        raise CdrFileError.whole("it cannot be read as what it says it is") from error


def _joined(duck: Engine, path: Path) -> Path:
    """Make one record of the rows of a message's parts; a part that stands twice makes two."""
    made = path.with_name("joined.parquet")
    copies = (
        "SELECT *, row_number() OVER (PARTITION BY id, direction, parts ORDER BY at_us, amount) "
        f"AS copy FROM read_parquet({text(path)})"
    )
    wanted = (
        "SELECT id, direction, min(at_us) AS at_us, count(*)::INTEGER AS parts, "
        "min(encoding) AS encoding, bool_and(carried) AS carried, sum(amount)::BIGINT AS amount "
        f"FROM ({copies}) GROUP BY id, direction, copy"
    )
    duck.run(f"COPY ({wanted}) TO {text(made)} (FORMAT parquet, COMPRESSION snappy)")
    return made


def _sums(duck: Engine, path: Path, mapping: CdrMapping, found: tuple[Check, ...]) -> Sums:
    of_each = "1" if mapping.columns.part else "parts"
    unread = "".join(f", count(*) FILTER ({each.column} IS NULL)" for each in found)
    wanted = (
        f"SELECT count(*), sum({of_each})::BIGINT, sum(amount)::BIGINT, count(*) FILTER (carried), "
        f"sum({of_each}) FILTER (carried)::BIGINT, sum(amount) FILTER (carried)::BIGINT, "
        f"min(at_us) FILTER (carried), max(at_us) FILTER (carried){unread} "
        f"FROM read_parquet({text(path)})"
    )
    try:
        told = duck.run(wanted)
    except engine.Refused as error:
        raise CdrFileError.whole("its amounts come to more than can be counted") from error
    cells = [int(cell or 0) for cell in told[0]]
    records, parts, amount, carried, carried_parts, carried_amount, *ends = cells[:8]
    # What lies outside is refused with its month.
    first, last = (min(max(at, _FIRST), _LAST) for at in ends)
    return Sums(
        records=records,
        parts=parts,
        amount=amount,
        carried=carried,
        carried_parts=carried_parts,
        carried_amount=carried_amount,
        first_at=_EPOCH + first * _MICROSECOND,
        last_at=_EPOCH + last * _MICROSECOND,
        unread=tuple(cells[8:]),
    )


def _see_rows(sums: Sums, rows: Table, duck: Engine, found: tuple[Check, ...]) -> None:
    # First, for one row over two lines shifts the numbers of all that follow.
    if rows.rows is not None and sums.records != rows.rows:
        raise CdrFileError.whole("a cell begins here that holds a line break", rows.broken_line())
    if any(sums.unread):
        raise CdrFileError(sorted(_unread(duck, rows, found)))


def _unread(duck: Engine, rows: Table, found: tuple[Check, ...]) -> Iterator[Fault]:
    """Look for the lines, which takes longer than finding that there are some."""
    columns = ", ".join(f"{each.sql} AS {each.column}" for each in found)
    is_wrong = " OR ".join(f"{each.column} IS NULL" for each in found)
    which = ", ".join(f"{each.column} IS NULL" for each in found)
    looked = (
        f"SELECT nth, {which} FROM (SELECT nth, {columns} FROM ({rows.ordered})) "
        f"WHERE {is_wrong} ORDER BY nth LIMIT {MOST_TOLD}"
    )
    for nth, *wrong in duck.rows(looked):
        for each, is_so in zip(found, wrong, strict=True):
            if is_so:
                yield Fault(int(nth or 0) + rows.before, each.reason)


def _see_trailer(sums: Sums, rows: Table, mapping: CdrMapping) -> None:
    form, cells = mapping.trailer, rows.trailer
    if form is None or cells is None:
        return
    line = (rows.rows or 0) + rows.before + 1
    faults = []
    for place, what, counted in (
        (form.records, "records", sums.records),
        (form.parts, "parts", sums.parts),
        (form.amount, "hundredths of a dong", sums.amount),
    ):
        if place is None:
            continue
        told = _number(
            cells[place - 1] if place <= len(cells) else "", mapping, place == form.amount
        )
        if told is None:
            faults.append(Fault(line, f"the trailer's cell {place} is no number of {what}"))
        elif told != counted:
            faults.append(Fault(line, f"the trailer says {told} {what}, the lines have {counted}"))
    if faults:
        raise CdrFileError(faults)


def _number(cell: str, mapping: CdrMapping, is_amount: bool) -> int | None:  # noqa: FBT001 (one of two ways to read a cell)
    if not is_amount:
        return int(cell) if _COUNT.fullmatch(cell) else None
    form = mapping.money
    plain = cell.replace(form.thousands, "") if form.thousands else cell
    if form.decimal != ".":
        plain = plain.replace(".", "?").replace(form.decimal, ".")
    if not _AMOUNT.fullmatch(plain):
        return None
    value = Decimal(plain) * (1 if form.unit is Unit.HUNDREDTHS else 100)
    return int(value) if value == int(value) else None


def _see_ids(duck: Engine, path: Path, mapping: CdrMapping) -> None:
    """Refuse a column of telephones in the place of the ids: they would be kept."""
    told = duck.run(
        f"SELECT count(*) FILTER (regexp_full_match(id, '{_TELEPHONE}')) * 2 > count(*) FROM "
        f"(SELECT id FROM read_parquet({text(path)}) LIMIT 10000)"
    )
    if told[0][0]:
        raise CdrFileError.whole(f"column {mapping.columns.id} holds telephones, not message ids")


def _month_of(duck: Engine, path: Path) -> Period:
    told = duck.run(
        f"SELECT approx_quantile(at_us, 0.5)::BIGINT FROM read_parquet({text(path)}) WHERE carried"
    )
    at = int(told[0][0] or 0)
    if not _FIRST <= at < _LAST:
        raise CdrFileError.whole("most of its times are of another century")
    return Period.of(_EPOCH + at * _MICROSECOND)


def _see_period(
    duck: Engine, rows: Table, found: tuple[Check, ...], path: Path, period: Period,
    mapping: CdrMapping,
) -> None:  # fmt: skip
    first, last = window(period, mapping)
    outside = f"(at_us < {first} OR at_us >= {last})"
    told = duck.run(f"SELECT count(*) FILTER ({outside}), count(*) FROM read_parquet({text(path)})")
    strays, records = (int(cell or 0) for cell in told[0])
    if not strays:
        return
    if strays * 2 > records:
        theirs = _month_of(duck, path)
        raise CdrFileError.whole(f"it is the file of {theirs}, not of {period}")
    sql = next(each.sql for each in found if each.column == "at_us")
    looked = (
        f"SELECT nth FROM (SELECT nth, {sql} AS at_us FROM ({rows.ordered})) WHERE {outside} "
        f"ORDER BY nth LIMIT {MOST_TOLD}"
    )
    reason = f"column {mapping.columns.at} lies outside {period} by more than the contract has"
    raise CdrFileError([Fault(int(row[0] or 0) + rows.before, reason) for row in duck.rows(looked)])
