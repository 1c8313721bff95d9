"""Replies as sendsms takes them: headers say who asks, and the answer says what is known."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sms.links import kannel_profile
from sms.links.kannel_profile import Profile
from sms.links.kannel_sendsms import KannelSender, validity, write
from sms.links.model import (
    Accepted,
    Link,
    LinkKind,
    LinkState,
    Outcome,
    Outgoing,
    Refused,
    Unknown,
)
from tests.e2e.listener import Listener, Request, free_port

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
PUBLIC = "https://sms.example.vn"
PATH = "/cgi-bin/sendsms"
REPLY = Outgoing(
    id="01998f6e-5c3a-7d10-9a51-2f4be1c07a33",
    to="+84912345678",
    sender="1414",
    text="CSDLDC: Ma xac thuc {@_}",
    encoding="gsm7",
    segments=1,
    expires_at=NOW + timedelta(minutes=4),
    in_reply_to="mo-1",
    created_at=NOW,
)


def link_to(url: str, **profile: str) -> Link:
    """Make a link whose replies go there."""
    return Link(
        id=1,
        code="vinaphone",
        operator="vinaphone",
        kind=LinkKind.KANNEL,
        state=LinkState.ACTIVE,
        is_test=False,
        url=url,
        account_sid=None,
        from_number=None,
        prefixes="",
        rate=100,
        assessed_by=None,
        assessed_until=None,
        secrets=("newest-password", "older-password"),
        path_secret="0123456789abcdef" * 2,
        profile=kannel_profile.dump(Profile(username="tradan", **profile)),
    )


class Smsbox:
    """What takes replies, and answers as it is told."""

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.heard: list[Request] = []
        self.listener = Listener(self.hear)
        self.listener.open()
        self.link = link_to(f"{self.listener.url}{PATH}")

    def hear(self, request: Request) -> None:
        """Answer one request."""
        self.heard.append(request)
        if self.status is None:
            request.reset()
        else:
            request.answer(self.status, b"0: Accepted for delivery")


@contextmanager
def smsbox(status: int | None) -> Iterator[Smsbox]:
    """Have a smsbox for a while."""
    made = Smsbox(status)
    try:
        yield made
    finally:
        made.listener.close()


def sent(link: Link, outgoing: Outgoing = REPLY) -> Outcome:
    """Hand one reply over."""

    async def work() -> Outcome:
        sender = KannelSender(PUBLIC)
        outcome = await sender.send(link, outgoing, NOW)
        sender.close()
        await asyncio.sleep(0)
        return outcome

    return asyncio.run(work())


def test_a_reply_is_posted_as_a_text_with_headers() -> None:
    with smsbox(202) as kannel:
        outcome = sent(kannel.link)

    (request,) = kannel.heard
    assert outcome == Accepted()
    assert (request.command, request.path) == ("POST", PATH)
    assert request.body == REPLY.text.encode()
    told = {name.lower(): value for name, value in request.headers.items()}
    assert {name: value for name, value in told.items() if name.startswith("x-")} == {
        "x-kannel-username": "tradan",
        "x-kannel-password": "newest-password",
        "x-kannel-from": "1414",
        "x-kannel-to": "+84912345678",
        "x-kannel-coding": "0",
        "x-kannel-validity": "4",
        "x-kannel-dlr-mask": "31",
        "x-kannel-dlr-url": (
            f"{PUBLIC}/sms/vinaphone/status/{'0123456789abcdef' * 2}?id={REPLY.id}&type=%d&time=%T"
        ),
    }
    assert told["content-type"] == "text/plain; charset=UTF-8"


def test_what_gsm_7_has_not_goes_as_ucs_2() -> None:
    headers = write(link_to("http://127.0.0.1:9/"), replace(REPLY, encoding="ucs2"), PUBLIC, NOW)

    assert headers["x-kannel-coding"] == "2"


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(600, 10), (239.9, 3), (120, 2), (119, 1), (60, 1), (59, 1), (0.1, 1)]
)
def test_the_last_minute_counts_whole(seconds: float, minutes: int) -> None:
    assert validity(timedelta(seconds=seconds)) == minutes


def test_receipts_come_where_kannel_finds_us() -> None:
    link = link_to("http://10.0.0.2/", callback_url="http://10.0.0.1:8000/100%")

    told = write(link, REPLY, PUBLIC, NOW)["x-kannel-dlr-url"]

    assert told.startswith("http://10.0.0.1:8000/100%%/sms/vinaphone/status/")
    assert told.replace("%%", "").count("%") == 2


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (202, Accepted()),
        (200, Accepted()),
        (400, Refused("status-400", retryable=False)),
        (415, Refused("status-415", retryable=False)),
        (403, Refused("status-403", retryable=True)),
        (404, Refused("status-404", retryable=True)),
        (503, Refused("status-503", retryable=True)),
        (500, Unknown("status-500")),
        (None, Unknown("connection-lost")),
    ],
)
def test_what_is_answered_says_what_is_known(status: int | None, outcome: Outcome) -> None:
    with smsbox(status) as kannel:
        assert sent(kannel.link) == outcome


@pytest.mark.parametrize(
    "sender", ["1414\r\nx-kannel-to: +84999999999", "1414 ", "số 1414", "", "1" * 101]
)
def test_a_number_of_ours_that_is_none_reaches_no_header(sender: str) -> None:
    with smsbox(202) as kannel:
        outcome = sent(kannel.link, replace(REPLY, sender=sender))

    assert outcome == Refused("no-such-field", retryable=False)
    assert kannel.heard == []


def test_nobody_there_is_a_refusal_for_now() -> None:
    link = link_to(f"http://127.0.0.1:{free_port()}{PATH}")

    assert sent(link) == Refused("no-connection", retryable=True)
