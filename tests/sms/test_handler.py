"""HANDLE: whole conversations, in order, once each, by however many processes."""

import io
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from billing.tables import USAGE
from journal.audit import verify_live
from records.errors import RegisterFaultError
from records.register import Record
from sms.inbound import State
from sms.links import registry
from sms.links.model import LinkState
from sms.tables import INBOUND
from tests.sms.gateway import Gateway, other_than, stranger

AN_HOUR = timedelta(hours=1)


def test_a_lookup_takes_two_messages(gateway: Gateway) -> None:
    person = gateway.person()

    pin = gateway.pin(person)
    told = gateway.ask(person.phone, f"XN {pin}")

    assert told is not None
    assert (told.reply, told.to) == ("RESULT", person.phone)
    assert f"...{person.personal_id[-3:]}" in told.text
    assert [row.state for row in gateway.rows(INBOUND)] == [State.ANSWERED] * 2


def test_a_pin_opens_once(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    pin = gateway.pin(person)

    assert gateway.says(person.phone, f"XN {pin}") == "RESULT"
    assert gateway.says(person.phone, f"XN {pin}") == "NOOPEN"


def test_three_wrong_pins_end_a_request(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    pin = gateway.pin(person)

    said = [gateway.says(person.phone, f"XN {other_than(pin)}") for _ in range(3)]

    assert said == ["WRONG", "WRONG", "FAILED"]
    assert gateway.says(person.phone, f"XN {pin}") == "NOOPEN"


def test_what_was_locked_by_its_owner_is_locked_until_they_open_it(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()

    locked = gateway.says(person.phone, f"XN {gateway.pin(person, 'KHOA')}")
    gateway.clock.advance(AN_HOUR)
    barred = gateway.says(person.phone, f"DC {person.personal_id}")
    gateway.clock.advance(AN_HOUR)
    unlocked = gateway.says(person.phone, f"XN {gateway.pin(person, 'MO')}")
    gateway.clock.advance(AN_HOUR)

    assert (locked, barred, unlocked) == ("LOCKED", "NOMATCH", "UNLOCKED")
    assert gateway.pin(person)


def test_ten_wrong_pins_in_a_row_lock_a_record_for_a_day(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person, pin = gateway.person(), ""
    wrong = 0
    while wrong < 10:
        gateway.clock.advance(timedelta(hours=9))
        pin = gateway.pin(person)
        for _ in range(min(3, 10 - wrong)):
            gateway.ask(person.phone, f"XN {other_than(pin)}")
            wrong += 1

    right_one_too_late = gateway.says(person.phone, f"XN {pin}")
    gateway.clock.advance(timedelta(hours=23))
    still = gateway.says(person.phone, f"DC {person.personal_id}")
    gateway.clock.advance(timedelta(hours=2))

    assert (right_one_too_late, still) == ("NOMATCH", "NOMATCH")
    assert gateway.pin(person)


def test_messages_of_one_sender_are_handled_in_the_order_they_came(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    for text in (f"DC {person.personal_id}", "XN 000000", "HUY", "HD", "HUY"):
        gateway.send(person.phone, text)

    gateway.handle()

    rows = sorted(gateway.rows(INBOUND), key=lambda row: row.id)
    assert [row.command for row in rows] == ["DC", "XN", "HUY", "HD", "HUY"]
    replies = {row.inbound_id: row.reply for row in gateway.replies()}
    told = [replies[row.id] for row in rows]
    assert told[0] == "PIN"
    assert told[1] in {"WRONG", "RESULT"}
    assert told[2:] == ["CANCELLED", "HELP", "CANCELLED"]


def test_two_who_ask_about_one_citizen_are_counted_one_after_the_other(gateway: Gateway) -> None:
    person = gateway.person()
    for number in range(3):
        gateway.send(stranger(number), f"DC {person.personal_id}")
    gateway.send(person.phone, f"DC {person.personal_id}")

    first_batch = gateway.handler.run_once()
    gateway.handle()

    kinds = Counter(row.reply for row in gateway.replies())
    assert first_batch == 4
    assert kinds == {"NOMATCH": 3, "PIN": 1}
    assert {row.attempts for row in gateway.rows(INBOUND)} == {1}, "put back is no attempt"


def test_two_handlers_never_hold_one_sender_and_do_each_message_once(
    postgres_gateway: Gateway,
) -> None:
    gateway = postgres_gateway
    people = gateway.population(50)
    gateway.send_all((phone, text) for phone, own in own_words(people) for text in own)
    errors: list[BaseException] = []

    def work(handler_of: Gateway) -> None:
        handler = handler_of.another_handler()
        idle = 0
        try:
            while idle < 3:
                idle = 0 if handler.run_once() else idle + 1
        except Exception as error:  # noqa: BLE001 (looked at below)
            errors.append(error)

    threads = [threading.Thread(target=work, args=(gateway,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    gateway.handle()

    assert errors == []
    rows = gateway.rows(INBOUND)
    assert len(rows) == 500
    assert {row.attempts for row in rows} == {1}
    assert State.RECEIVED not in {row.state for row in rows}
    assert len(gateway.rows(USAGE)) == 500
    assert Counter(row.reply for row in gateway.replies())["PIN"] == 50
    check_order(gateway)
    report = verify_live(
        gateway.database, gateway.keyring, gateway.state_dir.parent / "keys", gateway.state_dir,
        now=gateway.clock.now(),
    )  # fmt: skip
    assert report.ok, report.findings


def own_words(people: list[Record]) -> Iterator[tuple[str, list[str]]]:
    """Have each person and as many strangers text five times, the strangers about the first."""
    for place, person in enumerate(people):
        for phone, whom in ((str(person.phone), person), (stranger(place), people[0])):
            yield phone, ["HD", f"DC {whom.personal_id}", "HUY", "gi vay", "PHI"]


def check_order(gateway: Gateway) -> None:
    """See that each sender's messages were answered in the order they came in."""
    replies = {row.inbound_id: row.id for row in gateway.replies()}
    by_sender: dict[int, list[object]] = {}
    for row in sorted(gateway.rows(INBOUND), key=lambda each: each.id):
        by_sender.setdefault(row.sender_id, []).append(replies.get(row.id))
    for answers in by_sender.values():
        assert len(answers) == 5
        given = [str(each) for each in answers if each]
        assert given == sorted(given)


def test_a_sender_is_answered_over_the_link_of_each_message(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    gateway.send(stranger(), "HD", code="playground")
    gateway.send(stranger(), "HD", code="other")
    gateway.handle()

    told = gateway.outbox()

    assert sorted(one.link for one in told) == ["other", "playground"]


def test_a_link_that_was_ended_tells_nothing_more(gateway: Gateway) -> None:
    person = gateway.person()
    pin = gateway.pin(person)
    gateway.send(person.phone, f"XN {pin}")
    link = gateway.link()
    gateway.database.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))
    gateway.clock.advance(timedelta(seconds=2))

    gateway.handle()

    assert gateway.message().state == State.SUSPENDED
    assert gateway.outbox() == []


def test_usage_tells_what_came_in_and_what_went_out(gateway: Gateway) -> None:
    gateway.ask(stranger(), "HD " + "x" * 200)
    gateway.ask(None, "HD")

    rows = sorted(gateway.rows(USAGE), key=lambda row: row.id)
    assert [(row.direction, row.status, row.segments, row.is_test) for row in rows] == [
        ("mo", "answered", 2, True),
        ("mt", "accepted", 1, True),
        ("mo", "refused", 1, True),
    ]
    assert {row.day for row in rows} == {"2026-03-02"}


def test_nothing_of_a_citizen_is_printed(
    sqlite_gateway: Gateway, capsys: pytest.CaptureFixture[str], logged: io.StringIO
) -> None:
    gateway = sqlite_gateway
    person = gateway.person()

    pin = gateway.pin(person)
    gateway.ask(person.phone, f"XN {pin}")
    gateway.register.trouble = RegisterFaultError(person.personal_id)
    gateway.ask(stranger(), f"DC {person.personal_id}")

    assert logged.getvalue()
    printed = "".join((*capsys.readouterr(), logged.getvalue()))
    for secret in (person.personal_id, str(person.phone), pin, person.full_name, str(stranger())):
        assert secret not in printed
