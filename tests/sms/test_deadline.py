"""A send ends by its deadline, however slowly the operator answers."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from core import deadline
from sms.links.http import HttpSender
from sms.links.model import Accepted, Link, LinkKind, LinkState, Outgoing, Unknown
from tests.fakes import NOON

SECRET = "whsec_" + "A" * 32


@contextmanager
def operator(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/mt"
    listening.close()
    thread.join(10)


def link_to(url: str) -> Link:
    return Link(
        id=1,
        code="slow",
        operator="slow",
        kind=LinkKind.HTTP,
        state=LinkState.ACTIVE,
        is_test=True,
        url=url,
        account_sid=None,
        from_number=None,
        prefixes="",
        rate=100,
        assessed_by=None,
        assessed_until=None,
        secrets=(SECRET,),
        path_secret=None,
    )


REPLY = Outgoing(
    id="one",
    to="+84912345678",
    sender="1414",
    text="CSDLDC",
    encoding="gsm7",
    segments=1,
    expires_at=NOON + timedelta(minutes=5),
    in_reply_to="m1",
    created_at=NOON,
)


def trickle(connection: socket.socket) -> None:
    # Each byte comes in time; only all of them together do not.
    for byte in b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n":
        try:
            connection.send(bytes([byte]))
        except OSError:
            return
        time.sleep(0.5)


def promise_more(connection: socket.socket) -> None:
    connection.send(b"HTTP/1.1 202 Accepted\r\ncontent-length: 50\r\n\r\nabc")


def test_an_answer_that_trickles_is_cut_and_its_outcome_unknown() -> None:
    sender = HttpSender()

    with operator(trickle) as url:
        begun = time.monotonic()
        outcome = asyncio.run(sender.send(link_to(url), REPLY, NOON))
        took = time.monotonic() - begun

    assert isinstance(outcome, Unknown)
    # Far less than the twenty seconds that the trickle would have taken.
    assert took < 2 * (deadline.WRITTEN_SECONDS + deadline.ANSWERED_SECONDS)


def test_a_status_that_came_counts_though_its_body_did_not() -> None:
    sender = HttpSender()

    with operator(promise_more) as url:
        outcome = asyncio.run(sender.send(link_to(url), REPLY, NOON))

    assert outcome == Accepted()
