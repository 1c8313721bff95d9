"""An unpacked file as a table of text that SQL reads, whatever it came as."""

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from billing.reconciliation.engine import Engine, Refused, text
from billing.reconciliation.errors import CdrFileError, Fault
from billing.reconciliation.mapping import CdrMapping
from billing.reconciliation.unpacking import LARGEST, Kind, Unpacked
from billing.reconciliation.workbook import Row, Workbook

# What does not look like a name may be somebody's data, and is not repeated.
_COLUMN_NAME = re.compile(r"[^\W\d][\w .-]{0,39}")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,17})?")
_EXACT = 15
_MOST_TOLD = 20
_MOST_COLUMNS = 500
# Of Parquet, where a million rows that are alike take no room; a gigabyte of CSV has no more.
MOST_ROWS = 25_000_000
_FLOATING = ("FLOAT", "DOUBLE")
_SERIAL_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 (the wall clock of a spreadsheet)
_DAYS_TO_1904 = 1462
_COUNTED = ("epoch", "epoch_ms")


@dataclass(frozen=True, slots=True)
class Table:
    """What SQL reads from.

    Shape: *types* of every column; *trailer* are the cells of the last line; *ordered* is the same
    table with the number of each row, `nth`. Units: *before* is how many lines stand before the
    first row; *rows* is how many rows there must be, None where the file itself says so.
    """

    source: str
    types: dict[str, str]
    before: int
    trailer: tuple[str, ...] | None = None
    rows: int | None = None
    ordered: str = ""
    path: Path | None = None

    def broken_line(self) -> int:
        """Return the first line on which a quotation mark stays open, 0 if there is none."""
        with (self.path or Path(os.devnull)).open("rb") as file:
            odd = (n for n, line in enumerate(file, self.before) if line.count(b'"') % 2)
            return next(odd, 0)


def of(unpacked: Unpacked, mapping: CdrMapping, engine: Engine) -> Table:
    """Return the table of an unpacked file. Raises: CdrFileError."""
    match unpacked.kind:
        case Kind.CSV:
            return _of_csv(unpacked, mapping)
        case Kind.WORKBOOK:
            return _of_workbook(unpacked, mapping)
        case Kind.PARQUET:
            return _of_parquet(unpacked, mapping, engine)


def _of_csv(unpacked: Unpacked, mapping: CdrMapping) -> Table:
    sign = mapping.delimiter
    with unpacked.path.open(encoding="utf-8", newline="") as file:
        header = _cells(file.readline(), sign, 1)
    names = _header(header, mapping, 1)
    trailer = None
    rows = unpacked.lines - 1
    if mapping.trailer:
        trailer = tuple(_cells(unpacked.last, sign, unpacked.lines))
        rows -= 1
        _marked(trailer, mapping, unpacked.lines)
    return _table(unpacked.path, names, sign, trailer, rows)


def _cells(line: str, sign: str, number: int) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=sign), [])
    except csv.Error as error:
        raise CdrFileError.whole("it cannot be read as CSV", number) from error


def _of_workbook(unpacked: Unpacked, mapping: CdrMapping) -> Table:
    """Write the first sheet as CSV, its line numbers those of the sheet."""
    book = Workbook(unpacked.path)
    path = unpacked.path.with_suffix(".sheet.csv")
    rows = book.rows()
    first = next(rows, None)
    if first is None:
        raise CdrFileError.whole("it has no header")
    names = _header([cell.strip() for cell in first.cells], mapping, first.line)
    cells = _Cells(names, mapping, book)
    line, last = first.line, None
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in rows:
            if row.line != line + 1:
                raise CdrFileError.whole("an empty row", line + 1)
            line = row.line
            if last is not None:
                writer.writerow(cells.of(last))
            last = row
            if file.tell() >= LARGEST:
                raise CdrFileError.whole("it holds too much: send the month in several files")
        trailer = None
        if mapping.trailer:
            trailer = tuple(last.cells) if last else ()
            _marked(trailer, mapping, line)
        elif last is not None:
            writer.writerow(cells.of(last))
    count = line - first.line - (mapping.trailer is not None)
    made = _table(path, names, ",", trailer, count)
    return replace(made, before=first.line)


def is_too_much(size: int, rows: int) -> bool:
    """Tell whether what a file unpacks to is more than is taken in, in bytes or in rows."""
    return size >= LARGEST or rows > MOST_ROWS


def _of_parquet(unpacked: Unpacked, mapping: CdrMapping, engine: Engine) -> Table:
    path = text(unpacked.path)
    try:
        size = engine.run(
            "SELECT sum(total_uncompressed_size), (SELECT sum(num_rows) FROM "
            f"parquet_file_metadata({path})) FROM parquet_metadata({path})"
        )
        described = engine.run(
            f"SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet({path}))"
        )
    except Refused as error:
        raise CdrFileError.whole("it is no whole Parquet file") from error
    if is_too_much(int(size[0][0] or 0), int(size[0][1] or 0)):
        raise CdrFileError.whole(
            "it unpacks to a gigabyte, or too many rows: send the month in several files"
        )
    kinds = {str(column): str(kind) for column, kind in described}
    _header(list(kinds), mapping, 0)
    if (amount := mapping.columns.amount) and kinds[amount] in _FLOATING:
        raise CdrFileError.whole(f"column {amount} counts money in floating point: send decimals")
    ordered = (
        f"SELECT file_row_number + 1 AS nth, * FROM read_parquet({path}, file_row_number = true)"
    )
    return Table(f"read_parquet({path})", kinds, 0, ordered=ordered)


def _table(
    path: Path, names: list[str], sign: str, trailer: tuple[str, ...] | None, rows: int
) -> Table:
    columns = ", ".join(f"{text(each)}: 'VARCHAR'" for each in names)
    options = (
        f"auto_detect = false, header = false, skip = 1, columns = {{{columns}}}, "
        f"delim = {text(sign)}, quote = '\"', escape = '\"', null_padding = false, "
        "max_line_size = 131072"
    )
    source = (
        f"read_csv({text(path)}, {options}, store_rejects = true, rejects_limit = {_MOST_TOLD})"
    )
    one_by_one = f"read_csv({text(path)}, {options}, parallel = false)"
    ordered = f"SELECT row_number() OVER () AS nth, * FROM {one_by_one}"
    return Table(source, dict.fromkeys(names, "VARCHAR"), 1, trailer, rows, ordered, path)


def _header(cells: list[str], mapping: CdrMapping, line: int) -> list[str]:
    """Return the names of the columns, all of which are there once.

    Raises: CdrFileError, which names the columns that are missing.
    """
    if len(cells) > _MOST_COLUMNS:
        raise CdrFileError.whole(f"more than {_MOST_COLUMNS} columns: no call records have", line)
    faults = [
        Fault(line, f"column {each} is missing") for each in mapping.read if each not in cells
    ]
    if len(faults) == len(mapping.read):
        raise CdrFileError.whole("it is not the header that [columns] names", line)
    for number, cell in enumerate(cells, start=1):
        if cell in cells[: number - 1] or not cell:
            shown = cell if _COLUMN_NAME.fullmatch(cell) else f"column {number}"
            faults.append(Fault(line, f"{shown} stands in the header twice, or has no name"))
    if len({cell.casefold() for cell in cells}) < len(cells) and not faults:
        faults.append(Fault(line, "two columns differ in upper and lower case only"))
    if faults:
        raise CdrFileError(faults)
    return cells


def _marked(trailer: tuple[str, ...], mapping: CdrMapping, line: int) -> None:
    if mapping.trailer and trailer[:1] != (mapping.trailer.mark,):
        raise CdrFileError.whole(
            f"the last line must be the trailer, beginning with {mapping.trailer.mark}: "
            "the end is missing, or it is cut",
            line,
        )


class _Cells:
    """Writes the cells of a sheet as the mapping would have them in text."""

    def __init__(self, names: list[str], mapping: CdrMapping, book: Workbook) -> None:
        self._width = len(names)
        self._ident = names.index(mapping.columns.id)
        self._at = names.index(mapping.columns.at)
        self._form = mapping.time
        self._comma = mapping.money.decimal if mapping.columns.amount else "."
        self._amount = names.index(mapping.columns.amount) if mapping.columns.amount else -1
        self._book = book

    def of(self, row: Row) -> list[str]:
        """Return the cells of a row. Raises: CdrFileError."""
        cells = row.cells + [""] * (self._width - len(row.cells))
        if len(cells) > self._width:
            raise CdrFileError.whole("more cells than the header has", row.line)
        for number in row.numbers:
            if not _NUMBER.fullmatch(cells[number]):
                cells[number] = self._rounded(cells[number], row.line)
        if self._ident in row.numbers and len(cells[self._ident]) > _EXACT:
            raise CdrFileError.whole(
                "the message id is a number, of which a spreadsheet keeps 15 digits: send text",
                row.line,
            )
        if self._at in row.numbers and self._form.format not in _COUNTED:
            cells[self._at] = self._time(cells[self._at], row.line)
        if self._amount in row.numbers:
            cells[self._amount] = self._rounded(cells[self._amount], row.line).replace(
                ".", self._comma
            )
        return cells

    def _rounded(self, number: str, line: int) -> str:
        """Write a number as a spreadsheet shows it: with 15 digits."""
        try:
            written = f"{float(number):.15g}"
        except ValueError as error:
            raise CdrFileError.whole("a number is none", line) from error
        return written

    def _time(self, serial: str, line: int) -> str:
        later = _DAYS_TO_1904 if self._book.counts_from_1904 else 0
        try:
            # A spreadsheet keeps milliseconds; what it has beyond them is rounding.
            since = timedelta(milliseconds=round((float(serial) + later) * 86_400_000))
            return (_SERIAL_DAY_0 + since).strftime(self._form.format)
        except (ValueError, OverflowError) as error:
            raise CdrFileError.whole("a number is no time", line) from error


def rejected(engine: Engine) -> Iterator[Fault]:
    """Yield the lines that are no rows of the table at all."""
    said = "SELECT DISTINCT line, error_type FROM reject_errors ORDER BY line"
    for line, kind in engine.run(said):
        yield Fault(int(line or 0), f"it has {str(kind).lower()}: not the columns of the header")
