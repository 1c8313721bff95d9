"""Numbers in Vietnamese words: the cases that are got wrong, and that all can be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import words

DIGITS = {
    "không": 0, "một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "lăm": 5,
    "sáu": 6, "bảy": 7, "tám": 8, "chín": 9,
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "không"),
        (4, "bốn"),
        (5, "năm"),
        (10, "mười"),
        (11, "mười một"),
        (14, "mười bốn"),
        (15, "mười lăm"),
        (20, "hai mươi"),
        (21, "hai mươi mốt"),
        (24, "hai mươi tư"),
        (25, "hai mươi lăm"),
        (44, "bốn mươi tư"),
        (55, "năm mươi lăm"),
        (100, "một trăm"),
        (101, "một trăm linh một"),
        (105, "một trăm linh năm"),
        (110, "một trăm mười"),
        (115, "một trăm mười lăm"),
        (121, "một trăm hai mươi mốt"),
        (1_000, "một nghìn"),
        (1_001, "một nghìn không trăm linh một"),
        (1_010, "một nghìn không trăm mười"),
        (1_021, "một nghìn không trăm hai mươi mốt"),
        (1_100, "một nghìn một trăm"),
        (21_000, "hai mươi mốt nghìn"),
        (104_504, "một trăm linh bốn nghìn năm trăm linh bốn"),
        (1_000_000, "một triệu"),
        (1_000_005, "một triệu không trăm linh năm"),
        (1_000_500, "một triệu năm trăm"),
        (1_050_000, "một triệu không trăm năm mươi nghìn"),
        (1_000_000_000, "một tỷ"),
        (1_000_000_001, "một tỷ không trăm linh một"),
        (1_005_000_000, "một tỷ không trăm linh năm triệu"),
        (15_400_000_000, "mười lăm tỷ bốn trăm triệu"),
        (1_000_000_000_000, "một nghìn tỷ"),
        (1_500_000_000_000, "một nghìn năm trăm tỷ"),
        (2_005_000_000_000, "hai nghìn không trăm linh năm tỷ"),
        (1_000_000_000_000_000_000, "một tỷ tỷ"),
        (-21, "âm hai mươi mốt"),
    ],
)
def test_numbers_are_said_as_they_are_said(value: int, said: str) -> None:
    assert words.number(value) == said


@pytest.mark.parametrize(
    ("hundredths", "said"),
    [
        (0, "Không đồng"),
        (50_000, "Năm trăm đồng"),
        (5, "Không phẩy không năm đồng"),
        (150, "Một phẩy năm đồng"),
        (12_321, "Một trăm hai mươi ba phẩy hai mươi mốt đồng"),
        (-10_005, "Âm một trăm phẩy không năm đồng"),
        (103_456_000_00, "Một trăm linh ba triệu bốn trăm năm mươi sáu nghìn đồng"),
    ],
)  # fmt: skip
def test_sums_of_money_are_said_exactly(hundredths: int, said: str) -> None:
    assert words.dong(hundredths) == said


def heard(said: list[str]) -> int:
    """Read a number back out of its words."""
    for name, size in (("tỷ", 10**9), ("triệu", 10**6), ("nghìn", 10**3)):
        if name in said:
            place = len(said) - said[::-1].index(name) - 1
            return heard(said[:place]) * size + heard(said[place + 1 :])
    value, last = 0, 0
    for word in said:
        match word:
            case "trăm":
                value, last = last * 100, 0
            case "mươi":
                value, last = value + last * 10, 0
            case "mười":
                value += 10
            case "linh":
                pass
            case digit:
                last = DIGITS[digit]
    return value + last


@given(st.one_of(st.integers(0, 10**18 - 1), st.integers(0, 10**7)))
def test_every_number_can_be_read_back(value: int) -> None:
    said = words.number(value)

    assert heard(said.split()) == value
    assert "  " not in said
