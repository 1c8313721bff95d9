"""What is told of budgets and signals: each level once, in metrics, log and alarms."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from billing.guard_counts import GUARD_COUNT
from core import metrics
from core.db import Database
from core.keyring import Keyring
from sms.guard_alarms import GuardAlarms
from tests.fakes import FixedClock
from tests.sms.gateway import REAL, Gateway
from tests.sms.guarded import BUDGETS, PRICE, REPLIES, alarms, guarded, put

KINDS = ("budget-70", "budget-90", "budget-spent", "pumping")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def gateway(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    with guarded(sqlite_database, keyring, keys_dir, tmp_path, clock) as made:
        yield made


@pytest.fixture
def watch(gateway: Gateway) -> GuardAlarms:
    return GuardAlarms(
        gateway.database, gateway.links, gateway.clock,
        budgets=BUDGETS, pin_life=gateway.policy.pin.life,
    )  # fmt: skip


def raised(watch: GuardAlarms) -> dict[str, float]:
    """Look, and return which alarms that raised."""
    before = {kind: alarms(kind) for kind in KINDS}
    watch.look()
    return {kind: alarms(kind) - before[kind] for kind in KINDS if alarms(kind) > before[kind]}


def use(gateway: Gateway, replies: int) -> None:
    put(gateway, spent=replies * PRICE)


def test_each_level_of_a_budget_is_told_once(gateway: Gateway, watch: GuardAlarms) -> None:
    told = []
    for replies in (27, 1, 0, 8, 4, 5):
        use(gateway, replies)
        told.append(raised(watch))

    assert told == [{}, {"budget-70": 1}, {}, {"budget-90": 1}, {"budget-spent": 1}, {}]


def test_a_level_is_told_again_in_the_next_hour(gateway: Gateway, watch: GuardAlarms) -> None:
    use(gateway, REPLIES)
    first = raised(watch)
    gateway.clock.advance(HOUR)
    quiet = raised(watch)
    use(gateway, REPLIES - 5)

    assert (first, quiet, raised(watch)) == ({"budget-spent": 1}, {}, {"budget-70": 1})


def test_metrics_tell_how_much_of_a_budget_is_used(gateway: Gateway, watch: GuardAlarms) -> None:
    use(gateway, REPLIES // 2)
    watch.look()

    used = {
        (operator, window): metrics.BUDGET_USED.labels(operator, window)._value.get()
        for operator in (REAL, "*")
        for window in ("hour", "day")
    }

    assert used[REAL, "hour"] == 0.5
    assert 0 < used["*", "day"] < 0.01


def test_a_signal_is_told_once_and_shown_while_it_lasts(
    gateway: Gateway, watch: GuardAlarms
) -> None:
    def slowed() -> float:
        return float(metrics.LINK_SLOWED.labels(REAL)._value.get())

    put(gateway, pins=50, completed=9)
    alive = raised(watch)
    gateway.clock.advance(10 * MINUTE)
    found = [raised(watch), raised(watch)]

    assert (alive, found, slowed()) == ({}, [{"pumping": 1}, {}], 1)
    gateway.clock.advance(HOUR)
    assert (raised(watch), slowed()) == ({}, 0)


def test_neighbours_are_a_signal_of_their_own(gateway: Gateway, watch: GuardAlarms) -> None:
    put(gateway, block=7, numbers=31)

    assert raised(watch) == {"pumping": 1}


def test_old_counts_are_let_go(gateway: Gateway, watch: GuardAlarms) -> None:
    use(gateway, 1)
    gateway.clock.advance(timedelta(weeks=9))

    watch.forget()

    assert gateway.rows(GUARD_COUNT) == []
