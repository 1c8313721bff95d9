"""The made-up network, between its phones and the gateway."""

import json

import pytest
from standardwebhooks import Webhook

from core.clock import SystemClock
from phone.errors import ForgedError
from phone.mailbox import Mailbox
from phone.network import UNREACHED, Network
from tests.phone.played import ANSWERS, LINK, PIN, SECRET, PlayedGateway

PHONE = "+84912345678"
EVENT = "0192aaaa"
OTHER_SECRET = "whsec_" + "b3RoZXIgc2VjcmV0IG9mIGFub3RoZXIgbmV0d29yayB4eA=="


def delivery(secret: str = SECRET, **changes: object) -> tuple[dict[str, str], bytes]:
    data = {
        "id": EVENT, "to": PHONE, "from": "12345", "text": "CSDLDC: hello", "encoding": "gsm7",
        "segments": 1, "expires_at": "2026-03-02T05:00:00Z", "in_reply_to": "in-1", **changes,
    }  # fmt: skip
    body = json.dumps({"type": "message.send", "data": data})
    now = SystemClock().now()
    headers = {
        "Webhook-Id": EVENT,
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(EVENT, now, body),
    }
    return headers, body.encode()


def test_a_text_is_accepted_and_answered_over_the_socket(
    network: Network, gateway: PlayedGateway, mailbox: Mailbox
) -> None:
    message_id = network.new_id()

    status = network.submit(PHONE, "DC 999185000101", message_id)

    assert status == 202
    assert gateway.accepted == [message_id]
    gateway.finish()
    replies = mailbox.replies(LINK.code, [message_id])
    assert replies[0].body == ANSWERS["DC"]
    assert PIN in replies[0].body
    sent = mailbox.thread(LINK.code, PHONE)[0]
    assert (sent.status, sent.microseconds is not None) == (202, True)


def test_the_same_text_again_keeps_its_id(network: Network, gateway: PlayedGateway) -> None:
    message_id = network.new_id()

    statuses = [network.submit(PHONE, "HD", message_id) for _ in range(2)]

    assert statuses == [202, 202]
    assert gateway.accepted == [message_id, message_id]


def test_ids_are_visible_ascii_and_differ(network: Network) -> None:
    ids = {network.new_id() for _ in range(200)}

    assert len(ids) == 200
    assert all(each.isascii() and each.isprintable() and " " not in each for each in ids)


def test_a_gateway_that_is_not_there_is_told_from_one_that_refuses(mailbox: Mailbox) -> None:
    alone = Network(
        LINK, "http://127.0.0.1:9", short_code="12345", mailbox=mailbox, clock=SystemClock()
    )

    assert alone.submit(PHONE, "HD", "in-1") == UNREACHED
    assert mailbox.thread(LINK.code, PHONE)[0].status == UNREACHED


def test_what_the_gateway_signed_is_believed(network: Network, mailbox: Mailbox) -> None:
    copies = [network.deliver(*delivery()) for _ in range(2)]

    assert copies == [1, 2]
    assert [text.body for text in mailbox.thread(LINK.code, PHONE)] == ["CSDLDC: hello"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        delivery(OTHER_SECRET),
        (delivery()[0], delivery()[1].replace(b"hello", b"jello")),
        (delivery()[0], b"\xff"),
        (delivery()[0] | {"Webhook-Signature": "v1"}, delivery()[1]),
        (delivery()[0] | {"Webhook-Signature": "v1,é"}, delivery()[1]),
        (delivery()[0] | {"Webhook-Timestamp": "1000000000"}, delivery()[1]),
        ({}, delivery()[1]),
        (delivery()[0], b"x" * 8193),
        delivery(segments="many"),
    ],
    ids=[
        "another's secret", "altered", "not UTF-8", "half a signature", "odd signature", "stale",
        "unsigned", "oversized", "wrong type",
    ],
)  # fmt: skip
def test_what_it_did_not_sign_is_not(
    network: Network, mailbox: Mailbox, headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(ForgedError):
        network.deliver(headers, body)

    assert mailbox.thread(LINK.code, PHONE) == ()


def test_a_network_prints_no_secret() -> None:
    assert "whsec" not in repr(LINK)
