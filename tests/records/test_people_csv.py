import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.phone import Msisdn
from records import people
from records.csv_lines import Refusal
from records.errors import PeopleFileError
from records.people_csv import HEADER, PeopleFile, Row
from records.register import Record
from tests.records.people import PHUONG, TODAY, cell, line, numbered, write
from tests.records.strategies import records

WIDE = (*HEADER, "current_commune", "current_province")


def read(path: Path, *, is_test: bool = False) -> list[Row | Refusal]:
    with path.open("rb") as file:
        return list(PeopleFile(file, today=TODAY, is_test=is_test))


def changed(**cells: str) -> str:
    """Write Phương's line with other text in some cells."""
    plain = {column: cell(getattr(PHUONG, column)) for column in HEADER}
    return ",".join((plain | cells).values())


def fault_of(path: Path, text: str) -> str:
    (found,) = read(write(path / "people.csv", text))
    assert isinstance(found, Refusal)
    return found.reason


def record_of(path: Path, text: str) -> Record:
    (found,) = read(write(path / "people.csv", text))
    assert isinstance(found, Row)
    return found.record


def test_a_plain_file_is_read_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG), line(numbered(7)))

    assert read(path) == [Row(2, PHUONG, ()), Row(3, numbered(7), ())]


def test_what_may_be_empty_may_be_empty(tmp_path: Path) -> None:
    bare = replace(
        PHUONG, phone=None, phone_verified_on=None, card_issued_on=None, card_expires_on=None
    )

    assert record_of(tmp_path, line(bare)) == bare


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("personal_id", "1185123456", "12 digits"),
        ("personal_id", "", "12 digits"),
        ("personal_id", "٠٠١٠٨٥١٢٣٤٥٦", "12 digits"),
        ("full_name", "", "1 to 100"),
        ("full_name", "   ", "1 to 100"),
        ("full_name", "x" * 101, "1 to 100"),
        ("sex", "f", "M or F"),
        ("sex", "", "M or F"),
        ("date_of_birth", "", "YYYY-MM-DD"),
        ("date_of_birth", "30/04/1985", "YYYY-MM-DD"),
        ("date_of_birth", "19850430", "YYYY-MM-DD"),
        ("date_of_birth", "1985-W18-2", "YYYY-MM-DD"),
        ("date_of_birth", "1985-02-29", "YYYY-MM-DD"),
        ("date_of_birth", "2026-03-03", "in the future"),
        ("phone", "+85291234567", "Vietnamese mobile"),
        ("phone", "0243823456", "Vietnamese mobile"),
        ("phone", "MobiFone", "Vietnamese mobile"),
        ("phone_verified_on", "yesterday", "YYYY-MM-DD"),
        ("commune", "", "1 to 100"),
        ("province", "", "a province"),
        ("province", "Saigon", "a province"),
        ("card_issued_on", "0", "YYYY-MM-DD"),
        ("card_expires_on", "2045", "YYYY-MM-DD"),
        ("status", "Active", "active, deceased or missing"),
        ("status", "", "active, deceased or missing"),
    ],
)
def test_a_broken_cell_is_refused_by_its_column(
    tmp_path: Path, column: str, text: str, reason: str
) -> None:
    found = fault_of(tmp_path, changed(**{column: text}))

    assert found.startswith(column)
    assert reason in found
    assert not text.strip() or text not in found


def test_every_fault_of_a_line_is_told_at_once(tmp_path: Path) -> None:
    found = fault_of(tmp_path, changed(sex="?", phone="?", status="?"))

    assert [part.split()[0] for part in found.split("; ")] == ["sex", "phone", "status"]


@pytest.mark.parametrize(
    "written", ["0912345678", "84912345678", "+84 912 345 678", "0084912345678", "0912.345.678"]
)
def test_telephones_are_taken_as_people_write_them(tmp_path: Path, written: str) -> None:
    assert record_of(tmp_path, changed(phone=written)).phone == PHUONG.phone


def test_numbers_of_eleven_digits_become_what_they_were_made_into(tmp_path: Path) -> None:
    assert record_of(tmp_path, changed(phone="01662345678")).phone == Msisdn("+84362345678")


def test_names_are_composed_and_trimmed(tmp_path: Path) -> None:
    taken_apart = unicodedata.normalize("NFD", f"  {PHUONG.full_name} ")

    assert record_of(tmp_path, changed(full_name=taken_apart)) == PHUONG


def test_a_name_of_a_hundred_characters_is_taken(tmp_path: Path) -> None:
    assert record_of(tmp_path, changed(full_name="Ế" * 100)).full_name == "Ế" * 100


def test_provinces_are_kept_under_the_name_of_their_table(tmp_path: Path) -> None:
    assert record_of(tmp_path, changed(province="tp.hcm")).province == "Hồ Chí Minh"
    assert record_of(tmp_path, changed(province="TINH LONG AN")).province == "Long An"


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"personal_id": "999185123456"}, "personal_id begins with a code that no province has"),
        ({"sex": "M"}, "personal_id says another sex"),
        ({"date_of_birth": "1986-04-30"}, "personal_id says another birth year"),
        ({"phone_verified_on": "2026-03-03"}, "phone_verified_on lies in the future"),
        ({"card_expires_on": "2021-05-05"}, "card_expires_on lies before card_issued_on"),
    ],
)
def test_what_is_only_doubtful_goes_in_with_a_warning(
    tmp_path: Path, changes: dict[str, str], warning: str
) -> None:
    (found,) = read(write(tmp_path / "people.csv", changed(**changes)))

    assert isinstance(found, Row)
    assert found.warnings == (warning,)


def test_a_number_that_comes_again_is_refused_the_second_time(tmp_path: Path) -> None:
    other = line(replace(PHUONG, full_name="Nguyễn Thị Phượng"))

    first, second = read(write(tmp_path / "people.csv", line(PHUONG), other))

    assert first == Row(2, PHUONG, ())
    assert second == Refusal(3, "personal_id stands on an earlier line already")


def test_a_number_whose_first_line_was_refused_is_taken_from_the_next(tmp_path: Path) -> None:
    _, second = read(write(tmp_path / "people.csv", changed(sex="?"), line(PHUONG)))

    assert second == Row(3, PHUONG, ())


def test_one_telephone_on_many_lines_is_allowed(tmp_path: Path) -> None:
    family = [replace(numbered(n), phone=PHUONG.phone) for n in range(5)]

    found = read(write(tmp_path / "people.csv", *map(line, family)))

    assert all(isinstance(each, Row) for each in found)


@pytest.mark.parametrize("text", ["x", line(PHUONG) + ",", line(PHUONG)[:-7]])
def test_a_line_with_too_few_or_too_many_cells_is_refused(tmp_path: Path, text: str) -> None:
    assert f"cells where the header has {len(HEADER)}" in fault_of(tmp_path, text)


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    turned = tuple(reversed(HEADER))
    path = write(tmp_path / "people.csv", line(PHUONG, turned), header=",".join(turned))

    assert read(path) == [Row(2, PHUONG, ())]


def test_columns_of_the_catalogue_are_allowed_and_those_without_use_left_out(
    tmp_path: Path,
) -> None:
    header = ",".join((*WIDE, "religion", "blood_group"))
    lives = replace(PHUONG, current_commune="Xã Bình Mỹ", current_province="Long An")
    path = write(tmp_path / "people.csv", line(lives, WIDE) + ",Không,O", header=header)

    with path.open("rb") as file:
        people_file = PeopleFile(file, today=TODAY, is_test=False)
        assert people_file.left_out == ("religion", "blood_group")
        assert list(people_file) == [Row(2, lives, ())]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "the file is empty"),
        (",".join(HEADER[1:]), "personal_id is missing"),
        (",".join((*HEADER, "shoe_size")), "shoe_size is not in the catalogue"),
        (",".join((*HEADER, "0912345678")), "column 12 is not in the catalogue"),
        (",".join((*HEADER, "sex")), "sex stands there twice"),
        (";".join(HEADER), "parted by commas"),
        (line(PHUONG), "line 1 is not the header"),
        ("\udcff", "not UTF-8 at byte 0"),
        ("\0", "a control character, U+0000"),
        ('"', "a quotation mark"),
    ],
)
def test_a_header_that_is_not_right_is_refused_with_what_is_wrong(
    tmp_path: Path, header: str, said: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes((header and header + "\n").encode(errors="surrogateescape"))

    with pytest.raises(PeopleFileError) as caught:
        read(path)

    assert said in str(caught.value)
    assert PHUONG.full_name not in str(caught.value)


def test_a_file_in_utf_16_is_refused_at_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(",".join(HEADER), encoding="utf-16")

    with pytest.raises(PeopleFileError, match=r"byte 0 of the file.*save the file as UTF-8"):
        read(path)


def test_a_file_that_is_changed_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG))

    with path.open("rb") as file, pytest.raises(PeopleFileError, match="was changed"):
        lines = iter(PeopleFile(file, today=TODAY, is_test=False))
        next(lines)
        write(path, line(PHUONG), line(numbered(1)))
        list(lines)


def test_a_test_import_marks_everybody(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG))

    assert read(path, is_test=True) == [Row(2, replace(PHUONG, is_test=True), ())]


def test_made_up_people_can_be_written_and_read(tmp_path: Path) -> None:
    made_up = list(people.generate(50, 3, TODAY))

    found = read(write(tmp_path / "people.csv", *map(line, made_up)), is_test=True)

    assert [row.record for row in found if isinstance(row, Row)] == made_up


@given(records.filter(lambda record: record.date_of_birth <= TODAY), st.booleans())
def test_every_record_that_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, record: Record, is_test: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "one.csv"
    write(path, line(record, WIDE), header=",".join(WIDE))

    (found,) = read(path, is_test=is_test)

    assert isinstance(found, Row)
    assert found.record == replace(record, is_test=is_test)


def test_whoever_is_born_today_is_there(tmp_path: Path) -> None:
    today = changed(date_of_birth=TODAY.isoformat())

    assert record_of(tmp_path, today).date_of_birth == TODAY
