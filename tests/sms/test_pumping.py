"""Attacks on the money for replies (T16), each mounted, and honest loads that look like them."""

import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing import guard_counts
from billing.guard_counts import GUARD_COUNT, Times
from billing.guards import Budgets
from core.db import Database
from core.keyring import Keyring
from core.phone import Msisdn
from records.register import Record
from sms.guards import Neighbours, block_of
from sms.tables import LINK
from tests.fakes import NOON, FixedClock
from tests.sms.gateway import OTHER, REAL, Gateway, pin_in, stranger
from tests.sms.guarded import (
    MUCH,
    PRICE,
    ask_all,
    charge,
    citizens,
    guarded,
    look_up_all,
    put,
    says,
    spent,
)

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
# Of a link that may hand over one message a second, in five minutes.
HALF = 150
PLENTY = Budgets(operator_hour=MUCH, operator_day=MUCH, hour=MUCH, day=MUCH)


@pytest.fixture
def gateway(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    with guarded(database, keyring, keys_dir, tmp_path, clock, PLENTY) as made:
        slow_down(made)
        yield made


@pytest.fixture
def sqlite_gateway(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    with guarded(sqlite_database, keyring, keys_dir, tmp_path, clock, PLENTY) as made:
        slow_down(made)
        yield made


def slow_down(gateway: Gateway) -> None:
    """Let the links carry one message a second."""
    gateway.database.write(lambda s: s.execute(sa.update(LINK).values(rate=1)).close())
    gateway.clock.advance(SECOND)


def signals(gateway: Gateway) -> tuple[bool, bool]:
    """Tell whether the link's PINs do not come back, and whether its numbers are neighbours."""
    times, link = Times.at(gateway.clock.now(), gateway.policy.pin.life), gateway.link(REAL).id
    seen = gateway.database.read(lambda s: guard_counts.load(s, times))
    crowded = gateway.database.read(lambda s: guard_counts.crowded(s, times))
    unused = [
        one.pins >= 50 and one.completed * 5 < one.pins for one in seen if one.link_id == link
    ]
    return any(unused), link in crowded


def texted(gateway: Gateway, numbers: list[Msisdn], text: str = "HD") -> None:
    for number in numbers:
        gateway.send(number, text, code=REAL)
    gateway.handle()
    gateway.outbox()


def scattered(count: int) -> list[Msisdn]:
    """Return numbers that have no first seven digits in common but by chance."""
    return [Msisdn(f"+8456{secrets.randbelow(10**7):07d}") for _ in range(count)]


def pump(gateway: Gateway) -> list[Record]:
    """Have fifty-one people ask for PINs that nobody gives back, and wait until those are dead."""
    people = citizens(gateway, 60)
    assert [told.reply for told in ask_all(gateway, people[:51])] == ["PIN"] * 51
    gateway.clock.advance(10 * MINUTE)
    return people[51:]


def use_half(gateway: Gateway) -> None:
    """Have the link ask as often as half its rate allows in these five minutes."""
    put(gateway, asked=HALF - 1)
    gateway.clock.advance(SECOND)


def test_t16_pins_that_nobody_gives_back_halve_the_links_pins(gateway: Gateway) -> None:
    people = pump(gateway)
    use_half(gateway)
    asked = gateway.register.asked

    within, beyond = says(gateway, people[0], "DC"), says(gateway, people[1], "NK")

    assert (within, beyond, gateway.message().reason) == ("PIN", "QUOTA", "pumping")
    assert gateway.register.asked == asked + 1
    assert says(gateway, people[2], "KHOA") == "PIN", "whoever locks is let"
    assert says(gateway, people[3], "DC", OTHER) == "PIN", "another link is not slowed"
    gateway.clock.advance(5 * MINUTE)
    assert says(gateway, people[4], "DC") == "PIN", "the next five minutes have their half"


def test_a_signal_ends_by_itself_when_its_hour_has_passed(sqlite_gateway: Gateway) -> None:
    people = pump(sqlite_gateway)
    sqlite_gateway.clock.advance(HOUR)
    use_half(sqlite_gateway)

    said = [says(sqlite_gateway, one, "DC") for one in people[:3]]

    assert said == ["PIN"] * 3


def test_without_a_signal_the_rate_is_the_contracts_alone(sqlite_gateway: Gateway) -> None:
    people = citizens(sqlite_gateway, 3)
    use_half(sqlite_gateway)

    assert [says(sqlite_gateway, one, "DC") for one in people] == ["PIN"] * 3


def test_t16_new_numbers_of_one_block_halve_the_links_pins(gateway: Gateway) -> None:
    people = citizens(gateway, 2)
    texted(gateway, [stranger(number) for number in range(30)])
    thirty = signals(gateway)
    texted(gateway, [stranger(30)])
    gateway.clock.advance(SECOND)
    use_half(gateway)

    said = [says(gateway, one, "DC") for one in people]

    assert (thirty, signals(gateway)) == ((False, False), (False, True))
    assert said == ["PIN", "QUOTA"]


def test_numbers_that_are_known_are_no_new_neighbours(sqlite_gateway: Gateway) -> None:
    gateway, known = sqlite_gateway, [stranger(number) for number in range(40)]
    texted(gateway, known)
    at_first = signals(gateway)
    gateway.clock.advance(2 * HOUR)

    texted(gateway, known)

    assert (at_first, signals(gateway)) == ((False, True), (False, False))


def test_t16_a_pump_costs_no_more_than_the_budget(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    """Numbers without end, each asking once: requests stop, and then words on it stop too."""
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    budgets = Budgets(operator_hour=50 * PRICE, operator_day=MUCH, hour=MUCH, day=MUCH)
    with guarded(sqlite_database, keyring, keys_dir, tmp_path, clock, budgets) as gateway:
        person = citizens(gateway, 1)[0]

        texted(gateway, [stranger(100 * one) for one in range(130)], f"DC {person.personal_id}")

        told = Counter(row.reply for row in gateway.replies())
        assert told == {"NOMATCH": 50, "QUOTA": 5}
        assert spent(gateway) == 55 * PRICE


@pytest.mark.parametrize("completed", [10, 51])
def test_honest_people_who_give_their_pins_back_are_no_signal(
    sqlite_gateway: Gateway, completed: int
) -> None:
    gateway = sqlite_gateway
    people = citizens(gateway, 51)
    for told in ask_all(gateway, people[: 50 if completed == 10 else 51])[:completed]:
        gateway.send(told.to, f"XN {pin_in(told.text)}", code=REAL)
    gateway.handle()
    gateway.clock.advance(10 * MINUTE)

    assert signals(gateway) == (False, False)


def test_an_honest_rush_whose_pins_are_still_alive_is_no_signal(sqlite_gateway: Gateway) -> None:
    ask_all(sqlite_gateway, citizens(sqlite_gateway, 60))
    sqlite_gateway.clock.advance(4 * MINUTE)

    assert signals(sqlite_gateway) == (False, False)


def test_an_honest_hour_of_many_citizens_trips_nothing(sqlite_gateway: Gateway) -> None:
    """Sixty look themselves up, from numbers of every kind, and others misspell."""
    gateway = sqlite_gateway
    for _ in range(6):
        look_up_all(gateway, citizens(gateway, 10))
        texted(gateway, scattered(15), "tra cuu giup toi")
        gateway.clock.advance(10 * MINUTE)
        assert signals(gateway) == (False, False)

    assert {row.asked for row in gateway.rows(GUARD_COUNT) if row.asked} == {10}


def test_scattered_new_numbers_cost_hardly_a_row(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    charge(gateway, REAL, 0, NOON.date())
    texted(gateway, scattered(200), "HD")

    assert len(gateway.rows(GUARD_COUNT)) <= 5


def test_a_block_is_a_hundred_numbers() -> None:
    number, neighbour, other = (
        Msisdn(each) for each in ("+84912345678", "+84912345699", "+84912345700")
    )

    assert block_of(number) == block_of(neighbour) == "9123456"
    assert block_of(other) != block_of(number)


def test_neighbours_are_written_down_from_the_second_on() -> None:
    met = Neighbours()

    assert [met.meet(1, 7, NOON) for _ in range(4)] == [0, 2, 1, 1]
    assert [met.meet(1, 8, NOON), met.meet(2, 7, NOON)] == [0, 0]
    assert met.meet(1, 7, NOON + HOUR) == 0
