from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import tariffs
from billing.errors import TariffError
from billing.tariffs import Encoding, Tariff, Tariffs
from billing.usage import Direction
from core.db import Database

FIRST, SECOND = date(2026, 1, 1), date(2026, 7, 1)
BEFORE_SECOND = date(2026, 6, 30)
OLD = Tariff(operator="viettel", valid_from=FIRST, valid_to=BEFORE_SECOND, price_hundredths=25_000)
NEW = Tariff(operator="viettel", valid_from=SECOND, price_hundredths=35_000)
TWO = Tariffs((OLD, NEW))


@pytest.mark.parametrize(
    ("day", "price"),
    [
        (date(2025, 12, 31), None),
        (FIRST, 25_000),
        (BEFORE_SECOND, 25_000),
        (SECOND, 35_000),
        (date(2030, 1, 1), 35_000),
    ],
)
def test_the_price_that_holds_on_a_day_is_in_force(day: date, price: int | None) -> None:
    assert TWO.to_citizen("viettel", day, "12345") == price
    assert TWO.to_citizen("viettel", day) == price


def test_a_price_is_of_one_operator_and_one_direction() -> None:
    assert TWO.to_citizen("mobifone", SECOND) is None
    assert TWO.find("viettel", "12345", Direction.MT, "gsm7", SECOND) is None
    assert TWO.bills("viettel", Direction.MO)
    assert not TWO.bills("viettel", Direction.MT)


def test_the_price_of_a_short_code_goes_before_the_one_for_any() -> None:
    own = Tariff(operator="viettel", short_code="1900", valid_from=SECOND, price_hundredths=1)
    known = Tariffs((OLD, NEW, own))

    assert known.to_citizen("viettel", BEFORE_SECOND, "1900") == 25_000
    assert known.to_citizen("viettel", SECOND, "1900") == 1
    assert known.to_citizen("viettel", SECOND, "1901") == 35_000
    assert known.to_citizen("viettel", SECOND) == 35_000


def test_an_encoding_may_have_a_price_of_its_own() -> None:
    known = Tariffs(
        tuple(
            Tariff(operator="a", encoding=each, valid_from=FIRST, price_hundredths=price)
            for each, price in ((Encoding.GSM7, 1), (Encoding.UCS2, 2))
        )
    )

    found = [known.find("a", "1", Direction.MO, each, FIRST) for each in ("gsm7", "ucs2")]

    assert [each.price_hundredths for each in found if each] == [1, 2]
    assert known.to_citizen("a", FIRST) == 1


@given(
    price=st.integers(0, 10**8),
    vat=st.integers(0, tariffs.WHOLE),
    share=st.integers(0, tariffs.WHOLE),
)
def test_vat_and_share_of_one_part_are_rounded_half_up_once(
    price: int, vat: int, share: int
) -> None:
    tariff = Tariff(
        operator="a", valid_from=FIRST, price_hundredths=price, vat_bp=vat, share_bp=share
    )

    exact = Fraction(price * vat, tariffs.WHOLE + vat)
    left = Fraction((price - tariff.part_vat) * share, tariffs.WHOLE)

    assert -Fraction(1, 2) <= exact - tariff.part_vat < Fraction(1, 2)
    assert -Fraction(1, 2) <= left - tariff.part_share < Fraction(1, 2)


def test_a_price_of_500_with_ten_percent_vat_and_half_for_us() -> None:
    tariff = Tariff(
        operator="a", valid_from=FIRST, price_hundredths=50_000, vat_bp=1_000, share_bp=5_000
    )

    assert (tariff.part_vat, tariff.part_share) == (4_545, 22_728)


def test_a_price_set_from_a_day_on_ends_the_one_before(database: Database) -> None:
    database.write(lambda s: tariffs.set_price(s, "viettel", FIRST, 25_000))
    database.write(lambda s: tariffs.set_price(s, "viettel", SECOND, 35_000))

    assert database.read(tariffs.load).all == (OLD, NEW)


def test_a_price_set_before_one_that_is_set_already_holds_until_that(database: Database) -> None:
    database.write(lambda s: tariffs.set_price(s, "viettel", SECOND, 35_000))
    database.write(lambda s: tariffs.set_price(s, "viettel", FIRST, 25_000))

    assert database.read(tariffs.load).all == (OLD, NEW)


def test_a_price_set_again_for_the_same_day_replaces_the_first(database: Database) -> None:
    database.write(lambda s: tariffs.set_price(s, "viettel", SECOND, 1))
    database.write(lambda s: tariffs.set_price(s, "viettel", SECOND, 35_000))

    assert database.read(tariffs.load).all == (NEW,)


def test_a_price_that_holds_already_is_not_set_again(database: Database) -> None:
    database.write(lambda s: tariffs.set_price(s, "viettel", SECOND, 35_000))
    database.write(lambda s: tariffs.set_price(s, "viettel", date(2026, 8, 1), 35_000))

    assert database.read(tariffs.load).all == (NEW,)


def test_a_price_with_an_end_is_not_changed_in_passing() -> None:
    with pytest.raises(TariffError, match="2026-01-01"):
        tariffs.put([OLD], Tariff(operator="viettel", valid_from=FIRST + timedelta(9),
                                  price_hundredths=1))  # fmt: skip
