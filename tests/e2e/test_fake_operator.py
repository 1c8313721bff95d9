"""The fake that the other tests lean on does what it says."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e import wire
from tests.e2e.fake_operator import FakeOperator, Wreck, new_secret
from tests.e2e.waiting import until

PHONE = "+84987000901"


@pytest.fixture
def operator() -> Iterator[FakeOperator]:
    """An operator that is open."""
    made = FakeOperator()
    yield made
    made.close()


def send(operator: FakeOperator, secret: str) -> wire.Response:
    """Hand a message over under this secret."""
    port = int(operator.send_url.split(":")[2].partition("/")[0])
    data = {"to": PHONE, "in_reply_to": "mo-1", "text": "x"}
    body = json.dumps({"type": "message.send", "data": data}).encode()
    return wire.signed_post(port, "/send", secret, body)


def test_it_knows_a_genuine_signature_from_another(operator: FakeOperator) -> None:
    send(operator, operator.secret)
    send(operator, new_secret())

    assert [mt.verified for mt in operator.copies("mo-1")] == [True, False]


def test_it_answers_as_planned_and_then_as_usual(operator: FakeOperator) -> None:
    operator.plan(PHONE, 503, lambda _: 400)

    answers = [send(operator, operator.secret).status for _ in range(3)]

    assert answers == [503, 400, 200]
    assert [mt.answered for mt in operator.messages] == [503, 400, 200]


def test_it_can_reset_and_be_shut_and_opened_again(operator: FakeOperator) -> None:
    operator.plan(PHONE, Wreck.RESET)
    with pytest.raises(ConnectionResetError):
        send(operator, operator.secret)

    operator.shut()
    with pytest.raises(ConnectionRefusedError):
        send(operator, operator.secret)
    operator.open()

    assert send(operator, operator.secret).status == 200
    assert until(lambda: len(operator.messages) == 2, "both messages that arrived")
