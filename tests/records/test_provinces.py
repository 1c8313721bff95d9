import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import provinces
from records.provinces import NEW, OLD, SUCCESSORS, Province

EVERY = [*OLD.values(), *NEW.values()]


def test_the_tables_have_63_and_34_provinces() -> None:
    assert (len(OLD), len(NEW)) == (63, 34)
    assert len({province.name for province in OLD.values()}) == 63
    assert len({province.name for province in NEW.values()}) == 34


def test_the_cities_under_central_government_are_five_and_six() -> None:
    old = {province.name for province in OLD.values() if province.is_city}
    new = {province.name for province in NEW.values() if province.is_city}

    assert old == {"Hà Nội", "Hải Phòng", "Đà Nẵng", "Hồ Chí Minh", "Cần Thơ"}
    assert new == old | {"Huế"}


def test_every_old_province_is_in_a_new_one_and_none_is_empty() -> None:
    assert SUCCESSORS.keys() == OLD.keys()
    assert set(SUCCESSORS.values()) == NEW.keys()


# Source: Nghị quyết 202/2025/QH15, điều 1: eleven are as they were.
def test_eleven_provinces_were_not_merged() -> None:
    alone = [new for new in NEW if list(SUCCESSORS.values()).count(new) == 1]

    assert {NEW[code].name for code in alone} == {
        "Hà Nội", "Huế", "Lai Châu", "Điện Biên", "Sơn La", "Lạng Sơn", "Quảng Ninh", "Thanh Hóa",
        "Nghệ An", "Hà Tĩnh", "Cao Bằng",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Yên Bái", "Lào Cai"),
        ("Bắc Giang", "Bắc Ninh"),
        ("Quảng Bình", "Quảng Trị"),
        ("Bình Định", "Gia Lai"),
        ("Long An", "Tây Ninh"),
        ("Tiền Giang", "Đồng Tháp"),
        ("Kiên Giang", "An Giang"),
    ],
)
def test_a_code_that_changed_hands_is_not_mistaken(old: str, new: str) -> None:
    before = next(province for province in OLD.values() if province.name == old)

    assert provinces.successor(before).name == new
    assert NEW[before.code[1:]].name == new


@pytest.mark.parametrize("province", EVERY, ids=lambda province: province.code)
def test_every_name_is_found_however_it_is_written(province: Province) -> None:
    prefixes = ("", "Tỉnh ", "Thành phố ", "TP. ", "TP.", "TP ", "tp ")

    for prefix in prefixes:
        name = prefix + province.name
        for written in (name, name.upper(), name.lower(), unicodedata.normalize("NFD", name)):
            found = provinces.find(written)
            assert found is not None, written
            assert found.name == province.name, written


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("TPHCM", "Hồ Chí Minh"),
        ("TP.HCM", "Hồ Chí Minh"),
        ("tp hcm", "Hồ Chí Minh"),
        ("ha noi", "Hà Nội"),
        ("HANOI", "Hà Nội"),
        ("Ðà Nẵng", "Đà Nẵng"),
        ("Hoà Bình", "Hòa Bình"),
        ("Bà Rịa-Vũng Tàu", "Bà Rịa - Vũng Tàu"),
        ("Bà Rịa – Vũng Tàu", "Bà Rịa - Vũng Tàu"),
        ("BR-VT", "Bà Rịa - Vũng Tàu"),
        ("Thừa Thiên - Huế", "Thừa Thiên Huế"),
        ("Đắc Lắc", "Đắk Lắk"),
        ("  Cà   Mau ", "Cà Mau"),
    ],
)
def test_other_spellings_in_use_are_found(written: str, name: str) -> None:
    found = provinces.find(written)

    assert found is not None
    assert found.name == name


def test_a_name_in_both_tables_is_the_new_province() -> None:
    assert provinces.find("Quảng Trị") == NEW["44"]
    assert provinces.find("Quảng Bình") == OLD["044"]


@pytest.mark.parametrize("text", ["", "TP", "Tỉnh", "Hà", "Hà Tây", "Saigon", "x" * 10_000])
def test_what_no_table_has_is_not_found(text: str) -> None:
    assert provinces.find(text) is None


@given(st.text())
def test_finding_is_total(text: str) -> None:
    found = provinces.find(text)

    assert found is None or found in EVERY


def test_addresses_write_tp_before_cities_alone() -> None:
    assert NEW["01"].short == "TP Hà Nội"
    assert NEW["15"].short == "Lào Cai"
