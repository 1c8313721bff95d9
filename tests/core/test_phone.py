import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import phone

ELEVEN = {
    "0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036", "0167": "037",
    "0168": "038", "0169": "039", "0120": "070", "0121": "079", "0122": "077", "0126": "076",
    "0128": "078", "0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",
    "0186": "056", "0188": "058", "0199": "059",
}  # fmt: skip
NUMBER = "+84912345678"


@pytest.mark.parametrize(
    "written",
    [
        "+84912345678",
        "84912345678",
        "0912345678",
        "0084912345678",
        "+840912345678",
        "091 234 5678",
        "0912.345.678",
        "0912-345-678",
        "(091) 234 5678",
        "+84 91 234 56 78",
        " 0912345678 ",
        "0912\u00a0345\u00a0678",
        "０９１２３４５６７８",
        "+84/912345678",
    ],
)
def test_any_way_of_writing_a_mobile_is_one_number(written: str) -> None:
    assert phone.parse(written) == NUMBER


@pytest.mark.parametrize(("old", "new"), ELEVEN.items())
def test_a_number_of_eleven_digits_becomes_the_one_of_2018(old: str, new: str) -> None:
    wanted = f"+84{new[1:]}1234567"

    assert phone.parse(f"{old}1234567") == wanted
    assert phone.parse(f"+84{old[1:]}1234567") == wanted
    assert phone.parse(f"84 {old[1:]} 123 4567") == wanted
    assert phone.parse(f"0084{old[1:]}1234567") == wanted


@pytest.mark.parametrize("prefix", ["130", "160", "161", "170", "180", "187", "190", "198"])
def test_eleven_digits_that_nobody_had_are_nobody(prefix: str) -> None:
    assert phone.parse(f"0{prefix}1234567") is None
    assert phone.parse(f"+84{prefix}1234567") is None


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "+",
        "0",
        "113",
        "+84113",
        "18001234",  # a free service number
        "19001234",  # a paid one
        "02438251234",  # a landline in Hanoi
        "+842438251234",
        "+8491234567",  # a digit short
        "+849123456789",  # a digit long
        "091234567",
        "09123456789",
        "+85512345678",  # Cambodia
        "+14155550123",
        "+44 7700 900123",
        "VIETTEL",
        "0912VIETTEL",
        "0912345678a",
        "tel:0912345678",
        "+84912345678;ext=1",
        "0912345678 ext 1",
        "+84+912345678",
        "٠٩١٢٣٤٥٦٧٨",
        "+84٩١٢٣٤٥٦٧٨",
        "0912345678\n0912345679",
        "0912345678\x00",
        "0912345678,0912345679",
        "1" * 39,
        "0912345678" + " " * 40,
        "\ud800",
    ],
)
def test_everything_else_is_no_number(written: str) -> None:
    assert phone.parse(written) is None


@given(st.text())
def test_every_text_is_a_number_or_none(written: str) -> None:
    found = phone.parse(written)

    assert found is None or (found.startswith("+84") and len(found) == 12)


@given(st.sampled_from(["+84", "84", "0", "0084", "+", "", "+840"]), st.integers(0, 10**11))
def test_it_agrees_with_the_library_on_whatever_is_not_of_eleven_digits(
    start: str, rest: int
) -> None:
    written = f"{start}{rest}"
    was_eleven = phone._ELEVEN.fullmatch(written)

    found = phone.parse(written)

    if was_eleven is None:
        assert found == by_library(written)
    else:
        assert found is None or by_library(found) == found


@given(st.sampled_from("35789"), st.integers(0, 10**8 - 1))
def test_the_quick_way_and_the_library_agree_on_plain_numbers(first: str, rest: int) -> None:
    written = f"+84{first}{rest:08}"

    assert phone.parse(written) == by_library(written)
    assert phone.parse(f"0{first}{rest:08}") == by_library(written)


def by_library(written: str) -> str | None:
    try:
        number = phonenumbers.parse(written, "VN")
    except phonenumbers.NumberParseException:
        return None
    kind = phonenumbers.number_type(number)
    if number.country_code != 84 or kind != phonenumbers.PhoneNumberType.MOBILE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
