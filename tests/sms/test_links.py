"""Links: how replies are handed over, what answers mean, and how links are kept."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.ids import uuid7
from sms.links import http, registry
from sms.links.errors import LinkError
from sms.links.http import HttpSender, judge_status
from sms.links.model import Accepted, Link, LinkKind, LinkState, Outcome, Outgoing, Refused, Unknown
from sms.links.registry import NewLink
from tests.e2e.wire import webhook_signature
from tests.fakes import NOON
from tests.sms.gateway import SECRET, TEST, Gateway

OUTGOING = Outgoing(
    id=str(uuid7()), to="+84912345678", sender="12345", text="CSDLDC: Soan HD", encoding="gsm7",
    segments=1, expires_at=NOON + timedelta(minutes=30), in_reply_to="theirs-1", created_at=NOON,
)  # fmt: skip
LINK = Link(
    id=1, code=TEST, operator=TEST, kind=LinkKind.HTTP, state=LinkState.ACTIVE, is_test=True,
    url="", rate=100, account_sid=None, from_number=None, prefixes="", assessed_by=None,
    assessed_until=None,
    secrets=(SECRET,), path_secret=None,
)  # fmt: skip
Answer = Callable[[socket.socket], None]


@contextmanager
def listening(answer: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """Listen for one request, keep its bytes, and answer it."""
    got: list[bytes] = []

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            got.append(b"")
            while not got[0].endswith(b"}}"):  # head and body come in pieces of their own
                got[0] += connection.recv(65536)
            answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/mt", got
        thread.join(10)


def saying(text: str) -> Answer:
    return lambda connection: connection.sendall(text.encode())


def hand_over(url: str) -> Outcome:
    sender = HttpSender()

    async def send() -> Outcome:
        try:
            return await sender.send(replace(LINK, url=url), OUTGOING, NOON)
        finally:
            sender.close()
            await asyncio.sleep(0)

    return asyncio.run(send())


def test_a_reply_is_signed_over_the_bytes_that_are_sent() -> None:
    with listening(saying("HTTP/1.1 204 No Content\r\n\r\n")) as (url, got):
        outcome = hand_over(url)

    head, _, body = got[0].partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    timestamp = str(int(NOON.timestamp()))
    assert outcome == Accepted()
    assert headers["webhook-id"] == OUTGOING.id
    assert headers["webhook-timestamp"] == timestamp
    signed = webhook_signature(SECRET, OUTGOING.id, timestamp, body)
    assert headers["webhook-signature"] == signed.lower()
    assert json.loads(body) == {
        "type": "message.send",
        "timestamp": "2026-03-02T05:00:00.000Z",
        "data": {
            "id": OUTGOING.id, "to": "+84912345678", "from": "12345", "text": "CSDLDC: Soan HD",
            "encoding": "gsm7", "segments": 1, "expires_at": "2026-03-02T05:30:00.000Z",
            "in_reply_to": "theirs-1",
        },
    }  # fmt: skip
    assert body.decode() == http.render(OUTGOING) == http.render(replace(OUTGOING))


def test_nobody_there_is_a_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert hand_over(f"http://127.0.0.1:{port}/") == Refused("no-connection", retryable=True)


def test_a_name_that_nobody_has_is_a_refusal() -> None:
    outcome = hand_over("https://operator.invalid/")

    assert isinstance(outcome, Refused)
    assert outcome.retryable


@pytest.mark.parametrize("part", ["", "HTTP/1.1 20", "garbage\r\n\r\n"])
def test_a_connection_lost_after_the_request_is_unknown(part: str) -> None:
    with listening(saying(part)) as (url, _):
        assert isinstance(hand_over(url), Unknown)


def test_a_status_that_arrived_counts_whatever_becomes_of_the_rest() -> None:
    cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"
    with listening(saying(cut)) as (url, _):
        assert hand_over(url) == Accepted()


def test_a_redirect_is_not_followed() -> None:
    elsewhere = "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with listening(saying(elsewhere)) as (url, _):
        assert hand_over(url) == Refused("status-307", retryable=True)


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((200, 201, 202, 204, 299), Accepted),
        ((400, 406, 409, 410, 411, 413, 414, 415, 422, 431), "final"),
        ((301, 307, 401, 403, 404, 405, 418, 425, 429, 503), "again"),
        ((408, 500, 501, 502, 504, 520, 599), Unknown),
    ],
)
def test_each_status_means_one_of_four_things(
    statuses: tuple[int, ...], outcome: str | type
) -> None:
    for status in statuses:
        found = judge_status(status)
        match found:
            case Refused(reason, retryable):
                assert outcome == ("again" if retryable else "final"), status
                assert reason == f"status-{status}"
            case Accepted() | Unknown():
                assert type(found) is outcome, status


@pytest.mark.parametrize(
    "url",
    ["https://op.example/mt", "http://localhost:9/mt", "http://[::1]:9/", "HTTPS://op.example"],
)
def test_replies_go_to_https_or_to_this_machine(url: str) -> None:
    assert http.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://op.example", "http://127.0.0.1.op.example", "ftp://localhost", "https://", "op", "",
        "https://user@op.example", "https://user:word@op.example", "https://op.example/#part",
        "http://10.0.0.1/", "file:///etc/passwd", "https://op.example:99999/",
    ],
)  # fmt: skip
def test_replies_go_nowhere_else(url: str) -> None:
    with pytest.raises(LinkError):
        http.check_url(url)


@pytest.mark.parametrize("text", [SECRET, f"{SECRET}\n", f"  {SECRET}  "])
def test_a_secret_is_read_from_its_file(text: str) -> None:
    assert http.check_secret(text) == SECRET


@pytest.mark.parametrize(
    "text",
    ["", "whsec_", "whsec_short", SECRET.removeprefix("whsec_"), f"{SECRET}\n{SECRET}",
     "whsec_" + "!" * 44, "whsec_" + "A" * 33],
)  # fmt: skip
def test_what_is_no_secret_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(LinkError) as caught:
        http.check_secret(text)

    assert len(text) < 10 or text not in str(caught.value)


def new(code: str = "new", **changes: object) -> NewLink:
    made = NewLink(code=code, kind=LinkKind.HTTP, url="https://op.example", secret=SECRET)
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def found(gateway: Gateway, code: str) -> Link:
    links = gateway.database.read(lambda s: registry.load(s, gateway.keyring))
    return next(link for link in links if link.code == code)


def add(gateway: Gateway, link: NewLink) -> Link:
    now = gateway.clock.now()
    gateway.database.write(lambda s: registry.add(s, gateway.keyring, link, now))
    return found(gateway, link.code)


def test_a_link_comes_back_as_it_was_added(gateway: Gateway) -> None:
    link = add(gateway, new(prefixes="032-039", rate=7, assessed_by="console:an"))

    assert (link.url, link.prefixes, link.rate) == ("https://op.example", "032-039", 7)
    assert (link.secrets, link.path_secret, link.state) == ((SECRET,), None, LinkState.ACTIVE)
    assert link.webhook_path == "/sms/new/inbound"
    assert SECRET not in repr(link)


def test_an_assessment_lasts_a_year(gateway: Gateway) -> None:
    now = gateway.clock.now()
    assessed, not_assessed = add(gateway, new("a", assessed_by="an")), add(gateway, new("b"))

    assert assessed.is_assessed(now + timedelta(days=365) - timedelta(microseconds=1))
    assert not assessed.is_assessed(now + timedelta(days=365))
    assert not not_assessed.is_assessed(now)


def test_a_twilio_link_has_a_secret_in_its_path(sqlite_gateway: Gateway) -> None:
    first = add(sqlite_gateway, new("a", kind=LinkKind.TWILIO))
    second = add(sqlite_gateway, new("b", kind=LinkKind.TWILIO))

    assert first.path_secret is not None
    assert len(bytes.fromhex(first.path_secret)) == 16
    assert first.path_secret != second.path_secret
    assert first.webhook_path == f"/sms/a/inbound/{first.path_secret}"


def test_a_code_is_taken_once(gateway: Gateway) -> None:
    add(gateway, new())

    with pytest.raises(LinkError, match="choose another"):
        add(gateway, new())


def test_a_change_is_seen_within_two_seconds(gateway: Gateway) -> None:
    link = gateway.link()
    gateway.database.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))

    gateway.clock.advance(timedelta(seconds=1))

    assert gateway.link().state is LinkState.DISABLED


def test_a_secret_in_use_is_not_taken_for_a_new_one(gateway: Gateway) -> None:
    link, now = gateway.link(), gateway.clock.now()

    with pytest.raises(LinkError, match="make a new one"):
        gateway.database.write(lambda s: registry.rotate(s, gateway.keyring, link, SECRET, now))


def test_what_is_terminated_has_no_secrets_and_comes_back_never(gateway: Gateway) -> None:
    link, now = gateway.link(), gateway.clock.now()
    gateway.database.write(lambda s: registry.terminate(s, link, "breach", now))
    changes: list[Callable[[Session], None]] = [
        lambda s: registry.set_state(s, link, LinkState.ACTIVE),
        lambda s: registry.move(s, link, "https://other.example"),
        lambda s: registry.terminate(s, link, "again", now),
        lambda s: registry.rotate(s, gateway.keyring, link, "whsec_" + "B" * 44, now),
    ]

    ended = found(gateway, link.code)

    assert (ended.state, ended.secrets, ended.assessed_until) == (LinkState.TERMINATED, (), None)
    for change in changes:
        with pytest.raises(LinkError, match="for good"):
            gateway.database.write(change)
