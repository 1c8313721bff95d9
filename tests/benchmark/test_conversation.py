"""What is texted for each kind of turn, and which reply is which."""

import pytest

from benchmark.conversation import Reply, Say, hold, pin_in, recognise
from benchmark.people import Kind, Person, Turn
from tests.benchmark import stub

PERSON = Person("001085123456", "+84912345678")
PIN_REPLY = stub.PIN_TEXT.format("482913", "482913")
RESULT_REPLY = stub.RESULT_TEXT.format("456")


def _turn(kind: Kind) -> Turn:
    return Turn(kind, PERSON, PERSON.phone)


def _said(kind: Kind, *replies: str) -> list[Say]:
    talk = hold(_turn(kind))
    said = [next(talk)]
    said += [talk.send(reply) for reply in replies]
    return said


def test_a_lookup_asks_and_texts_the_pin_back() -> None:
    said = _said(Kind.LOOKUP, PIN_REPLY)

    assert said == [Say("DC 001085123456", Reply.PIN), Say("XN 482913", Reply.RESULT)]


def test_a_wrong_pin_comes_before_the_right_one() -> None:
    said = _said(Kind.WRONG_PIN, stub.PIN_TEXT.format("999999", "999999"), stub.WRONG_TEXT)

    assert said[1:] == [Say("XN 000000", Reply.WRONG), Say("XN 999999", Reply.RESULT)]


def test_a_repeated_lookup_posts_both_messages_twice() -> None:
    said = _said(Kind.REPEATED, PIN_REPLY)

    assert [say.twice for say in said] == [True, True]


@pytest.mark.parametrize(
    ("kind", "due"), [(Kind.FOREIGN, Reply.NOMATCH), (Kind.UNKNOWN, Reply.SYNTAX)]
)
def test_a_turn_that_leads_nowhere_ends_with_its_refusal(kind: Kind, due: Reply) -> None:
    talk = hold(_turn(kind))

    assert next(talk).due is due
    with pytest.raises(StopIteration):
        talk.send("")


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        (PIN_REPLY, Reply.PIN),
        (RESULT_REPLY, Reply.RESULT),
        (stub.RESULT_TEXT.format("457"), Reply.OTHER),
        (stub.WRONG_TEXT, Reply.WRONG),
        (stub.NOMATCH_TEXT, Reply.NOMATCH),
        (stub.SYNTAX_TEXT, Reply.SYNTAX),
        ("", Reply.OTHER),
    ],
)
def test_a_reply_is_recognised_and_a_result_only_if_it_is_the_persons(
    text: str, reply: Reply
) -> None:
    assert recognise(text, PERSON) is reply


def test_a_reply_without_a_pin_has_none_to_read() -> None:
    with pytest.raises(ValueError, match="no PIN"):
        pin_in(RESULT_REPLY)
