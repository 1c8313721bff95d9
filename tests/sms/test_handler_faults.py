"""HANDLE when something breaks: processes, registers, the journal, rows."""

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core import metrics
from core.ids import uuid7
from journal.journal import MEMORY_FILE
from journal.tables import JOURNAL_ENTRY
from records import stops
from records.errors import RegisterDownError, RegisterFaultError
from records.pins import CHALLENGE
from records.register import Record
from records.stops import STOP, Order, Scope, StopReason
from records.tables import CITIZEN
from sms import queue
from sms.inbound import State
from sms.queue import LEASE
from sms.tables import INBOUND, SENDER
from tests.sms.gateway import Gateway, stranger

AN_HOUR = timedelta(hours=1)


def claim(gateway: Gateway, limit: int = 64) -> list[queue.Waiting]:
    """Take messages as a process does that dies before it has handled them."""
    now = gateway.clock.now()
    return gateway.database.write(lambda s: queue.claim(s, uuid7(), now, limit=limit))


def alarms(kind: str) -> float:
    return float(metrics.ALARMS.labels(kind)._value.get())


def spoil(gateway: Gateway, table: sa.Table, **values: object) -> None:
    """Write into every row of a table, as somebody with the database in hand."""
    gateway.database.write(lambda s: s.execute(sa.update(table).values(**values)).close())


def test_what_a_dead_process_had_taken_is_done_after_its_lease(gateway: Gateway) -> None:
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    assert len(claim(gateway)) == 1

    before = gateway.handle()
    gateway.clock.advance(LEASE - timedelta(microseconds=1))
    nearly = gateway.handle()
    gateway.clock.advance(timedelta(microseconds=1))

    assert (before, nearly, gateway.handle()) == (0, 0, 1)
    assert [row.reply for row in gateway.replies()] == ["PIN"]


def test_after_a_crash_each_message_comes_alone(gateway: Gateway) -> None:
    for number in range(3):
        gateway.send(stranger(number), "HD")
    assert len(claim(gateway)) == 3
    gateway.send(stranger(9), "HD")
    gateway.clock.advance(LEASE)

    batches = []
    while size := gateway.handler.run_once():
        batches.append(size)

    assert batches == [1, 1, 1, 1]
    assert {row.state for row in gateway.rows(INBOUND)} == {State.ANSWERED}


def test_on_sqlite_a_start_takes_a_dead_process_leases_back_at_once(
    sqlite_gateway: Gateway,
) -> None:
    sqlite_gateway.send(stranger(), "HD")
    claim(sqlite_gateway)

    sqlite_gateway.database.write(queue.take_back)

    assert sqlite_gateway.handle() == 1


def test_whoever_was_overtaken_changes_nothing(gateway: Gateway) -> None:
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    (waiting,) = claim(gateway)
    gateway.clock.advance(LEASE)
    token, now = uuid7(), gateway.clock.now()
    (again,) = gateway.database.write(lambda s: queue.claim(s, token, now, limit=9))

    def come_back(session: sa.orm.Session) -> set[int]:
        queue.give_back(session, uuid7(), [waiting])
        queue.let_go(session, uuid7(), [waiting])
        queue.give_up(session, uuid7(), [waiting], now)
        return queue.hold(session, uuid7(), [waiting.sender_id])

    assert gateway.database.write(come_back) == set()
    assert (waiting.attempts, again.attempts) == (0, 1)
    assert gateway.message().attempts == 2
    assert gateway.message().state == State.RECEIVED
    (sender,) = gateway.rows(SENDER)
    assert sender.lease_token == token


def test_a_message_that_keeps_failing_is_put_aside_after_five_times_alone(
    gateway: Gateway,
) -> None:
    person, other = gateway.population(2)
    gateway.register.trouble = ZeroDivisionError("a bug of the register's")
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.send(other.phone, "HD")

    runs = 0
    while gateway.handler.run_once():
        runs += 1
        assert runs < 20
    gateway.seal()
    told = {one.to: one.reply for one in gateway.outbox()}

    assert told == {person.phone: "DOWN", other.phone: "HELP"}
    by_state = {row.state: row.attempts for row in gateway.rows(INBOUND)}
    assert by_state[State.QUARANTINED] == 7, "once among others, five times alone, once for DOWN"
    assert gateway.register.asked == 6
    assert alarms("handle-failed") > 0
    gateway.register.trouble = None
    gateway.clock.advance(timedelta(minutes=1))
    assert gateway.pin(person)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (CHALLENGE, {"pin_hash": "not a hash"}),
        (CHALLENGE, {"blob": b"not a ciphertext, whatever it says"}),
        (SENDER, {"history": "not JSON"}),
        (INBOUND, {"blob": b"not a ciphertext, whatever it says"}),
        (INBOUND, {"blob": None}),
    ],
)
def test_what_somebody_spoilt_harms_nobody_else(
    sqlite_gateway: Gateway, table: sa.Table, values: dict[str, object]
) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    pin = gateway.pin(person)
    gateway.send(person.phone, f"XN {pin}")
    spoil(gateway, table, **values)
    gateway.send(stranger(), "HD")

    gateway.handle()

    states = Counter(row.state for row in gateway.rows(INBOUND))
    assert states == {State.ANSWERED: 2, State.QUARANTINED: 1}
    assert {row.waiting for row in gateway.rows(SENDER)} == {0}
    assert "RESULT" not in {row.reply for row in gateway.replies()}


def test_a_register_that_is_down_is_told_as_down(gateway: Gateway) -> None:
    person = gateway.person()
    gateway.register.trouble = RegisterDownError("no answer")

    said = gateway.says(person.phone, f"DC {person.personal_id}")
    gateway.register.trouble = None

    assert said == "DOWN"
    assert gateway.rows(STOP) == []
    assert gateway.pin(person), "at once: nothing was counted"


def test_a_right_pin_outlives_a_register_that_is_down(gateway: Gateway) -> None:
    person = gateway.person()
    pin = gateway.pin(person)
    gateway.register.trouble = RegisterDownError("no answer")

    said = gateway.says(person.phone, f"XN {pin}")
    gateway.register.trouble = None

    assert said == "DOWN"
    assert gateway.says(person.phone, f"XN {pin}") == "RESULT"


@pytest.mark.parametrize("how", ["another person", "an error", "a row that does not open"])
def test_a_register_that_errs_stops_disclosure(sqlite_gateway: Gateway, how: str) -> None:
    gateway = sqlite_gateway
    person, other = gateway.population(2)
    before = alarms("register-fault")
    if how == "another person":
        gateway.register.instead = other
    elif how == "an error":
        gateway.register.trouble = RegisterFaultError("garbage")
    else:
        spoil(gateway, CITIZEN, blob=b"not a ciphertext, whatever it says")

    said = gateway.says(person.phone, f"DC {person.personal_id}")

    assert said == "DOWN"
    (stop,) = gateway.rows(STOP)
    assert (stop.scope, stop.reason, stop.stopped_by) == (
        Scope.DISCLOSURE,
        StopReason.REGISTER_FAULT,
        "system",
    )
    assert alarms("register-fault") > before
    entries = Counter(row.kind for row in gateway.rows(JOURNAL_ENTRY))
    assert entries["control"] == 1
    assert "lookup" not in entries


def test_a_register_that_errs_stops_disclosure_on_both(gateway: Gateway) -> None:
    person, other = gateway.population(2)
    gateway.register.instead = other

    gateway.says(person.phone, f"DC {person.personal_id}")
    gateway.register.instead = None
    gateway.clock.advance(AN_HOUR)

    assert gateway.says(person.phone, f"DC {person.personal_id}") == "DOWN", "two must resume"
    assert gateway.says(person.phone, "HUY") == "CANCELLED"
    assert len(gateway.rows(STOP)) == 1


def spoil_the_memory(gateway: Gateway) -> None:
    """Have the signer find something else than what it had remembered."""
    path = gateway.state_dir / MEMORY_FILE
    size = path.stat().st_size
    with path.open("r+b") as memory:
        memory.write(b"x" * size)


def test_a_journal_fault_stops_disclosure_and_nobody_waits(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person, other = gateway.population(2)
    gateway.pin(person)
    before = alarms("journal-fault")
    spoil_the_memory(gateway)
    gateway.clock.advance(AN_HOUR)
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.send(other.phone, "HUY")
    gateway.send(stranger(), "HD")

    gateway.handle()

    told = {one.to: one.reply for one in gateway.outbox()}
    assert told == {person.phone: "DOWN", other.phone: "DOWN", stranger(): "HELP"}
    (stop,) = gateway.rows(STOP)
    assert (stop.scope, stop.reason) == (Scope.DISCLOSURE, StopReason.JOURNAL_FAULT)
    assert alarms("journal-fault") > before
    assert State.RECEIVED not in {row.state for row in gateway.rows(INBOUND)}


def test_under_a_journal_fault_huy_is_down_each_time(sqlite_gateway: Gateway) -> None:
    spoil_the_memory(sqlite_gateway)

    said = [sqlite_gateway.says(stranger(), "HUY") for _ in range(3)]

    assert said == ["DOWN"] * 3


def test_a_sealer_that_lags_is_down_after_five_seconds(postgres_gateway: Gateway) -> None:
    gateway = postgres_gateway
    first, second, third = gateway.population(3)
    gateway.send(first.phone, f"DC {first.personal_id}")
    gateway.handler.run_once()

    gateway.clock.advance(timedelta(seconds=5))
    gateway.send(second.phone, f"DC {second.personal_id}")
    gateway.handler.run_once()
    gateway.clock.advance(timedelta(microseconds=1))
    gateway.send(third.phone, f"DC {third.personal_id}")
    gateway.handler.run_once()

    by_message = {row.inbound_id: row for row in gateway.replies()}
    rows = sorted(gateway.rows(INBOUND), key=lambda row: row.id)
    assert [by_message[row.id].reply for row in rows] == ["PIN", "PIN", "DOWN"]
    assert rows[2].reason == "journal-down"
    assert [one.reply for one in gateway.outbox()] == ["DOWN"], "what has no seal does not leave"


def test_facts_that_moved_meanwhile_are_looked_at_again(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    pin = gateway.pin(person)

    class StopsMeanwhile:
        def find(self, ids: object) -> dict[object, Record | None]:
            now = gateway.clock.now()
            gateway.database.write(
                lambda s: stops.stop(
                    s, Order(scope=Scope.DISCLOSURE, reason=StopReason.SECURITY, by="officer"), now
                )
            )
            return dict(gateway.register.find(ids))  # type: ignore[arg-type]  # they are numbers

    gateway.handler = gateway.another_handler(StopsMeanwhile())  # type: ignore[arg-type]  # a register of this test

    assert gateway.says(person.phone, f"XN {pin}") == "DOWN"
    assert gateway.message().attempts == 1
    (challenge,) = gateway.rows(CHALLENGE)
    assert (challenge.state, challenge.tries_left) == ("open", 3)
