from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import personal_id
from records.personal_id import MADE_UP_PROVINCE, Doubt, PersonalId, Sex
from records.provinces import OLD


@pytest.mark.parametrize("text", ["001085123456", "999999999999", "000000000000"])
def test_twelve_digits_are_a_number(text: str) -> None:
    assert personal_id.parse(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00108512345",
        "0010851234567",
        " 001085123456",
        "001085123456\n",
        "001 085 123 456",
        "00108512345a",
        "٠٠١٠٨٥١٢٣٤٥٦",
        "００１０８５１２３４５６",
        "00108512345²",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert personal_id.parse(text) is None


@given(st.text())
def test_parsing_is_total(text: str) -> None:
    found = personal_id.parse(text)

    assert found is None or (len(text) == 12 and text.isascii() and text.isdecimal())


# Source: Thông tư 07/2016/TT-BCA, điều 7: 0 and 1 for the 20th century, 2 and 3 for the 21st, …
@pytest.mark.parametrize(
    ("digits", "sex", "year"),
    [
        ("085", Sex.MALE, 1985),
        ("185", Sex.FEMALE, 1985),
        ("200", Sex.MALE, 2000),
        ("399", Sex.FEMALE, 2099),
        ("400", Sex.MALE, 2100),
        ("999", Sex.FEMALE, 2399),
    ],
)
def test_digits_say_century_sex_and_year(digits: str, sex: Sex, year: int) -> None:
    says = personal_id.read(PersonalId(f"001{digits}123456"))

    assert (says.province_code, says.sex, says.birth_year) == ("001", sex, year)


def test_a_number_that_agrees_leaves_no_doubt() -> None:
    number = PersonalId("001085123456")

    assert personal_id.doubts(number, Sex.MALE, date(1985, 1, 1)) == ()


def test_every_disagreement_is_told() -> None:
    number = PersonalId(f"{MADE_UP_PROVINCE}085123456")

    assert personal_id.doubts(number, Sex.FEMALE, date(1986, 1, 1)) == tuple(Doubt)


def test_no_province_has_the_code_of_made_up_people() -> None:
    assert MADE_UP_PROVINCE not in OLD
