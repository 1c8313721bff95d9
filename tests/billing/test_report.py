import csv
from pathlib import Path
from zipfile import ZipFile

from billing.reconciliation import report
from tests.billing.months import NOON, OLD, Record, at, held, month

MIDDAY = month(60)[4:56]


def test_every_record_that_differs_is_listed_for_people_and_for_spreadsheets(
    tmp_path: Path,
) -> None:
    theirs = [at(MIDDAY[0], amount=MIDDAY[0].price + 5), *MIDDAY[1:], Record(id="-1+1", at=NOON)]

    with held(tmp_path, MIDDAY, theirs) as found:
        made = report.write(found.duck, found.summary, tmp_path)

    head, *rows = csv.reader(made.text.read_text("utf-8-sig").splitlines(), delimiter=";")
    assert (len(head), len(rows)) == (11, 2)
    # A cell that a spreadsheet would take for a sum is marked as text.
    assert rows[0] == [
        "Chỉ họ có", "", "'-1+1", "MO", "", "10/10/2026 12:00:00,000", "", "1", "",
        f"{OLD // 100},00", f"{OLD // 100},00",
    ]  # fmt: skip
    assert (rows[1][0], rows[1][2], rows[1][-1]) == ("Khác giá", MIDDAY[0].id, "0,05")
    with ZipFile(made.sheet) as packed:
        pages = [packed.read(name).decode() for name in packed.namelist() if "sheets/" in name]
    assert len(pages) == 4
    assert not any("<f>" in page for page in pages)


def test_a_month_without_fault_lists_nothing(tmp_path: Path) -> None:
    with held(tmp_path, MIDDAY, MIDDAY) as found:
        made = report.write(found.duck, found.summary, tmp_path)

    assert len(made.text.read_text("utf-8-sig").splitlines()) == 1
