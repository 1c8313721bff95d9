"""The minutes: what is signed says the same in a workbook, as CSV and on a page."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from zipfile import ZipFile

import pytest

from billing import lines, minutes, minutes_page, minutes_sheet
from billing.carried import Group, Section
from billing.lines import Line
from billing.statements import State, Statement
from billing.tariffs import Tariff, Tariffs
from billing.usage import Direction
from tests.billing.books import NOW, OCTOBER, PRICE, day

BODY = "Trung tâm dữ liệu"
MT = Tariff(
    operator="viettel", direction=Direction.MT, valid_from=PRICE.valid_from, price_hundredths=15_025
)


def carried(section: Section = Section.USAGE, **changes: object) -> Group:
    values = {
        "section": section, "short_code": "1900", "direction": Direction.MO, "encoding": "gsm7",
        "day": day(1), "messages": 1200, "parts": 1234,
    } | changes  # fmt: skip
    return Group(**values)  # type: ignore[arg-type]  # a test names what it changes


def priced(*groups: Group) -> tuple[Line, ...]:
    return lines.of("viettel", groups, Tariffs((PRICE, MT)))


KEPT = lines.added(
    priced(
        carried(), carried(Section.TEST), carried(Section.QUARANTINED),
        carried(direction=Direction.MT, messages=1, parts=2),
    ),
    lines.difference((), priced(carried(messages=1, parts=1)), OCTOBER.preceding),
)  # fmt: skip


def statement(kept: tuple[Line, ...] = KEPT, **changes: object) -> Statement:
    made = Statement(
        id=1, operator="viettel", period=OCTOBER, state=State.MATCHED,
        digest=lines.digest("viettel", OCTOBER, kept), net_hundredths=lines.net(kept),
        opened_by="a", opened_at=NOW, sent_by="a", sent_at=NOW, file_digest="ab" * 32,
        difference_hundredths=-50_000, reconciled_by="a", reconciled_at=NOW, agreed=None,
        closed_by=None, closed_at=None, reference=None, settled_by=None, settled_at=None,
        forgotten_at=None,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # a test names what it changes


def test_the_minutes_say_what_is_owed_and_by_whom() -> None:
    found = minutes.of(statement(), KEPT)

    # 1,234 parts less one that is taken back, of 195.46 each; two parts of 150.25 against it.
    assert found.netting == (
        ("Bên A phải trả Bên B (phần Bên B hưởng của tin đến)", 1_233 * 19_546),
        ("Bên B phải trả Bên A (cước tin trả lời)", 30_050),
    )
    assert (found.payer, found.payable) == ("Sau bù trừ, Bên A phải trả Bên B", 24_070_168)
    assert found.in_words == ("Hai trăm bốn mươi nghìn bảy trăm linh một phẩy sáu mươi tám đồng")
    assert [table.title for table in found.tables] == [
        "Sản lượng và cước trong kỳ",
        "Điều chỉnh các kỳ đã chốt",
        "Tin thử nghiệm, không tính cước",
        "Tin bị cách ly, không tính cước",
    ]
    assert ("Chênh lệch, số Bên A trừ số Bên B", "-500 đồng") in found.facts


@pytest.mark.parametrize(
    ("net", "payer"),
    [
        (-1, "Sau bù trừ, Bên B phải trả Bên A"),
        (0, "Sau bù trừ, hai bên không phải trả nhau"),
    ],
)
def test_who_pays_depends_on_the_sign(net: int, payer: str) -> None:
    assert minutes.of(statement(net_hundredths=net), KEPT).payer == payer


@pytest.mark.parametrize(
    ("hundredths", "written"),
    [(0, "0"), (123_456_700, "1.234.567"), (150, "1,50"), (-100_005, "-1.000,05")],
)
def test_sums_are_written_as_in_viet_nam(hundredths: int, written: str) -> None:
    assert minutes.amount(hundredths) == written


def test_the_page_shows_everything_and_marks_a_draft() -> None:
    found = minutes.of(statement(state=State.DRAFT), KEPT)

    page = minutes_page.page(found, "<b>Trung tâm</b>")

    assert "&lt;b&gt;Trung tâm&lt;/b&gt;" in page
    assert '<span class="draft">Dự thảo' in page
    assert "Tin đến (MO), kỳ 09/2026" in page
    assert "617.000" in page
    assert statement().digest in page
    assert found.in_words in page
    assert "<script" not in page


def test_a_month_in_which_nothing_was_carried_says_so() -> None:
    page = minutes_page.page(minutes.of(statement(()), ()), "")

    assert "Trong kỳ không có tin nào." in page
    assert "Không đồng." in page


def test_the_workbook_holds_figures_as_numbers_and_no_formula() -> None:
    made = datetime(2026, 11, 20, tzinfo=UTC)
    found = minutes.of(statement(agreed="=1+1"), KEPT)

    book = ZipFile(io.BytesIO(minutes_sheet.workbook(found, BODY, made)))

    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    texts = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert {"617000", "1234", "240701.68"} <= set(re.findall(r"<v>([^<]+)</v>", sheet))
    for text in (minutes.TITLE, BODY, "Hai bên thống nhất: =1+1", found.in_words, "1900"):
        assert text in texts


def test_the_lines_are_csv_for_excel_and_for_programs() -> None:
    excel = minutes_sheet.lines_csv(KEPT, plain=False)
    plain = list(csv.DictReader(io.StringIO(minutes_sheet.lines_csv(KEPT, plain=True))))

    assert excel.startswith("\ufeffsection;corrects;")
    assert "617000,00" in excel
    assert [row["section"] for row in plain] == [
        "usage", "usage", "correction", "test", "quarantined",
    ]  # fmt: skip
    assert (plain[0]["amount_dong"], plain[2]["amount_dong"]) == ("617000.00", "-500.00")


def test_a_number_that_would_be_a_formula_is_a_text() -> None:
    kept = priced(carried(short_code="+84900"))

    (row,) = csv.DictReader(io.StringIO(minutes_sheet.lines_csv(kept, plain=True)))

    assert row["short_code"] == "'+84900"
