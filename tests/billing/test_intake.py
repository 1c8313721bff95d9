import gzip
import hashlib
import zlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import xlsxwriter

from billing.periods import Period
from billing.reconciliation import engine, intake, mapping_file, table
from billing.reconciliation.engine import text
from billing.reconciliation.errors import CdrFileError
from billing.reconciliation.unpacking import LARGEST
from tests.billing.months import (
    HEADER,
    MAPPING,
    OCTOBER,
    TRAILER,
    Record,
    at,
    cells,
    csv_of,
    mapping,
    month,
    take,
    trailer_of,
)

MONTH = month(20)
ROWS = [cells(each) for each in MONTH]
FILE = csv_of(ROWS)
ALL = {
    "records": len(MONTH),
    "parts": sum(each.parts for each in MONTH),
    "amount": sum(each.price for each in MONTH),
}


def sums_of(folder: Path, content: bytes, more: str = "") -> dict[str, int]:
    sums = take(content, folder, mapping(more)).sums
    return {"records": sums.records, "parts": sums.parts, "amount": sums.amount}


def faults(folder: Path, content: bytes, more: str = "", period: Period | None = OCTOBER) -> str:
    with pytest.raises(CdrFileError) as refused:
        take(content, folder, mapping(more), period)
    left = {path.name for path in folder.iterdir()}
    assert "joined.parquet" not in left
    return str(refused.value)


def with_cell(row: int, column: str, value: str) -> bytes:
    rows = [list(each) for each in ROWS]
    rows[row][HEADER.index(column)] = value
    return csv_of(rows)


def sheet(path: Path, rows: Sequence[Sequence[object]]) -> bytes:
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy hh:mm:ss"}) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return path.read_bytes()


def parquet(folder: Path, sql: str) -> bytes:
    folder.mkdir(exist_ok=True)
    path = folder / "made.parquet"
    with engine.opened(folder) as duck:
        duck.run(f"COPY ({sql}) TO {text(path)} (FORMAT parquet)")
    return path.read_bytes()


def test_plain_gzip_and_split_gzip_are_one_file(tmp_path: Path) -> None:
    half = len(FILE) // 2
    packed = [FILE, gzip.compress(FILE), gzip.compress(FILE[:half]) + gzip.compress(FILE[half:])]

    assert [sums_of(tmp_path / str(n), each) for n, each in enumerate(packed)] == [ALL] * 3


def test_a_file_is_known_by_the_digest_it_came_with(tmp_path: Path) -> None:
    assert take(FILE, tmp_path).digest == hashlib.sha256(FILE).hexdigest()


def test_a_spreadsheet_is_read_with_its_times_and_numbers(tmp_path: Path) -> None:
    typed = [
        [*row[:2], datetime.fromisoformat(row[2]), int(row[3]), 0, row[5], float(row[6]), 1414]
        for row in ROWS
    ]
    texts = sheet(tmp_path / "texts.xlsx", [HEADER, *ROWS])
    values = sheet(tmp_path / "values.xlsx", [HEADER, *typed])

    assert sums_of(tmp_path / "a", texts) == sums_of(tmp_path / "b", values) == ALL
    first = take(values, tmp_path / "c").sums.first_at
    assert abs(first - MONTH[0].at) < timedelta(milliseconds=1)


def test_parquet_is_read_with_its_types(tmp_path: Path) -> None:
    rows = ", ".join(f"({', '.join(text(cell) for cell in row)})" for row in ROWS)
    table = f"(VALUES {rows}) v({', '.join(HEADER)})"
    typed = (
        "SELECT * REPLACE (SUBMIT_TIME::TIMESTAMP AS SUBMIT_TIME, PARTS::TINYINT AS PARTS, "
        f"AMOUNT::DECIMAL(12, 2) AS AMOUNT, SHORT_CODE::INTEGER AS SHORT_CODE) FROM {table}"
    )

    made = parquet(tmp_path / "a", typed)

    assert sums_of(tmp_path / "b", made) == ALL


def test_a_row_for_each_part_makes_one_record(tmp_path: Path) -> None:
    by_part = mapping_file.parse(MAPPING.replace('parts = "PARTS"', 'part = "PARTS"'))
    rows = [
        [*row[:3], str(part), *row[4:6], "350.00", row[7]]
        for row, record in zip(ROWS, MONTH, strict=True)
        for part in range(1, record.parts + 1)
    ]
    twice = [*rows, rows[0]]

    once, again = (
        take(csv_of(each), tmp_path / str(n), by_part) for n, each in enumerate((rows, twice))
    )

    assert once.sums.parts == ALL["parts"]
    assert _count(once.path) == (len(MONTH), ALL["parts"], ALL["parts"] * 35_000)
    assert _count(again.path) == (len(MONTH) + 1, ALL["parts"] + 1, (ALL["parts"] + 1) * 35_000)


def _count(records: Path) -> tuple[object, ...]:
    with engine.opened(records.parent) as duck:
        return duck.run(
            "SELECT count(*), sum(parts)::BIGINT, sum(amount)::BIGINT "
            f"FROM read_parquet({text(records)})"
        )[0]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ('format = "%d/%m/%Y %H:%M:%S"\nzone = "+07:00"', "10/10/2026 12:00:00"),
        ('format = "%Y-%m-%dT%H:%M:%S%z"', "2026-10-10T12:00:00+07:00"),
        ('format = "epoch"', "1791608400"),
        ('format = "epoch_ms"', "1791608400000"),
    ],
)
def test_times_are_read_as_they_are_written(tmp_path: Path, form: str, written: str) -> None:
    told = MAPPING.replace('format = "%Y-%m-%d %H:%M:%S.%f"\nzone = "+07:00"', form)
    record = Record(id="one")
    row = cells(record)
    row[2] = written

    assert take(csv_of([row]), tmp_path, mapping_file.parse(told)).sums.first_at == record.at


@pytest.mark.parametrize(
    ("form", "written", "hundredths"),
    [
        ("", "350.5", 35_050),
        ('[amount]\ndecimal = ","\nthousands = "."', "1.234.567,89", 123_456_789),
        ('[amount]\nunit = "hundredths"', "35050", 35_050),
    ],
)
def test_amounts_are_exact(tmp_path: Path, form: str, written: str, hundredths: int) -> None:
    row = cells(Record(id="one"))
    row[6] = written

    assert take(csv_of([row]), tmp_path, mapping(f"\n{form}\n")).sums.amount == hundredths


def test_a_trailer_that_adds_up_is_taken(tmp_path: Path) -> None:
    ended = FILE + (",".join(trailer_of(MONTH)) + "\n").encode()

    assert sums_of(tmp_path, ended, TRAILER) == ALL


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({1: "21"}, "line 22: the trailer says 21 records, the lines have 20"),
        ({2: "1"}, "line 22: the trailer says 1 parts, the lines have 24"),
        ({3: "0.01"}, "line 22: the trailer says 1 hundredths of a dong"),
        ({3: "much"}, "line 22: the trailer's cell 4 is no number"),
        ({2: "-24"}, "line 22: the trailer's cell 3 is no number"),
        ({0: "END"}, "line 22: the last line must be the trailer"),
    ],
)
def test_a_broken_trailer_is_refused(tmp_path: Path, change: dict[int, str], reason: str) -> None:
    cells = [change.get(place, cell) for place, cell in enumerate(trailer_of(MONTH))]

    assert reason in faults(tmp_path, FILE + (",".join(cells) + "\n").encode(), TRAILER)


def test_a_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    short = csv_of(ROWS[:-1]) + (",".join(trailer_of(MONTH)) + "\n").encode()

    assert "line 21: the last line must be the trailer" in faults(tmp_path / "a", FILE, TRAILER)
    assert "line 21: the trailer says 20 records, the lines have 19" in faults(
        tmp_path / "b", short, TRAILER
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not the header"),
        (csv_of(ROWS, [f"X{name}" for name in HEADER]), "line 1: it is not the header"),
        (csv_of(ROWS, [*HEADER[:-2], "COST", "SHORT_CODE"]), "line 1: column AMOUNT is missing"),
        (csv_of(ROWS, [*HEADER[:-1], "PARTS"]), "line 1: column SHORT_CODE is missing"),
        (csv_of([*ROWS[:4], ROWS[4][:-1], *ROWS[5:]]), "line 6: it has missing columns"),
        (csv_of([*ROWS[:4], [*ROWS[4], "0912345678"], *ROWS[5:]]), "line 6: it has too many"),
        (FILE[:-20], "line 21: it has missing columns"),
        (FILE.decode().encode("utf-16"), "line 1: it is UTF-16"),
        (FILE.replace(b"op-000003", b"tin-s\xf4-3"), "line 5: it is not UTF-8"),
        (FILE.replace(b"op-000003", b"op\x00"), "line 5: a zero byte"),
        (FILE.replace(b"op-000003", b"op\r3"), "line 5: a carriage return"),
        (FILE.replace(b"op-000003", b"op-000003\xc4\x91"), "line 5: column MSG_ID must be"),
        (FILE.replace(b"\nop-000003", b"\n\nop-000003"), "line 5: an empty line"),
        (with_cell(2, "MSG_ID", '=HYPERLINK("x")'), "line 4: column MSG_ID must be 1 to 100"),
        (with_cell(2, "MSG_ID", "a\nb"), "line 4: a cell begins here"),
        (with_cell(2, "DIR", "BOTH"), "line 4: column DIR holds a word"),
        (with_cell(2, "SUBMIT_TIME", "2026-02-30 00:00:00.0"), "line 4: column SUBMIT_TIME is no"),
        (with_cell(2, "SUBMIT_TIME", "2026-12-30 00:00:00.0"), "line 4: column SUBMIT_TIME lies"),
        (with_cell(2, "PARTS", "0"), "line 4: column PARTS must be a whole number"),
        (with_cell(2, "PARTS", "1.6"), "line 4: column PARTS must be a whole number"),
        (with_cell(2, "STATUS", "LOST"), "line 4: column STATUS holds a word"),
        (with_cell(2, "AMOUNT", "350.005"), "line 4: column AMOUNT is no amount"),
        (with_cell(2, "AMOUNT", "3e2"), "line 4: column AMOUNT is no amount"),
        (with_cell(2, "SHORT_CODE", "8079"), "line 4: column SHORT_CODE says"),
        (csv_of([[f"84912345{n:03}", *row[1:]] for n, row in enumerate(ROWS)]), "telephones"),
        (csv_of([cells(at(each, status="REJECTD")) for each in MONTH]), "no record of"),
        (csv_of(ROWS[:1]).replace(b"DELIVRD", b"DELIVRD" * 20_000), "it has"),
        (b"a" * 200_000, "line 1: the line has no end"),
        (gzip.compress(FILE)[:-12], "ends too early"),
        (gzip.compress(FILE)[:60] + b"garbage" * 9, "gzip is broken"),
        (gzip.compress(gzip.compress(FILE)), "it is packed twice"),
        (b"PK\x03\x04" + bytes(range(64)), "no whole .xlsx file"),
        (b"PAR1" + bytes(range(64)), "no whole Parquet file"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_line_and_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    said = faults(tmp_path, content)

    assert reason in said
    assert "0912345678" not in said


def test_another_months_file_is_named(tmp_path: Path) -> None:
    assert (
        faults(tmp_path, FILE, period=Period(2026, 9))
        == "it is the file of 2026-10, not of 2026-09"
    )


def test_a_file_without_a_period_is_of_its_own(tmp_path: Path) -> None:
    assert take(FILE, tmp_path, period=None).sums.records == len(MONTH)


def test_a_gigabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cdr"
    with file.open("wb") as sparse:
        sparse.truncate(LARGEST)

    with pytest.raises(CdrFileError, match="a gigabyte or more"):
        intake.take(file, mapping(), tmp_path, OCTOBER, tell=lambda _, __: None)


def test_a_bomb_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, wbits=31)
    line = csv_of(ROWS[:1])
    bomb = packer.compress(line) + packer.compress((b"0" * 80 + b"\n") * 400_000) + packer.flush()

    assert "more than 100 times its size" in faults(tmp_path, bomb)
    assert (tmp_path / "came.csv").stat().st_size < 32 * 1024 * 1024


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([HEADER, ROWS[0], ["=1+1", *ROWS[1][1:]]], "line 3: column 1 holds a formula"),
        ([HEADER, ROWS[0], [], ROWS[1]], "line 3: an empty row"),
        ([HEADER, [*ROWS[0], "more"]], "line 2: more cells than the header has"),
        ([HEADER, [12345678901234567, *ROWS[0][1:]]], "line 2: the message id is a number"),
        ([HEADER[1:], ROWS[0]], "line 1: column MSG_ID is missing"),
        ([HEADER, ROWS[0], [*ROWS[1][:3], "many", *ROWS[1][4:]]], "line 3: column PARTS must be"),
        ([], "it has no header"),
    ],
)
def test_a_bad_spreadsheet_is_refused(
    tmp_path: Path, rows: list[list[object]], reason: str
) -> None:
    assert reason in faults(tmp_path / "in", sheet(tmp_path / "made.xlsx", rows))


def test_a_spreadsheet_that_is_a_bomb_or_defines_entities_is_refused(tmp_path: Path) -> None:
    good = tmp_path / "good.xlsx"
    sheet(good, [HEADER, *ROWS])
    entities = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    for name, member, content in (
        ("bomb", "xl/big.xml", b" " * 32_000_000),
        ("entities", "xl/workbook.xml", entities),
    ):
        with ZipFile(good) as old, ZipFile(tmp_path / name, "w", ZIP_DEFLATED) as new:
            for each in old.namelist():
                if each != member:
                    new.writestr(each, old.read(each))
            new.writestr(member, content)

    assert "more than 100 times" in faults(tmp_path / "a", (tmp_path / "bomb").read_bytes())
    assert "document type" in faults(tmp_path / "b", (tmp_path / "entities").read_bytes())


def test_money_in_floating_point_is_refused(tmp_path: Path) -> None:
    rows = ", ".join(f"({', '.join(text(cell) for cell in row)})" for row in ROWS)
    floating = (
        f"SELECT * REPLACE (AMOUNT::DOUBLE AS AMOUNT) FROM (VALUES {rows}) v({', '.join(HEADER)})"
    )

    assert "floating point" in faults(tmp_path / "b", parquet(tmp_path / "a", floating))


def sheet_with(tmp_path: Path, column: str, cell: str) -> bytes:
    """Return a sheet of one record with a cell that no spreadsheet writes."""
    head, cells = (
        [f'<c t="inlineStr"><is><t>{each}</t></is></c>' for each in row]
        for row in (HEADER, ROWS[0])
    )
    cells[HEADER.index(column)] = cell
    rows = f'<row r="1">{"".join(head)}</row><row r="2">{"".join(cells)}</row>'
    written = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
    sheet(tmp_path / "made.xlsx", [HEADER, ROWS[0]])
    path = tmp_path / "changed.xlsx"
    with ZipFile(tmp_path / "made.xlsx") as made, ZipFile(path, "w", ZIP_DEFLATED) as changed:
        for name in made.namelist():
            is_sheet = name.startswith("xl/worksheets/")
            changed.writestr(name, written if is_sheet else made.read(name))
    return path.read_bytes()


@pytest.mark.parametrize("number", ["1e300", "1E400", "nan", "-inf", "1e17"])
def test_a_number_that_is_no_time_is_refused_with_its_line(tmp_path: Path, number: str) -> None:
    content = sheet_with(tmp_path, "SUBMIT_TIME", f"<c><v>{number}</v></c>")

    assert faults(tmp_path / "a", content) == "line 2: a number is no time"


def test_a_place_in_a_sheet_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    content = sheet_with(tmp_path, "MSG_ID", f'<c t="s"><v>{"9" * 5000}</v></c>')

    assert faults(tmp_path / "a", content) == "it is no whole .xlsx file"


def test_a_spreadsheet_with_any_byte_broken_is_refused_or_read(tmp_path: Path) -> None:
    made = sheet(tmp_path / "made.xlsx", [HEADER, *ROWS])
    for number, at_byte in enumerate(range(0, len(made), len(made) // 60)):
        broken = bytearray(made)
        broken[at_byte] ^= 0x55
        with suppress(CdrFileError):
            take(bytes(broken), tmp_path / str(number))


def test_a_line_longer_than_a_cell_may_be_is_refused(tmp_path: Path) -> None:
    header = b"x" * 200_000 + b"," + FILE
    told = FILE + b"TRAILER," + b"9" * 200_000 + b"\n"

    assert faults(tmp_path / "a", header) == "line 1: it cannot be read as CSV"
    last = len(ROWS) + 2
    assert faults(tmp_path / "b", told, TRAILER) == f"line {last}: it cannot be read as CSV"


def test_a_header_of_thousands_of_columns_is_refused(tmp_path: Path) -> None:
    wide = ",".join(f"c{number}" for number in range(20_000)).encode() + b"," + FILE

    assert faults(tmp_path, wide) == "line 1: more than 500 columns: no call records have"


@pytest.mark.parametrize("place", [1, 3])
@pytest.mark.parametrize("number", ["9" * 5000, "1e999990", "sNaN", "-1"])
def test_a_trailer_that_says_no_number_is_refused(tmp_path: Path, number: str, place: int) -> None:
    cells = ["TRAILER", str(len(ROWS)), str(ALL["parts"]), str(ALL["amount"] // 100)]
    cells[place] = number
    last = f"line {len(ROWS) + 2}: the trailer's cell {place + 1} is no number"

    assert faults(tmp_path, FILE + ",".join(cells).encode() + b"\n", TRAILER).startswith(last)


def test_amounts_that_nobody_can_add_up_are_refused(tmp_path: Path) -> None:
    row = list(ROWS[0])
    row[HEADER.index("AMOUNT")] = "999999999999.99"

    told = faults(tmp_path, csv_of([row] * 95_000))

    assert told == "its amounts come to more than can be counted"


@pytest.mark.parametrize("period", [OCTOBER, None])
@pytest.mark.parametrize("written", ["0001-01-01", "9999-12-31"])
def test_times_of_another_century_are_refused(
    tmp_path: Path, written: str, period: Period | None
) -> None:
    row = list(ROWS[0])
    row[HEADER.index("SUBMIT_TIME")] = f"{written} 23:00:00.000"

    assert faults(tmp_path, csv_of([row]), period=period) == (
        "most of its times are of another century"
    )


def test_rows_without_number_are_refused_however_small_they_are_packed() -> None:
    assert not table.is_too_much(size=1000, rows=table.MOST_ROWS)
    assert table.is_too_much(size=1000, rows=table.MOST_ROWS + 1)
