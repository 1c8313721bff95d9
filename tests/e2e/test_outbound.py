"""The operator is down, busy, or does not answer: what becomes of a reply."""

from collections.abc import Iterator

import pytest

from tests.e2e.fake_operator import OK, Answer, Mt, Wreck
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, pin_in
from tests.e2e.people import Person, plain


def assert_same(copies: list[Mt]) -> None:
    """Check that the operator can tell that these are copies of one message."""
    assert len({mt.body for mt in copies}) == 1
    assert len({mt.headers["webhook-id"] for mt in copies}) == 1
    assert all(mt.verified for mt in copies)


def test_a_reply_waits_for_an_operator_that_is_down(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    telco.operator.shut()
    try:
        asked = telco.send(person.phone, f"DC {person.personal_id}")
        assert service.until_handled(telco, asked) == "answered"
    finally:
        telco.operator.open()

    reply = telco.operator.reply_to(asked, within=60)  # the pause grows up to 30 s
    result = telco.ask(person.phone, f"XN {pin_in(reply)}")

    assert person.plain_name in plain(result.text)
    assert len(telco.operator.copies(asked)) == 1


def test_a_refusal_that_passes_is_outlasted(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    telco.operator.plan(person.phone, 503, 429, OK)

    asked = telco.send(person.phone, "HD")
    telco.operator.copy(asked, 3)

    assert service.until_sent(telco, asked) == "accepted"
    copies = telco.operator.copies(asked)
    assert_same(copies)
    assert [mt.answered for mt in copies] == [503, 429, OK]


def test_a_refusal_for_good_is_taken_as_one(
    service: Deployment, telco: HttpLink, person: Person, at_hand: Iterator[Person]
) -> None:
    telco.operator.plan(person.phone, 400)

    asked = telco.send(person.phone, "HD")
    state = service.until_sent(telco, asked)
    telco.outlast_a_retry(next(at_hand).phone)

    assert state not in {"accepted", "unknown"}
    assert len(telco.operator.copies(asked)) == 1


@pytest.mark.slow
def test_a_reply_whose_fate_is_unknown_is_offered_once_more_and_never_again(
    service: Deployment, telco: HttpLink, at_hand: Iterator[Person]
) -> None:
    fates: dict[tuple[Answer, ...], tuple[str, int]] = {
        (Wreck.RESET, OK): ("accepted", 2),
        (Wreck.STALL, OK): ("accepted", 2),
        (500, OK): ("accepted", 2),
        (Wreck.RESET, Wreck.RESET): ("unknown", 2),
        (500, 502): ("unknown", 2),
        (Wreck.RESET, 503, OK): ("accepted", 3),
        (503, Wreck.RESET, OK): ("accepted", 3),
        (OK,): ("accepted", 1),
    }
    asked = {}
    for fate in fates:
        phone = next(at_hand).phone
        telco.operator.plan(phone, *fate)
        asked[telco.send(phone, "HD")] = fate

    ends = {message_id: service.until_sent(telco, message_id) for message_id in asked}
    telco.outlast_a_retry(next(at_hand).phone)

    for message_id, fate in asked.items():
        copies = telco.operator.copies(message_id)
        assert (ends[message_id], len(copies)) == fates[fate], fate
        assert_same(copies)


def test_a_redirect_is_not_followed(service: Deployment, telco: HttpLink, person: Person) -> None:
    telco.operator.plan(person.phone, 302, 307, OK)

    asked = telco.send(person.phone, f"DC {person.personal_id}")
    service.until_sent(telco, asked)

    assert telco.operator.strays == []


def test_a_repeat_of_what_was_answered_sends_nothing(telco: HttpLink, person: Person) -> None:
    reply = telco.ask(person.phone, f"DC {person.personal_id}", id=f"again-{person.personal_id}")

    telco.send(person.phone, f"DC {person.personal_id}", id=f"again-{person.personal_id}")
    telco.ask(person.phone, "HD")

    assert len(telco.operator.copies(str(reply.data["in_reply_to"]))) == 1
