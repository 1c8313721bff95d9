"""RECEIVE's storing: once each, in order, many at a time; and what is forgotten when."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from core.errors import DecryptionError
from core.ids import first_uuid7
from core.keyring import Sealed
from sms import inbound
from sms.inbound import Arrival, Receipt, State
from sms.links.model import Envelope
from sms.tables import INBOUND, INBOUND_KEY, SENDER
from tests.sms.gateway import Gateway, stranger

NEW, REPEATED, CONFLICTING = Receipt.NEW, Receipt.REPEATED, Receipt.CONFLICTING


def arrival(gateway: Gateway, serial: str, text: str = "HD", sender: str = "+84561234567",
            code: str = "playground") -> Arrival:  # fmt: skip
    envelope = Envelope(serial, sender, "12345", text, gateway.clock.now())
    return inbound.prepare(gateway.keyring, gateway.link(code), envelope, gateway.clock.now())


def store(gateway: Gateway, *arrivals: Arrival) -> list[Receipt]:
    return gateway.database.write(lambda s: inbound.store(s, arrivals))


def test_a_batch_holds_new_messages_repeats_and_conflicts(gateway: Gateway) -> None:
    store(gateway, arrival(gateway, "a"))
    batch = [
        arrival(gateway, "a"),
        arrival(gateway, "b"),
        arrival(gateway, "a", "HUY"),
        arrival(gateway, "b"),
        arrival(gateway, "b", "PHI"),
        arrival(gateway, "a", code="other"),
    ]

    receipts = store(gateway, *batch)

    assert receipts == [REPEATED, NEW, CONFLICTING, REPEATED, CONFLICTING, NEW]
    stored = Counter(row.operator_message_id for row in gateway.rows(INBOUND))
    assert stored == {"a": 2, "b": 1}
    (sender,) = gateway.rows(SENDER)
    assert sender.waiting == 3


def test_ways_of_writing_a_number_are_one_sender(gateway: Gateway) -> None:
    ways = ["+84561234567", "0561234567", "84561234567", "0186 1234567", "+84 56 123 45 67"]

    made = [arrival(gateway, f"w-{place}", sender=way) for place, way in enumerate(ways)]
    store(gateway, *made)

    (sender,) = gateway.rows(SENDER)
    assert (sender.waiting, sender.id) == (5, gateway.sender_id("+84561234567"))


def test_a_sender_that_is_no_mobile_is_stored_and_told_nothing(gateway: Gateway) -> None:
    for number, sender in enumerate(("VIETTEL", "+14155550123", "113", "+84 24 38251234", "x")):
        store(gateway, arrival(gateway, f"s-{number}", sender=sender))

    store(gateway, arrival(gateway, "asks", "DC 001085123456", sender="+14155550123"))

    gateway.handle()

    assert gateway.outbox() == []
    assert gateway.register.asked == 0
    assert {(row.state, row.reason) for row in gateway.rows(INBOUND)} == {
        (State.REFUSED, "not-a-vietnamese-mobile")
    }


def test_a_message_opens_in_its_own_row_alone(gateway: Gateway) -> None:
    made = arrival(gateway, "a", "DC 001085123456")

    opened = inbound.open_content(gateway.keyring, made.id, made.sealed)

    assert (opened.sender, opened.to, opened.text) == ("+84561234567", "12345", "DC 001085123456")
    assert "001085123456" not in repr(opened)
    with pytest.raises(DecryptionError):
        inbound.open_content(gateway.keyring, UUID(int=1), made.sealed)


def test_many_threads_hand_one_message_over_and_one_is_new(gateway: Gateway) -> None:
    receipts: list[Receipt] = []
    meeting = threading.Barrier(16)

    def hand_over(number: int) -> None:
        made = arrival(gateway, "the-one")
        meeting.wait(20)
        receipts.extend(store(gateway, made))

    threads = [threading.Thread(target=hand_over, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert Counter(receipts) == {NEW: 1, REPEATED: 15}
    assert len(gateway.rows(INBOUND)) == len(gateway.rows(INBOUND_KEY)) == 1


def test_many_threads_hand_many_over_and_none_is_lost(gateway: Gateway) -> None:
    receipts: list[Receipt] = []

    def hand_over(number: int) -> None:
        for place in range(10):
            made = arrival(gateway, f"{number}-{place}", sender=stranger(place % 3))
            receipts.extend(store(gateway, made))

    threads = [threading.Thread(target=hand_over, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert Counter(receipts) == {NEW: 80}
    assert sorted(row.waiting for row in gateway.rows(SENDER)) == [24, 24, 32]


def test_those_who_wait_longest_come_first_and_many_messages_take_turns(
    sqlite_gateway: Gateway,
) -> None:
    gateway = sqlite_gateway
    for _ in range(3):
        gateway.send(stranger(1), "HD")
    gateway.clock.advance(timedelta(seconds=1))
    gateway.send(stranger(2), "HD")
    gateway.clock.advance(timedelta(seconds=1))
    gateway.send(stranger(3), "HD")

    batches = [gateway.handler.run_once() for _ in range(4)]

    assert batches == [3, 1, 1, 0]
    assert {row.waiting_since for row in gateway.rows(SENDER)} == {None}


def aged(gateway: Gateway, serial: str, days: float, state: State = State.ANSWERED) -> None:
    """Store a message as if that many days ago."""
    then = gateway.clock.now() - timedelta(days=days)
    made = arrival(gateway, serial)
    tail = made.id.int & ((1 << 76) - 1)
    old = UUID(int=first_uuid7(then).int & ~((1 << 76) - 1) | tail)
    sealed = Sealed(made.sealed.key_id, made.sealed.blob)
    store(gateway, replace(made, id=old, sealed=sealed, stored_at=then))

    def end(session: sa.orm.Session) -> None:
        session.execute(sa.update(INBOUND).where(INBOUND.c.id == old).values(state=state))

    gateway.database.write(end)


def forget(gateway: Gateway) -> None:
    now = gateway.clock.now()
    gateway.database.write(lambda s: inbound.forget(s, now, catching_up=True))


def test_texts_are_forgotten_after_a_week_and_ids_after_five(gateway: Gateway) -> None:
    for days in (6.9, 7.1, 34.9, 35.1):
        aged(gateway, f"d-{days}", days)
    aged(gateway, "waits", 8, State.RECEIVED)

    forget(gateway)

    texts = {row.operator_message_id for row in gateway.rows(INBOUND) if row.blob is not None}
    keys = {row.operator_message_id for row in gateway.rows(INBOUND_KEY)}
    assert texts == {"d-6.9", "waits"}
    assert keys == {"d-6.9", "d-7.1", "d-34.9", "waits"}
    assert len(gateway.rows(INBOUND)) == 5, "that it came in is kept"


def test_an_id_that_was_forgotten_is_new_again(sqlite_gateway: Gateway) -> None:
    aged(sqlite_gateway, "old", 36)
    forget(sqlite_gateway)

    assert store(sqlite_gateway, arrival(sqlite_gateway, "old", "HUY")) == [NEW]
    forget(sqlite_gateway)
    assert store(sqlite_gateway, arrival(sqlite_gateway, "old", "HUY")) == [REPEATED]


def test_no_time_of_this_house_is_before_its_making() -> None:
    assert first_uuid7(datetime(2026, 1, 1, tzinfo=UTC)) < first_uuid7(
        datetime(2026, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)
    )
