"""What happens when the money for replies runs out, in whole conversations."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing.guard_counts import GUARD_COUNT
from billing.guards import Budgets
from core.db import Database
from core.keyring import Keyring
from journal.tables import JOURNAL_ENTRY
from records.pins import CHALLENGE
from sms.guards import Guards
from sms.handler import BATCH, Handler
from sms.inbound import State
from tests.fakes import NOON, FixedClock
from tests.sms.gateway import OTHER, REAL, TEST, Gateway
from tests.sms.guarded import (
    BUDGETS,
    MUCH,
    PRICE,
    REPLIES,
    ask_all,
    charge,
    citizens,
    guarded,
    look_up_all,
    put,
    says,
    spent,
)

HOUR = timedelta(hours=1)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def gateway(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    with guarded(database, keyring, keys_dir, tmp_path, clock) as made:
        yield made


@pytest.fixture
def sqlite_gateway(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    with guarded(sqlite_database, keyring, keys_dir, tmp_path, clock) as made:
        yield made


def use_up(gateway: Gateway) -> None:
    put(gateway, spent=REPLIES * PRICE)
    gateway.clock.advance(SECOND)


def test_an_hours_budget_used_up_by_conversations_stops_new_pins(gateway: Gateway) -> None:
    """DC and NK are refused, KHOA and MO go on within a tenth, XN and HUY always."""
    people = citizens(gateway, 32)
    early = gateway.pin(people[30], code=REAL)
    look_up_all(gateway, people[:19])
    last = gateway.pin(people[31], code=REAL)
    asked = gateway.register.asked

    refused = [says(gateway, people[19], "DC"), says(gateway, people[20], "NK")]

    assert (refused, gateway.register.asked) == (["QUOTA", "QUOTA"], asked)
    owners = [
        says(gateway, one, word)
        for one, word in zip(people[21:26], ["KHOA", "MO", "KHOA", "MO", "KHOA"], strict=True)
    ]
    assert owners == ["PIN"] * 4 + ["QUOTA"], "four of forty are a tenth"
    assert gateway.says(people[30].phone, f"XN {early}", code=REAL) == "RESULT"
    assert gateway.says(people[31].phone, "HUY", code=REAL) == "CANCELLED"
    assert gateway.says(people[31].phone, f"XN {last}", code=REAL) == "NOOPEN"
    told = [says(gateway, one, "DC") for one in people[26:28]]
    assert told == ["QUOTA", None], "four words are a tenth as well"
    assert gateway.message().reason == "budget"


def test_what_a_budget_refuses_leaves_no_trace_but_its_usage(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person, other = citizens(gateway, 2)
    open_pin = gateway.pin(person, code=REAL)
    use_up(gateway)
    gateway.clock.advance(MINUTE)
    entries, challenges = len(gateway.rows(JOURNAL_ENTRY)), len(gateway.rows(CHALLENGE))

    again, unknown = says(gateway, person, "DC"), says(gateway, other, "NK")

    assert (again, unknown) == ("QUOTA", "QUOTA")
    assert len(gateway.rows(JOURNAL_ENTRY)) == entries
    assert len(gateway.rows(CHALLENGE)) == challenges
    assert gateway.message().state == State.REFUSED
    assert gateway.says(person.phone, f"XN {open_pin}", code=REAL) == "RESULT"


def test_the_next_hour_opens_again(gateway: Gateway) -> None:
    people = citizens(gateway, 3)
    use_up(gateway)

    before = says(gateway, people[0], "DC")
    gateway.clock.advance(HOUR - MINUTE)
    nearly = says(gateway, people[1], "DC")
    gateway.clock.advance(MINUTE)

    assert (before, nearly, says(gateway, people[2], "DC")) == ("QUOTA", "QUOTA", "PIN")


def test_a_days_budget_opens_at_midnight_in_viet_nam(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    budgets = Budgets(operator_hour=MUCH, operator_day=40 * PRICE, hour=MUCH, day=MUCH)
    with guarded(sqlite_database, keyring, keys_dir, tmp_path, clock, budgets) as gateway:
        people = citizens(gateway, 3)
        use_up(gateway)
        said = [says(gateway, people[0], "DC")]
        gateway.clock.advance(11 * HOUR + 59 * MINUTE)
        said.append(says(gateway, people[1], "DC"))
        gateway.clock.advance(MINUTE)
        said.append(says(gateway, people[2], "DC"))

    assert said == ["QUOTA", "QUOTA", "PIN"]


def test_an_operators_budget_is_no_other_operators(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    people = citizens(gateway, 2)
    use_up(gateway)

    assert says(gateway, people[0], "DC", REAL) == "QUOTA"
    assert says(gateway, people[1], "DC", OTHER) == "PIN"


def test_everybodys_budget_is_every_operators(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    budgets = Budgets(operator_hour=MUCH, operator_day=MUCH, hour=40 * PRICE, day=MUCH)
    with guarded(sqlite_database, keyring, keys_dir, tmp_path, clock, budgets) as gateway:
        people = citizens(gateway, 2)
        use_up(gateway)

        assert [
            says(gateway, one, "DC", code) for one, code in zip(people, (REAL, OTHER), strict=True)
        ] == ["QUOTA"] * 2


def test_where_replies_are_not_billed_no_budget_is_used_up(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    charge(gateway, REAL, 0, gateway.clock.now().date())
    people = citizens(gateway, REPLIES // 2 + 1)

    look_up_all(gateway, people)

    assert spent(gateway) == 0


def test_traffic_of_tests_is_not_counted(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    charge(gateway, TEST, PRICE)
    person = gateway.person()

    gateway.ask(person.phone, f"XN {gateway.pin(person)}")

    assert gateway.rows(GUARD_COUNT) == []


def test_a_reply_costs_what_held_on_the_day_of_the_message(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    gateway.clock.at = datetime(2026, 3, 2, 16, 59, 59, tzinfo=UTC)  # 23:59:59 in Viet Nam
    charge(gateway, REAL, 9 * PRICE, date(2026, 3, 3))
    first, second = citizens(gateway, 2)
    gateway.send(first.phone, f"DC {first.personal_id}", code=REAL)
    gateway.clock.advance(SECOND)
    gateway.send(second.phone, f"DC {second.personal_id}", code=REAL)

    gateway.handle()

    assert spent(gateway) == 10 * PRICE


def test_replies_are_counted_in_the_commit_that_decides_them(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    first, second = citizens(gateway, 2)
    told = gateway.ask(first.phone, f"DC {second.personal_id}", code=REAL)
    gateway.pin(second, code=REAL)

    (row,) = gateway.rows(GUARD_COUNT)

    assert told is not None
    assert (told.reply, row.spent, row.asked, row.pins) == ("NOMATCH", 2 * PRICE, 2, 1)


def test_a_right_pin_counts_where_the_pin_was_made(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = citizens(gateway, 1)[0]
    gateway.clock.advance(2 * MINUTE)
    pin = gateway.pin(person, code=REAL)
    gateway.clock.advance(4 * MINUTE)

    assert gateway.says(person.phone, f"XN {pin}", code=REAL) == "RESULT"

    rows = {row.since - NOON: (row.pins, row.completed) for row in gateway.rows(GUARD_COUNT)}
    assert rows == {timedelta(): (1, 1), 5 * MINUTE: (0, 0)}


def test_another_process_goes_by_the_same_rows(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    people = citizens(gateway, 2)
    use_up(gateway)
    fresh = gateway.another_handler()
    gateway.send(people[0].phone, f"DC {people[0].personal_id}", code=REAL)

    fresh.run_once()

    assert [row.reply for row in gateway.replies()] == ["QUOTA"]


def test_one_process_spends_a_budget_to_the_reply(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    people = citizens(gateway, 64)

    told = Counter(one.reply for one in ask_all(gateway, people))

    assert told == {"PIN": REPLIES, "QUOTA": REPLIES // 10}


def test_several_processes_overspend_no_more_than_is_documented(
    postgres_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    """Each may spend what the others have not seen: what it spends unseen, and one batch."""
    keyring = Keyring.load(keys_dir, postgres_database, clock)
    with guarded(postgres_database, keyring, keys_dir, tmp_path, clock) as gateway:
        people = citizens(gateway, 180)
        for person in people:
            gateway.send(person.phone, f"DC {person.personal_id}", code=REAL)
        unseen = 4

        work_at_once([worker(gateway, unseen) for _ in range(2)])

        pins = sum(row.reply == "PIN" for row in gateway.replies())
        assert REPLIES <= pins <= REPLIES + unseen + BATCH
        assert {row.state for row in gateway.rows(CHALLENGE)} == {"open"}
        assert spent(gateway) == len(gateway.replies()) * PRICE


def worker(gateway: Gateway, unseen: int) -> Handler:
    mine = Guards(
        gateway.database, gateway.keyring, gateway.links, gateway.clock,
        budgets=BUDGETS, pin_life=gateway.policy.pin.life, most_unseen=unseen,
    )  # fmt: skip
    return replace(gateway.another_handler(), guards=mine)


def work_at_once(workers: list[Handler]) -> None:
    def work(handler: Handler) -> None:
        while handler.run_once():
            pass

    threads = [threading.Thread(target=work, args=(each,)) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_what_cannot_be_read_counts_as_used_up(gateway: Gateway) -> None:
    people = citizens(gateway, 3)
    pin = gateway.pin(people[0], code=REAL)
    rename(gateway, "tariff", "away")
    gateway.clock.advance(MINUTE)
    asked = gateway.register.asked

    new = [says(gateway, people[1], word) for word in ("DC", "KHOA")]

    assert (new, gateway.message().reason) == (["DOWN", "DOWN"], "guards-unreadable")
    assert gateway.register.asked == asked
    assert gateway.says(people[0].phone, f"XN {pin}", code=REAL) == "RESULT"
    assert gateway.says(people[2].phone, "HUY", code=REAL) == "CANCELLED"

    rename(gateway, "away", "tariff")
    gateway.clock.advance(SECOND)
    assert says(gateway, people[1], "DC") == "PIN"


def rename(gateway: Gateway, old: str, new: str) -> None:
    gateway.database.write(
        lambda s: s.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}")).close()
    )
