"""The door reads a request whole, in time and in size, before a thread is spent on it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, request

from cli.door import Door, Lane, lane_of
from sms.problems import Answer
from sms.webhook import Post


@dataclass
class Scope:
    proto: str = "http"
    http_version: str = "1.1"
    server: str = "127.0.0.1:8000"
    client: str = "127.0.0.1:50000"
    scheme: str = "http"
    method: str = "POST"
    path: str = "/echo"
    query_string: str = "a=1"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/plain"})


class Exchange:
    def __init__(self, *pieces: bytes | float) -> None:
        self._pieces = pieces
        self.status = 0
        self.body = b""
        self.headers: dict[str, str] = {}

    async def __call__(self) -> bytes:
        return b"".join([piece async for piece in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                await asyncio.sleep(piece)

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body


def app() -> Flask:
    made = Flask(__name__)

    @made.post("/echo")
    def echo() -> dict[str, Any]:
        return {"body": request.get_data().decode(), "a": request.args["a"]}

    return made


@dataclass
class Receiver:
    """Takes whatever is posted, or breaks."""

    error: Exception | None = None
    lots: list[Sequence[Post]] = field(default_factory=list)

    def receive(self, posts: Sequence[Post]) -> list[Answer]:
        self.lots.append(posts)
        if self.error is not None:
            raise self.error
        return [Answer(202, "text/xml", post.body, retry_after=7) for post in posts]


def door_of(receiver: Receiver) -> Door:
    return Door(app(), receiver, threads=1, headers={"X-Safe": "yes"})  # type: ignore[arg-type]  # all of a receiver that it uses


def served(exchange: Exchange, scope: Scope | None = None) -> Exchange:
    asyncio.run(door_of(Receiver()).__rsgi__(scope or Scope(), exchange))
    return exchange


def test_a_request_in_pieces_reaches_the_application_whole() -> None:
    exchange = served(Exchange(b"half ", b"and half"))

    assert exchange.status == 200
    assert b'"body":"half and half"' in exchange.body
    assert exchange.headers["server"] == "TraDan"


def test_a_body_over_the_limit_is_refused_as_it_comes() -> None:
    exchange = served(Exchange(b"x" * 8192, b"x", 60.0))

    assert exchange.status == 413
    assert exchange.headers["content-type"] == "application/problem+json"


def test_a_body_that_does_not_come_is_given_up() -> None:
    exchange = served(Exchange(b"x", 60.0))

    assert exchange.status == 408


def test_headers_over_the_limit_are_refused() -> None:
    exchange = served(Exchange(b""), Scope(headers={"x-long": "y" * 8192}))

    assert exchange.status == 400


def posted(path: str, **changes: object) -> Scope:
    return Scope(path=path, headers={"content-type": "a/b", "x": "1"}, **changes)  # type: ignore[arg-type]  # parts of a scope


def test_what_is_posted_to_a_webhook_goes_past_the_application() -> None:
    receiver, exchange = Receiver(), Exchange(b"half ", b"and half")

    asyncio.run(door_of(receiver).__rsgi__(posted("/sms/hong-ha/inbound/secret"), exchange))

    ((post,),) = receiver.lots
    assert (post.code, post.path_secret, post.source) == ("hong-ha", "secret", "127.0.0.1")
    assert (post.body, post.headers.get("x", "")) == (b"half and half", "1")
    assert (exchange.status, exchange.body) == (202, b"half and half")
    assert exchange.headers == {
        "content-type": "text/xml; charset=utf-8",
        "content-length": "13",
        "retry-after": "7",
        "server": "TraDan",
        "x-safe": "yes",
    }


def test_what_is_fetched_from_a_webhook_goes_there_too() -> None:
    receiver = Receiver()
    scope = posted("/sms/hong-ha/status/secret", method="GET", query_string="type=1")

    asyncio.run(door_of(receiver).__rsgi__(scope, Exchange(b"")))

    ((post,),) = receiver.lots
    assert (post.method, post.query, post.subject) == ("GET", "type=1", "status")


def test_whatever_else_has_such_a_path_is_the_applications() -> None:
    receiver = Receiver()

    for scope in (
        posted("/sms/hong-ha/inbound", method="PUT"),
        posted("/sms//inbound"),
        posted("/sms/hong-ha/inbound/"),
        posted("/sms/hong-ha/inbound/a/b"),
        posted("/a/sms/hong-ha/inbound"),
    ):
        exchange = Exchange(b"")
        asyncio.run(door_of(receiver).__rsgi__(scope, exchange))
        assert exchange.status == 404

    assert receiver.lots == []


def test_what_comes_while_a_lot_is_served_is_the_next_lot() -> None:
    receiver, exchanges = Receiver(), [Exchange(b"%d" % number) for number in range(300)]

    async def all_at_once() -> None:
        door = door_of(receiver)
        scope = posted("/sms/hong-ha/inbound")
        await asyncio.gather(*(door.__rsgi__(scope, exchange) for exchange in exchanges))

    asyncio.run(all_at_once())

    assert [exchange.body for exchange in exchanges] == [b"%d" % n for n in range(300)]
    assert sum(len(lot) for lot in receiver.lots) == 300
    assert len(receiver.lots) < 10
    assert max(len(lot) for lot in receiver.lots) <= 256


def test_a_lot_that_breaks_is_answered_and_the_next_is_served() -> None:
    receiver, exchanges = Receiver(ValueError("a fault")), [Exchange(b""), Exchange(b"")]
    scope = posted("/sms/hong-ha/inbound")

    async def one_after_the_other() -> None:
        door = door_of(receiver)
        await door.__rsgi__(scope, exchanges[0])
        receiver.error = None
        await door.__rsgi__(scope, exchanges[1])

    asyncio.run(one_after_the_other())

    assert [exchange.status for exchange in exchanges] == [500, 202]
    assert b"fault" not in exchanges[0].body


def test_a_flood_of_one_kind_takes_no_thread_of_another() -> None:
    made, over = Flask(__name__), threading.Event()
    made.post("/<path:where>", endpoint="slow")(lambda where: str(over.wait(30)))
    made.post("/console/control/stop", endpoint="stop")(lambda: "stopped")
    door = Door(made, Receiver(), threads=1, headers={})  # type: ignore[arg-type]  # nothing is posted to a webhook

    async def flooded() -> Exchange:
        paths = ("/sms/x/status", "/console/login", "/console/reveals")
        flood = [door.__rsgi__(posted(path), Exchange(b"")) for path in paths for _ in range(9)]
        waiting = asyncio.gather(*flood)
        await asyncio.sleep(0.05)
        stop = Exchange(b"")
        try:
            async with asyncio.timeout(10):
                await door.__rsgi__(posted("/console/control/stop"), stop)
        finally:
            over.set()
            await waiting
        return stop

    assert asyncio.run(flooded()).body == b"stopped"


def test_each_request_has_its_lane() -> None:
    lanes = {
        ("POST", "/console/control/stop"): Lane.SWITCH,
        ("GET", "/console/control/stop"): Lane.CONSOLE,
        ("GET", "/console"): Lane.CONSOLE,
        ("POST", "/console/login"): Lane.ENTRANCE,
        ("POST", "/console/invitation/x"): Lane.ENTRANCE,
        ("POST", "/consoles"): Lane.WEB,
        ("POST", "/sms/x/status"): Lane.WEB,
    }

    assert {asked: lane_of(*asked) for asked in lanes} == lanes
