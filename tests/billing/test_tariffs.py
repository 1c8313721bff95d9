from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import tariffs
from billing.errors import NoTariffError
from billing.tariffs import Tariff
from billing.usage import Direction
from core.db import Database

FIRST, SECOND = date(2026, 1, 1), date(2026, 7, 1)
TWO = (Tariff(Direction.MO, FIRST, 25_000), Tariff(Direction.MO, SECOND, 35_000))


@pytest.mark.parametrize(
    ("day", "price"),
    [
        (FIRST, 25_000),
        (date(2026, 6, 30), 25_000),
        (SECOND, 35_000),
        (date(2030, 1, 1), 35_000),
    ],
)
def test_the_newest_price_that_has_begun_is_in_force(day: date, price: int) -> None:
    assert tariffs.price_on(TWO, day) == price


def test_a_day_before_every_price_has_none() -> None:
    with pytest.raises(NoTariffError) as caught:
        tariffs.price_on(TWO, date(2025, 12, 31))

    assert caught.value.day == date(2025, 12, 31)


def test_a_price_of_one_direction_is_none_of_the_other() -> None:
    with pytest.raises(NoTariffError):
        tariffs.price_on(TWO, SECOND, Direction.MT)


@given(
    days=st.lists(st.dates(), min_size=1, unique=True),
    asked=st.dates(),
)
def test_the_order_of_tariffs_does_not_count(days: list[date], asked: date) -> None:
    forward = [Tariff(Direction.MO, day, number) for number, day in enumerate(days)]
    begun = [tariff for tariff in forward if tariff.valid_from <= asked]

    if begun:
        price = tariffs.price_on(reversed(forward), asked)
        assert price == tariffs.price_on(forward, asked)
        assert price == max(begun, key=lambda tariff: tariff.valid_from).price_hundredths
    else:
        with pytest.raises(NoTariffError):
            tariffs.price_on(forward, asked)


def test_prices_are_loaded_by_link_in_order_of_their_days(database: Database) -> None:
    database.write(lambda s: tariffs.set_price(s, 7, SECOND, 35_000))
    database.write(lambda s: tariffs.set_price(s, 7, FIRST, 25_000))
    database.write(lambda s: tariffs.set_price(s, 8, FIRST, 0, Direction.MT))

    loaded = database.read(tariffs.load)

    assert loaded == {7: TWO, 8: (Tariff(Direction.MT, FIRST, 0),)}


def test_a_price_set_again_for_the_same_day_replaces_the_first(database: Database) -> None:
    database.write(lambda s: tariffs.set_price(s, 7, FIRST, 1))
    database.write(lambda s: tariffs.set_price(s, 7, FIRST, 25_000))

    loaded = database.read(tariffs.load)

    assert loaded == {7: (Tariff(Direction.MO, FIRST, 25_000),)}


def test_links_without_a_price_in_force_are_left_out() -> None:
    known = {7: TWO, 8: (Tariff(Direction.MO, SECOND, 1),), 9: ()}

    assert tariffs.prices_on(known, FIRST) == {7: 25_000}
    assert tariffs.prices_on(known, SECOND) == {7: 35_000, 8: 1}
