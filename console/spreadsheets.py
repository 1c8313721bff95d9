"""Tables as files for spreadsheet programs, in which nothing that somebody wrote is a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter

from core.clock import VIETNAM

Cell = str | int | float | datetime | None

# What spreadsheet programs take for the beginning of a formula, the full width of it included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_DAY_AND_TIME = "dd/mm/yyyy hh:mm:ss"
_WIDEST = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, and what is to be known about it.

    Shape: *names* are those of the two sheets, of the table and of what is told about it.
    """

    names: tuple[str, str]
    about: Sequence[tuple[str, str]]
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def neutral(text: str) -> str:
    """Return a text that no spreadsheet program computes."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def csv_of(table: Table) -> bytes:
    """Write a table as Excel opens it in Viet Nam: UTF-8 with its mark, parted by semicolons."""
    about = [[name, value] for name, value in table.about]
    return b"\xef\xbb\xbf" + lines_of([*about, [], table.header, *table.rows])


def lines_of(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Write rows as the lines of such a file."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def xlsx_of(table: Table) -> bytes:
    """Write a table as a workbook: texts as texts, times as times, the header always in view."""
    file = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, {"in_memory": True, **plain}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        time = book.add_format({"num_format": _DAY_AND_TIME})
        sheet = book.add_worksheet(table.names[0])
        for column, name in enumerate(table.header):
            sheet.write_string(0, column, name, bold)
        for place, row in enumerate(table.rows, start=1):
            for column, cell in enumerate(row):
                _write(sheet, (place, column), cell, time)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.header) - 1)
        sheet.autofit(max_width=_WIDEST * 8)
        told = book.add_worksheet(table.names[1])
        for place, (name, value) in enumerate(table.about):
            told.write_string(place, 0, name, bold)
            told.write_string(place, 1, neutral(value))
        told.autofit()
    return file.getvalue()


def _write(
    sheet: xlsxwriter.worksheet.Worksheet,
    at: tuple[int, int],
    cell: Cell,
    time: xlsxwriter.format.Format,
) -> None:
    match cell:
        case None:
            pass
        case str():
            sheet.write_string(*at, neutral(cell))
        case datetime():
            sheet.write_datetime(*at, cell.astimezone(VIETNAM).replace(tzinfo=None), time)
        case int() | float():
            sheet.write_number(*at, cell)


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return neutral(cell)
        case datetime():
            return f"{cell.astimezone(VIETNAM):%d/%m/%Y %H:%M:%S}"
        case float():
            return f"{cell:.3f}".replace(".", ",")
        case int():
            return str(cell)
