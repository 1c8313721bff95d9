"""The minutes of reconciliation as a workbook, and their lines as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from xlsxwriter import Workbook

from billing import minutes
from billing.lines import Line
from billing.minutes import FIRST_AMOUNT, FIRST_COUNT, FIRST_FIGURE, HEADINGS, Minutes, Row, Table
from core.clock import VIETNAM

_HUNDREDTHS = 100
_LAST = len(HEADINGS) - 1
_FORMATS: Mapping[str, dict[str, object]] = {
    "plain": {"text_wrap": True, "valign": "top"},
    "middle": {"align": "center"},
    "bold": {"bold": True},
    "title": {"bold": True, "align": "center", "font_size": 14},
    "name": {"bold": True, "align": "center"},
    "head": {
        "bold": True,
        "border": 1,
        "align": "center",
        "text_wrap": True,
        "bg_color": "#EEEEEE",
    },
    "text": {"border": 1, "valign": "top"},
    "count": {"border": 1, "num_format": "#,##0"},
    "money": {"border": 1, "num_format": "#,##0.00"},
    "text-sum": {"border": 1, "bold": True},
    "count-sum": {"border": 1, "bold": True, "num_format": "#,##0"},
    "money-sum": {"border": 1, "bold": True, "num_format": "#,##0.00"},
}
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def workbook(found: Minutes, body: str, made_at: datetime) -> bytes:
    """Write the minutes as .xlsx; *body* is who signs for our side."""
    buffer = io.BytesIO()
    book = Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    local = made_at.astimezone(VIETNAM).replace(tzinfo=None)
    book.set_properties(
        {"title": f"{minutes.TITLE} {found.operator} {found.month}", "created": local}
    )
    _Sheet(book).write(found, body)
    book.close()
    return buffer.getvalue()


def lines_csv(kept: Sequence[Line], *, plain: bool) -> str:
    """Write lines as CSV: for Vietnamese Excel, or *plain* as in RFC 4180."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="," if plain else ";")
    writer.writerow(
        ("section", "corrects", "short_code", "direction", "encoding", "rating", "valid_from",
         "price_dong", "vat_bp", "share_bp", "messages", "parts", "amount_dong", "vat_dong",
         "share_dong")
    )  # fmt: skip
    for line in kept:
        terms = line.terms
        texts = (
            terms.section, terms.corrects, terms.short_code, terms.direction, terms.encoding,
            terms.rating, terms.valid_from,
        )  # fmt: skip
        writer.writerow(
            [
                *(_safe(text) for text in texts),
                _decimal(terms.price_hundredths, plain=plain),
                terms.vat_bp,
                terms.share_bp,
                line.messages,
                line.parts,
                *(_decimal(each, plain=plain) for each in (line.amount, line.vat, line.share)),
            ]
        )
    return buffer.getvalue() if plain else "\ufeff" + buffer.getvalue()


class _Sheet:
    """The one sheet of the workbook, written from the top."""

    def __init__(self, book: Workbook) -> None:
        self._sheet: Any = book.add_worksheet("Biên bản")
        self._format: dict[str, Any] = {
            name: book.add_format({"font_name": "Times New Roman", **of})
            for name, of in _FORMATS.items()
        }
        self._at = 0
        self._sheet.set_landscape()
        self._sheet.set_paper(9)
        self._sheet.fit_to_pages(1, 0)
        self._sheet.set_footer("&RTrang &P/&N")
        for column, width in enumerate(minutes.WIDTHS):
            self._sheet.set_column(column, column, width)

    def write(self, found: Minutes, body: str) -> None:
        """Write the minutes."""
        self._across("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "name")
        self._across("Độc lập - Tự do - Hạnh phúc", "name")
        self._at += 1
        self._across(minutes.TITLE, "title")
        self._across("Dịch vụ công dân tự tra cứu hồ sơ dân cư bằng tin nhắn", "middle")
        self._across(f"Nhà mạng {found.operator} - Kỳ tháng {found.month}", "middle")
        self._across(found.state, "name")
        self._at += 1
        ours = body or "đơn vị cung cấp dịch vụ tra cứu"
        blank = "……………………"
        self._across(f"Hôm nay, ngày {blank}, căn cứ hợp đồng số {blank}, chúng tôi gồm:")
        self._across(f"Bên A: nhà mạng {found.operator}; đại diện: {blank}, chức vụ: {blank}")
        self._across(f"Bên B: {ours}; đại diện: {blank}, chức vụ: {blank}")
        for number, table in enumerate(found.tables, start=1):
            self._table(f"{number}. {table.title}", table)
        self._netting(f"{len(found.tables) + 1}. Bù trừ", found)
        self._signatures()

    def _table(self, title: str, table: Table) -> None:
        self._at += 1
        self._across(title, "bold")
        for column, heading in enumerate(HEADINGS):
            self._sheet.write_string(self._at, column, heading, self._format["head"])
        self._at += 1
        for row in table.rows:
            self._row(row, "")
        for row in table.sums:
            self._row(row, "-sum")

    def _row(self, row: Row, kind: str) -> None:
        style = self._format[f"text{kind}"]
        if len(row.label) == 1:
            self._sheet.merge_range(self._at, 0, self._at, FIRST_FIGURE, row.label[0], style)
        else:
            for column, text in enumerate(row.label):
                self._sheet.write_string(self._at, column, text, style)
            self._sheet.write_blank(self._at, FIRST_FIGURE, None, style)
        if row.price is not None:
            self._money(FIRST_FIGURE, row.price, kind)
        for column, value in enumerate(row.counts, start=FIRST_COUNT):
            self._sheet.write_number(self._at, column, value, self._format[f"count{kind}"])
        for column, value in enumerate(row.amounts, start=FIRST_AMOUNT):
            self._money(column, value, kind)
        self._at += 1

    def _money(self, column: int, hundredths: int, kind: str = "") -> None:
        style = self._format[f"money{kind}"]
        self._sheet.write_number(self._at, column, hundredths / _HUNDREDTHS, style)

    def _netting(self, title: str, found: Minutes) -> None:
        self._at += 1
        self._across(title, "bold")
        for name, value in (*found.netting, (found.payer, found.payable)):
            self._sheet.merge_range(
                self._at, 0, self._at, FIRST_AMOUNT - 1, name, self._format["text"]
            )
            self._money(FIRST_AMOUNT, value)
            self._at += 1
        self._across(f"Bằng chữ: {found.in_words}.", "bold")
        for name, fact in found.facts:
            self._across(f"{name}: {fact}")

    def _signatures(self) -> None:
        self._at += 1
        half = _LAST // 2
        for first, last, side in ((0, half, "A"), (half + 1, _LAST, "B")):
            for offset, (text, style) in enumerate(
                ((f"ĐẠI DIỆN BÊN {side}", "name"), ("(ký, ghi rõ họ tên, đóng dấu)", "middle"))
            ):
                at = self._at + offset
                self._sheet.merge_range(at, first, at, last, text, self._format[style])

    def _across(self, text: str, style: str = "plain") -> None:
        self._sheet.merge_range(self._at, 0, self._at, _LAST, "", self._format[style])
        self._sheet.write_string(self._at, 0, text, self._format[style])
        self._at += 1


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _decimal(hundredths: int, *, plain: bool) -> str:
    sign, value = "-" if hundredths < 0 else "", abs(hundredths)
    return f"{sign}{value // _HUNDREDTHS}{'.' if plain else ','}{value % _HUNDREDTHS:02}"
