"""Operators' ids: the same message under each of the ways in which SMSCs write its number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.message_ids import LONGEST_KEY, IdBase, key_of


@pytest.mark.parametrize("accepted", ["4d2", "4D2", "0x4D2", "000004D2", " 4d2\0"])
@pytest.mark.parametrize("receipt", ["1234", "0000001234", " 1234"])
def test_a_number_is_the_same_in_both_bases(accepted: str, receipt: str) -> None:
    assert key_of(accepted, IdBase.HEXADECIMAL) == key_of(receipt, IdBase.DECIMAL) == "#4d2"


@given(st.integers(0, 2**64), st.integers(0, 8))
def test_every_number_is_itself_and_no_other(number: int, zeros: int) -> None:
    decimal = key_of("0" * zeros + str(number), IdBase.DECIMAL)

    assert (
        decimal
        == key_of(f"{number:x}", IdBase.HEXADECIMAL)
        == key_of("0" * zeros + f"{number:X}", IdBase.HEXADECIMAL)
    )
    assert decimal != key_of(str(number + 1), IdBase.DECIMAL)


def test_as_text_zeros_and_case_count() -> None:
    assert len({key_of(text, IdBase.TEXT) for text in ("12", "012", "ab", "AB")}) == 4


def test_a_text_is_never_a_number() -> None:
    assert key_of("4d2", IdBase.TEXT) != key_of("4d2", IdBase.HEXADECIMAL)
    assert key_of("#4d2", IdBase.TEXT) != key_of("4d2", IdBase.HEXADECIMAL)


def test_what_the_base_cannot_read_is_compared_as_it_stands() -> None:
    assert key_of("9F-x", IdBase.DECIMAL) == key_of("9F-x", IdBase.HEXADECIMAL) == "=9F-x"


@pytest.mark.parametrize("text", ["", " ", "\0", "é", "a\nb", "x" * LONGEST_KEY])
def test_what_names_no_message_has_no_key(text: str) -> None:
    assert {key_of(text, base) for base in IdBase} == {None}


@given(st.text(max_size=80), st.sampled_from(IdBase))
def test_every_text_is_read_and_every_key_fits(text: str, base: IdBase) -> None:
    key = key_of(text, base)

    assert key is None or 1 < len(key) <= LONGEST_KEY
