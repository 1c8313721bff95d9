"""Exports of the lookup log: masked, numbered, journalled before, and computed by no program."""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from console import spreadsheets
from console.access import meter
from console.access.roles import Role
from journal.errors import JournalError
from tests.console.conftest import FROM_HERE, House, Visit
from tests.console.test_caps import fill
from tests.console.test_guard import ONE_DATABASE
from tests.console.test_reveals import told

WHY = "đối chiếu với khiếu nại của nhà mạng"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1"]
Enter = Callable[..., Visit]


def export(visit: Visit, kind: str = "csv", **form: str) -> TestResponse:
    data = {"form_token": visit.form_token, "reason": WHY, "format": kind, **form}
    return visit.client.post("/console/messages/export", data=data, headers=FROM_HERE)


def read(answer: TestResponse) -> tuple[dict[str, str], list[list[str]]]:
    """Return what a CSV tells about itself, and its rows without the header."""
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    gap = rows.index([])
    return {row[0]: row[1] for row in rows[:gap]}, rows[gap + 2 :]


def sheets(answer: TestResponse) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def test_a_file_says_what_its_entry_says(house: House, enter: Enter) -> None:
    person = house.gateway.person()
    house.ask(person.phone, f"DC {person.personal_id}")
    fill(house, 2)
    minh = enter("minh", Role.INVESTIGATOR)

    answer = export(minh, command="DC")
    about, rows = read(answer)
    entry = next(each for each in told(house) if each.get("act") == "export-log")

    lines = answer.data.split(b"\r\n\r\n", 1)[1].split(b"\r\n", 1)[1]
    assert len(rows) == entry["rows"] == 1
    assert about["SHA-256 của các dòng"] == entry["digest"] == hashlib.sha256(lines).hexdigest()
    assert (entry["command"], entry["format"], entry["reason"]) == ("DC", "csv", WHY)
    assert re.fullmatch(r"2026-\d{7}", about["Số tệp"])
    assert about["Số tệp"] in answer.headers["Content-Disposition"]
    assert re.fullmatch(r"[0-9a-f-]{36}", about["Mục nhật ký của lần xuất"])
    text, phone = answer.get_data(as_text=True), str(person.phone)
    assert rows[0][2] == f"•••{phone[-3:]}"
    assert phone[3:] not in text
    assert person.personal_id not in text
    assert person.full_name not in text
    assert answer.headers["Cache-Control"] == "no-store"


@ONE_DATABASE
def test_a_workbook_has_times_and_texts_and_no_formula(house: House, enter: Enter) -> None:
    for each, text in enumerate(FORMULAS[:4]):
        house.gateway.send(f"+8490000000{each}", "HD", message_id=text)
    minh = enter("minh", Role.INVESTIGATOR)

    answer = export(minh, "xlsx")
    parts = sheets(answer)
    strings = re.findall(r"<t[^>]*>([^<]*)</t>", parts["xl/sharedStrings.xml"])

    sheet = parts["xl/worksheets/sheet1.xml"]
    assert "<f>" not in sheet
    assert "pane" in sheet
    assert set(strings) >= {f"'{each}" for each in FORMULAS[:4]}
    assert not any(each.startswith(("=", "+", "-", "@")) for each in strings)
    assert "tradan-nhat-ky-tra-cuu-2026-" in answer.headers["Content-Disposition"]


@ONE_DATABASE
def test_formulas_in_a_csv_are_text(house: House, enter: Enter) -> None:
    for each, text in enumerate(FORMULAS[:4]):
        house.gateway.send(f"+8490000000{each}", "HD", message_id=text)
    minh = enter("minh", Role.INVESTIGATOR)

    _about, rows = read(export(minh))

    assert {row[1] for row in rows} == {f"'{each}" for each in FORMULAS[:4]}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


@ONE_DATABASE
def test_no_file_has_more_than_a_thousand_rows_and_no_officer_two_thousand(
    house: House, enter: Enter
) -> None:
    fill(house, 1001)
    minh = enter("minh", Role.INVESTIGATOR)

    about, rows = read(export(minh))
    answers = [export(minh).status_code for _ in range(2)]

    assert len(rows) == 1000
    assert about["Số dòng"] == "1.000 tin mới nhất; còn tin cũ hơn"
    assert answers == [200, 429]
    assert house.is_refused(minh.officer(), meter.ROWS)


@ONE_DATABASE
def test_what_is_not_asked_for_properly_is_not_exported(house: House, enter: Enter) -> None:
    minh = enter("minh", Role.INVESTIGATOR)

    answers = [
        export(minh, reason="because"),
        export(minh, "html"),
        export(minh, since="someday"),
    ]

    assert [answer.status_code for answer in answers] == [409] * 3
    assert not any("Content-Disposition" in answer.headers for answer in answers)


@ONE_DATABASE
def test_an_export_follows_the_second_factor(house: House, enter: Enter) -> None:
    minh = enter("minh", Role.INVESTIGATOR)
    house.clock.advance(timedelta(minutes=6))

    answer = export(minh)

    assert (answer.status_code, answer.headers["Location"]) == (
        303, "/console/step-up?back=/console/",
    )  # fmt: skip
    assert "Muốn xuất tệp" in minh.get("/console/messages")[1]


@ONE_DATABASE
def test_no_file_leaves_that_cannot_be_journalled(house: House, enter: Enter) -> None:
    fill(house, 1)
    minh = enter("minh", Role.INVESTIGATOR)

    def fail(*_arguments: object) -> None:
        raise JournalError

    house.journal.prepare = fail  # type: ignore[method-assign,assignment]  # the journal takes nothing
    answer = export(minh)

    assert answer.status_code == 503
    assert "Content-Disposition" not in answer.headers
    assert b"m-0" not in answer.data


@given(st.text(max_size=20) | st.sampled_from(FORMULAS))
def test_whatever_is_written_computes_nothing(text: str) -> None:
    (row,) = csv.reader(
        io.StringIO(spreadsheets.lines_of([[text]]).decode(), newline=""), delimiter=";"
    )

    first = row[0].lstrip()[:1] if row else ""
    assert first not in set("=+-@\uff1d\uff0b\uff0d\uff20")
    assert not row or not row[0].startswith(("\t", "\r", "\n"))
