"""What a reconciliation leaves: a spreadsheet and a CSV file of every record that differs.

Nobody's number is in them: usage has none, and of an operator's file none is kept.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import xlsxwriter

from billing.periods import Period
from billing.reconciliation.summary import Count, Kind, Reason, Summary, Verdict
from core.clock import VIETNAM

if TYPE_CHECKING:
    from io import TextIOWrapper

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from billing.reconciliation.engine import Cell, Engine

KINDS = {
    Kind.ONLY_OURS: "Chỉ ta có",
    Kind.ONLY_THEIRS: "Chỉ họ có",
    Kind.DOUBLED: "Trùng",
    Kind.PARTS: "Khác số phần",
    Kind.PRICE: "Khác giá",
    Kind.EDGE: "Trễ kỳ",
}
REASONS = {
    Reason.CLOCK: "lệch đồng hồ ở ranh giới kỳ",
    Reason.LATE: "báo muộn, nằm ở kỳ bên",
    Reason.UNSEEN: "kỳ bên chưa nhập",
    Reason.TARIFF: "đổi giá lúc nửa đêm",
    Reason.ASIDE: "ta đã để riêng, không tính cước",
}
VERDICTS = {
    Verdict.SAME: "KHỚP: không có bản ghi nào lệch",
    Verdict.WITHIN: "LỆCH, trong mức hợp đồng cho phép",
    Verdict.DIFFERENT: "LỆCH, quá mức hợp đồng cho phép",
}
_HEAD = (
    "Loại", "Lý do", "Mã tin", "Hướng", "Lúc (ta)", "Lúc (họ)", "Phần (ta)", "Phần (họ)",
    "Tiền (ta), đồng", "Tiền (họ), đồng", "Lệch, đồng",
)  # fmt: skip
_ORDERED = (
    "SELECT class, reason, id, direction, o_at, t_at, o_parts, t_parts, o_amount, t_amount, amount "
    "FROM difference ORDER BY class, coalesce(o_at, t_at), id, direction, t_at, t_parts, t_amount"
)
# What a spreadsheet has room for under a head.
_MOST_ROWS = 1_048_575
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (the wall clock of Viet Nam, which a spreadsheet shows)
_MICROSECOND = timedelta(microseconds=1)
_AHEAD = VIETNAM.utcoffset(None)
# What a spreadsheet takes for the beginning of a formula.
COMPUTED = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Lists:
    """The files of a comparison, and where in the CSV file each class begins.

    Units: bytes.
    """

    sheet: Path
    text: Path
    places: Mapping[Kind, int]

    def within(self, folder: Path) -> "Lists":
        """Return them as they are once moved to another folder."""
        return replace(self, sheet=folder / self.sheet.name, text=folder / self.text.name)


class _Writer(Protocol):
    """What the csv module makes."""

    def writerow(self, row: Iterable[str], /) -> object:
        """Write a row."""
        ...


def names(folder: Path, operator: str, period: Period) -> Lists:
    """Return what the lists of a period are called."""
    name = f"doi-soat-{operator}-{period}"
    return Lists(folder / f"{name}.xlsx", folder / f"{name}.csv", {})


def write(duck: "Engine", summary: Summary, folder: Path) -> Lists:
    """Write the spreadsheet and the CSV file, a record at a time."""
    made = names(folder, summary.operator, summary.period)
    options = {"constant_memory": True, "tmpdir": str(folder)}
    with (
        xlsxwriter.Workbook(made.sheet, options) as book,
        made.text.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        _overview(book, summary)
        _days(book, summary)
        places = _records(duck, book, file)
    return replace(made, places=places)


def _overview(book: "Workbook", summary: Summary) -> None:
    sheet = _sheet(book, "Tóm tắt", ("Đối soát", summary.operator, str(summary.period)))
    head = _bold(book)
    dong = book.add_format({"num_format": "#,##0.00"})
    lines: list[Sequence[str | int]] = [
        ("Kết quả", VERDICTS[summary.verdict]),
        *(("Tệp nhà mạng (SHA-256)", digest) for digest in summary.files),
    ]
    if not summary.has_amounts:
        lines.append(("Tiền của họ", "tệp không có tiền: tính theo giá của ta"))
    for row, line in enumerate(lines, start=1):
        sheet.write_row(row, 0, line)
    row = len(lines) + 2
    sheet.write_row(row, 0, ("", "Tin", "Phần", "Tiền, đồng"), head)
    for label, count in (
        ("Phía ta", summary.ours),
        ("Nhà mạng", summary.theirs),
        ("Lệch (họ trừ ta)", summary.difference),
    ):
        row += 1
        sheet.write(row, 0, label)
        _put(sheet, row, 1, count, dong)
    row += 2
    sides = ("Tin (ta)", "Phần (ta)", "Tiền (ta)", "Tin (họ)", "Phần (họ)", "Tiền (họ)")
    sheet.write_row(row, 0, ("Loại", "Lý do", "Hướng", *sides), head)
    for each in summary.differences:
        row += 1
        reason = REASONS[each.reason] if each.reason else ""
        sheet.write_row(row, 0, (KINDS[each.kind], reason, each.direction.upper()))
        _put(sheet, row, 3, each.ours, dong)
        _put(sheet, row, 6, each.theirs, dong)


def _days(book: "Workbook", summary: Summary) -> None:
    head = ("Ngày", "Hướng", "Tin (ta)", "Phần (ta)", "Tiền (ta)", "Tin (họ)", "Phần (họ)")
    sheet = _sheet(book, "Theo ngày", (*head, "Tiền (họ)"))
    dong = book.add_format({"num_format": "#,##0.00"})
    date = book.add_format({"num_format": "dd/mm/yyyy"})
    for row, day in enumerate(summary.days, start=1):
        sheet.write_datetime(row, 0, day.day, date)
        sheet.write(row, 1, day.direction.upper())
        _put(sheet, row, 2, day.ours, dong)
        _put(sheet, row, 5, day.theirs, dong)


def _records(duck: "Engine", book: "Workbook", file: "TextIOWrapper") -> dict[Kind, int]:
    text: _Writer = csv.writer(file, delimiter=";")
    dong = book.add_format({"num_format": "#,##0.00"})
    time = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss.000"})
    text.writerow(_HEAD)
    sheets: dict[Kind, Worksheet] = {}
    places: dict[Kind, int] = {}
    rows = 0
    for said, reason, *cells in duck.rows(_ORDERED):
        kind = Kind(str(said))
        if kind not in sheets:
            sheets[kind], rows = _sheet(book, KINDS[kind], _HEAD), 0
            places[kind] = file.tell()
        words = (KINDS[kind], REASONS[Reason(str(reason))] if reason else "")
        text.writerow((*words, *_plain(cells)))
        rows += 1
        # What a sheet has no room for is in the CSV file.
        if rows <= _MOST_ROWS:
            _row(sheets[kind], rows, words, cells, time, dong)
    return places


def _row(
    sheet: "Worksheet",
    row: int,
    words: Sequence[str],
    cells: "Sequence[Cell]",
    time: "Format",
    dong: "Format",
) -> None:
    ident, direction, *moments, our_parts, their_parts, ours, theirs, more = cells
    for column, word in enumerate((*words, str(ident), str(direction).upper())):
        sheet.write_string(row, column, word)
    for column, moment in enumerate(moments, start=4):
        if moment is not None:
            sheet.write_datetime(row, column, _moment(int(moment)), time)
    for column, parts in enumerate((our_parts, their_parts), start=6):
        if parts is not None:
            sheet.write_number(row, column, int(parts))
    for column, amount in enumerate((ours, theirs, more), start=8):
        if amount is not None:
            sheet.write_number(row, column, int(amount) / 100, dong)


def _plain(cells: "Sequence[Cell]") -> Iterator[str]:
    """Write cells as a Vietnamese spreadsheet reads them, none of which it would compute."""
    ident, direction, *moments, our_parts, their_parts, ours, theirs, more = cells
    yield f"'{ident}" if str(ident).startswith(COMPUTED) else str(ident)
    yield str(direction).upper()
    for moment in moments:
        shown = "" if moment is None else f"{_moment(int(moment)):%d/%m/%Y %H:%M:%S,%f}"
        yield shown[:-3]
    for parts in (our_parts, their_parts):
        yield "" if parts is None else str(parts)
    for amount in (ours, theirs, more):
        yield "" if amount is None else dong_of(int(amount))


def dong_of(hundredths: int) -> str:
    """Write an amount in dong, with a decimal comma."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole},{rest:02}"


def _sheet(book: "Workbook", name: str, head: Sequence[str]) -> "Worksheet":
    sheet = book.add_worksheet(name)
    sheet.set_column(0, len(_HEAD), 20)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, head, _bold(book))
    return sheet


def _bold(book: "Workbook") -> "Format":
    return book.add_format({"bold": True, "bottom": 1})


def _put(sheet: "Worksheet", row: int, column: int, count: Count, dong: "Format") -> None:
    sheet.write_number(row, column, count.records)
    sheet.write_number(row, column + 1, count.parts)
    sheet.write_number(row, column + 2, count.amount / 100, dong)


def _moment(micro: int) -> datetime:
    return _EPOCH + micro * _MICROSECOND + _AHEAD
