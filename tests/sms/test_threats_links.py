"""Rows T1, T7, T9, T10 and T14 of the threat model on every kind of link."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from core import metrics
from core.phone import Msisdn
from records import citizens, stops
from records.pins import CHALLENGE
from records.register import Record
from records.stops import Order, Scope, StopReason
from sms.inbound import State
from sms.links import registry
from sms.links.assessments import Assessment
from sms.links.model import LinkKind, Subject
from sms.links.registry import NewLink
from sms.links.smpp import profile
from tests.sms.door import Door
from tests.sms.gateway import REAL, TEST, Gateway, Told, other_than, stranger
from tests.sms.test_webhook import check_problem

PURPOSES = ("DC", "NK", "KHOA", "MO")
EVERY_COMMAND = (*(f"{word} {{}}" for word in PURPOSES), "XN 123456", "KT 7F3K92", "SAI 7F3K92",
                 "HUY", "PHI", "what is this")  # fmt: skip
HELP_AND_DOWN = {**dict.fromkeys(EVERY_COMMAND, "DOWN"), "HD": "HELP"}
SMSC = profile.dump(profile.make({"hosts": ["127.0.0.1"], "port": 2775, "system_id": "tradan"}))


def add_link(
    gateway: Gateway,
    code: str,
    kind: LinkKind = LinkKind.HTTP,
    *,
    operator: str | None = None,
    assessed_by: str | None = "tests",
) -> None:
    """Add another link for tests."""
    new = NewLink(
        code=code, kind=kind, url="https://operator.example", secret="s3cret", is_test=True,
        operator=operator, assessed_by=assessed_by,
        profile=SMSC if kind is LinkKind.SMPP else None,
    )  # fmt: skip
    now = gateway.clock.now()
    gateway.database.write(lambda s: registry.add(s, gateway.keyring, new, now))
    gateway.clock.advance(timedelta(seconds=2))


def told_all(gateway: Gateway) -> list[Told]:
    """Handle what waits and return every reply that left."""
    gateway.handle()
    return gateway.outbox()


def test_t1_a_forged_sender_has_the_number_on_file_told_and_nobody_else(
    sqlite_gateway: Gateway,
) -> None:
    gateway = sqlite_gateway
    for number, kind in enumerate(LinkKind):
        add_link(gateway, kind, kind)
        victim, forger = gateway.person(), stranger(number)

        gateway.send(victim.phone, f"DC {victim.personal_id}", code=kind)
        gateway.send(forger, f"DC {victim.personal_id}", code=kind)
        told = {each.to: each.reply for each in told_all(gateway)}

        assert told == {victim.phone: "PIN", forger: "NOMATCH"}


def test_t1_a_pin_asked_for_over_another_operators_link_opens_nothing_on_ones_own(
    sqlite_gateway: Gateway,
) -> None:
    gateway = sqlite_gateway
    for kind in LinkKind:
        add_link(gateway, kind, kind)
        victim = gateway.person()
        pin = gateway.pin(victim, code=kind)

        here = [gateway.says(victim.phone, f"XN {each}") for each in (pin, other_than(pin))]

        assert here == ["NOOPEN", "NOOPEN"]
    assert {row.tries_left for row in gateway.rows(CHALLENGE)} == {3}, "T2: nor is a try burnt"


def test_t1_whatever_is_asked_the_answer_goes_to_who_asked(gateway: Gateway) -> None:
    victim = gateway.person()
    asked = {stranger(number): text for number, text in enumerate((*EVERY_COMMAND, "HD"))}
    for sender, text in asked.items():
        gateway.send(sender, text.format(victim.personal_id))

    told = told_all(gateway)

    assert sorted(each.to for each in told) == sorted(asked)
    assert {each.link for each in told} == {TEST}


def near(number: Msisdn) -> Sequence[str]:
    """Write numbers that are another's by one digit, by their order, or by their range."""
    last = number[:-1] + str((int(number[-1]) + 1) % 10)
    swapped = number[:-2] + number[-1] + number[-2]
    ranged = number[:3] + ("8" if number[3] == "9" else "9") + "1" + number[5:]
    return [each for each in (last, swapped, ranged) if each != number]


def test_t7_the_number_must_be_the_one_on_file_to_the_digit(sqlite_gateway: Gateway) -> None:
    for word in PURPOSES:
        person = sqlite_gateway.person()
        assert person.phone is not None
        for number in near(person.phone):
            assert sqlite_gateway.says(number, f"{word} {person.personal_id}") == "NOMATCH"
            assert str(sqlite_gateway.message().reason).startswith("other-number")


def moved(gateway: Gateway, person: Record) -> None:
    """Have the register say that a citizen has another number now."""
    elsewhere = replace(person, phone=stranger(next(gateway.serials)))
    citizens.store(gateway.database, gateway.keyring, [elsewhere])


def test_t7_an_ex_owner_is_told_nothing_before_the_pin_or_after_it(gateway: Gateway) -> None:
    for word in PURPOSES:
        before, after = gateway.population(2)
        pin = gateway.pin(after, word)
        moved(gateway, before)
        refused = gateway.says(before.phone, f"{word} {before.personal_id}")
        moved(gateway, after)

        released = gateway.says(after.phone, f"XN {pin}")

        assert (refused, released) == ("NOMATCH", "NOMATCH")
        assert gateway.message().state == State.REFUSED
        assert str(gateway.message().reason).startswith("other-number")


def test_t9_an_operator_that_is_stopped_is_stopped_on_every_link_of_its_own(
    gateway: Gateway,
) -> None:
    for kind in LinkKind:
        add_link(gateway, f"theirs-{kind}", kind, operator="theirs")
    asking, giving, other = gateway.population(3)
    pin = gateway.pin(giving, code="theirs-smpp")
    gateway.send(asking.phone, f"DC {asking.personal_id}", code="theirs-smpp")
    gateway.handle()
    order = Order(scope=Scope.OPERATOR, key="theirs", reason=StopReason.MISUSE, by="lan")
    gateway.database.write(lambda s: stops.stop(s, order, gateway.clock.now()))

    held = gateway.outbox()
    told = [
        gateway.says(stranger(number), "PHI", code=f"theirs-{kind}")
        for number, kind in enumerate(LinkKind)
    ]
    opened = gateway.says(giving.phone, f"XN {pin}", code="theirs-smpp")

    assert held == [], "what lay ready stays"
    assert {*told, opened} == {"DOWN"}
    assert gateway.says(other.phone, f"DC {other.personal_id}") == "PIN", "nobody else is stopped"


@pytest.mark.parametrize(("code", "seconds", "told"), [
    (REAL, 2.9, 1), (REAL, 3.0, 0), (REAL, 40, 0), (TEST, 0, 0),
])  # fmt: skip
def test_t9_a_pin_that_comes_back_sooner_than_a_person_types_is_told(
    sqlite_gateway: Gateway, logged: io.StringIO, code: str, seconds: float, told: int
) -> None:
    gateway, person = sqlite_gateway, sqlite_gateway.person(is_test=code == TEST)
    counter = metrics.ALARMS.labels("pin-too-quick")._value
    pin, before = gateway.pin(person, code=code), counter.get()
    gateway.clock.advance(timedelta(seconds=seconds))

    assert gateway.says(person.phone, f"XN {other_than(pin)}", code=code) == "WRONG"
    assert gateway.says(person.phone, f"XN {pin}", code=code) == "RESULT"

    assert counter.get() - before == told
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    said = [line for line in lines if line["event"] == "pin.too_quick"]
    assert [(line["link"], line["seconds"]) for line in said] == [(code, seconds)] * told


def carried(gateway: Gateway, person: Record, code: str) -> dict[str, str | None]:
    """Return what each command is told over a link, each asked from a number of its own."""
    return {
        text: gateway.says(
            stranger(next(gateway.serials)), text.format(person.personal_id), code=code
        )
        for text in (*EVERY_COMMAND, "HD")
    }


def test_t10_a_link_that_nobody_vouches_for_carries_help_and_down_alone(
    sqlite_gateway: Gateway,
) -> None:
    gateway, person = sqlite_gateway, sqlite_gateway.person()
    for kind in LinkKind:
        add_link(gateway, kind, kind, assessed_by=None)

        assert carried(gateway, person, kind) == HELP_AND_DOWN
        assert gateway.says(person.phone, f"DC {person.personal_id}", code=kind) == "DOWN"


def test_t10_nor_does_one_whose_assessment_has_ended(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    for kind in LinkKind:
        person, began = gateway.person(), gateway.clock.now()
        add_link(gateway, kind, kind)
        link = gateway.link(kind)
        made = Assessment("officer:lan", began, began + timedelta(minutes=2), "", "")
        gateway.database.write(partial(registry.assess, link=link, made=made))
        gateway.clock.advance(timedelta(seconds=2))
        pin = gateway.pin(person, code=kind)
        gateway.clock.advance(timedelta(minutes=2))

        assert gateway.says(person.phone, f"XN {pin}", code=kind) == "DOWN"
        assert carried(gateway, person, kind) == HELP_AND_DOWN


@pytest.mark.parametrize("subject", Subject)
def test_t14_a_link_that_speaks_smpp_is_nobody_over_http(door: Door, subject: Subject) -> None:
    new = NewLink(
        code="smsc", kind=LinkKind.SMPP, url="smpp://127.0.0.1", secret="s3cret", profile=SMSC
    )
    now, keyring = door.clock.now(), door.service.keyring
    door.database.inner.write(lambda s: registry.add(s, keyring, new, now))
    door.later(2)

    known = door.post(door.event(), path=f"/sms/smsc/{subject}")
    nobody = door.post(door.event(), path=f"/sms/nobody/{subject}")

    check_problem(known, 401)
    assert known.data == nobody.data
    assert door.stored() == []
