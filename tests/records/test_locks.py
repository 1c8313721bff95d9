from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.db import Database
from records import locks
from records.locks import OPEN, CitizenLimits, Gate
from tests.fakes import NOON

LIMITS = CitizenLimits()
TICK = timedelta(microseconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def with_pins(*ago: timedelta) -> Gate:
    return Gate(pins=tuple(NOON - each for each in sorted(ago, reverse=True)))


def bars(gate: Gate, *, owners: bool = False) -> str | None:
    return locks.bars_pin(gate, LIMITS, NOON, owners=owners)


def after_failures(count: int, at: datetime = NOON) -> Gate:
    gate = OPEN
    for _ in range(count):
        gate = locks.failed(gate, LIMITS, at)
    return gate


def test_a_citizen_nobody_asked_about_is_open() -> None:
    assert bars(OPEN) is None
    assert locks.bars_result(OPEN, LIMITS, NOON, owners=False) is None


@pytest.mark.parametrize(
    ("ago", "barred"),
    [(MINUTE - TICK, "citizen-spacing"), (MINUTE, None), (-HOUR, "citizen-spacing")],
)
def test_pins_for_one_citizen_are_a_minute_apart(ago: timedelta, barred: str | None) -> None:
    assert bars(with_pins(ago)) == barred


@pytest.mark.parametrize(("oldest", "barred"), [(HOUR - TICK, "citizen-hour"), (HOUR, None)])
def test_three_pins_an_hour(oldest: timedelta, barred: str | None) -> None:
    assert bars(with_pins(oldest, MINUTE * 20, MINUTE * 10)) == barred


@pytest.mark.parametrize(("oldest", "barred"), [(DAY - TICK, "citizen-day"), (DAY, None)])
def test_five_pins_a_day(oldest: timedelta, barred: str | None) -> None:
    assert bars(with_pins(oldest, HOUR * 8, HOUR * 6, HOUR * 4, HOUR * 2)) == barred


@pytest.mark.parametrize(("oldest", "barred"), [(DAY - TICK, "citizen-results"), (DAY, None)])
def test_five_results_a_day(oldest: timedelta, barred: str | None) -> None:
    gate = Gate(results=tuple(NOON - each for each in (oldest, HOUR * 8, HOUR * 6, HOUR, MINUTE)))

    assert bars(gate) == barred
    assert locks.bars_result(gate, LIMITS, NOON, owners=False) == barred
    assert locks.bars_result(gate, LIMITS, NOON, owners=True) is None


@pytest.mark.parametrize("count", [1, 9, 11, 19, 21, 29])
def test_failures_between_the_tens_lock_nothing_more(count: int) -> None:
    gate = after_failures(count, NOON - DAY)

    assert bars(gate) is None
    assert gate.failures == count


@pytest.mark.parametrize("count", [10, 20])
def test_every_tenth_failure_locks_for_a_day(count: int) -> None:
    gate = after_failures(count)

    assert gate.locked_until == NOON + DAY
    assert bars(gate) == bars(gate, owners=True) == "failure-lock"
    assert locks.bars_result(gate, LIMITS, NOON + DAY - TICK, owners=True) == "failure-lock"
    assert locks.bars_result(gate, LIMITS, NOON + DAY, owners=False) is None


@pytest.mark.parametrize("count", [30, 31, 45])
def test_thirty_failures_lock_for_good(count: int) -> None:
    gate = after_failures(count)

    for owners in (False, True):
        later = NOON + DAY * 10_000
        assert locks.bars_pin(gate, LIMITS, later, owners=owners) == "failure-lock-for-good"
        assert locks.bars_result(gate, LIMITS, later, owners=owners) == "failure-lock-for-good"


def test_a_right_pin_forgets_the_failures() -> None:
    gate = locks.opened(after_failures(9), NOON, told=True)

    assert gate.failures == 0
    assert gate.results == (NOON,)
    assert bars(locks.failed(gate, LIMITS, NOON)) is None


def test_a_right_pin_for_a_lock_tells_no_result() -> None:
    assert locks.opened(OPEN, NOON, told=False).results == ()


def test_the_owners_lock_stops_everything_but_the_owner() -> None:
    gate = locks.set_owner_lock(OPEN, locked=True)

    assert bars(gate) == "owner-locked"
    assert bars(gate, owners=True) is None
    assert locks.bars_result(gate, LIMITS, NOON, owners=False) == "owner-locked"
    assert bars(locks.set_owner_lock(gate, locked=False)) is None


def test_lifting_the_owners_lock_leaves_the_failures_lock() -> None:
    gate = locks.set_owner_lock(after_failures(10), locked=True)

    assert bars(locks.set_owner_lock(gate, locked=False)) == "failure-lock"


def test_old_pins_are_dropped_when_a_new_one_is_counted() -> None:
    gate = locks.pin_made(with_pins(DAY, DAY - TICK), NOON)

    assert gate.pins == (NOON - DAY + TICK, NOON)


TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (Hypothesis wants its bounds naive)
GATES = st.builds(
    Gate,
    pins=st.lists(TIMES, max_size=6).map(tuple),
    results=st.lists(TIMES, max_size=6).map(tuple),
    failures=st.integers(0, 40),
    locked_until=st.none() | TIMES,
    owner_locked=st.booleans(),
)


@given(GATES, st.booleans())
def test_what_may_not_be_told_gets_no_pin(gate: Gate, owners: bool) -> None:
    if locks.bars_result(gate, LIMITS, NOON, owners=owners):
        assert locks.bars_pin(gate, LIMITS, NOON, owners=owners)


@given(GATES)
def test_a_failure_never_opens(gate: Gate) -> None:
    if locks.bars_result(gate, LIMITS, NOON, owners=True):
        worse = locks.failed(gate, LIMITS, NOON)

        assert locks.bars_result(worse, LIMITS, NOON, owners=True)


def test_gates_come_back_as_they_were_stored(database: Database) -> None:
    first = Gate(pins=(NOON,), results=(NOON,), failures=3, locked_until=NOON, owner_locked=True)
    second = replace(first, pins=(), locked_until=None, failures=0)

    database.write(lambda s: locks.store(s, [(-(2**63), first), (2**63 - 1, OPEN)]))
    database.write(lambda s: locks.store(s, [(2**63 - 1, second)]))
    database.write(lambda s: locks.store(s, []))

    found = database.read(lambda s: locks.load(s, {-(2**63), 2**63 - 1, 5}))
    locked = database.write(lambda s: locks.load(s, [2**63 - 1], lock=True))
    assert found == {-(2**63): first, 2**63 - 1: second}
    assert locked == {2**63 - 1: second}
    assert database.read(lambda s: locks.load(s, [])) == {}
