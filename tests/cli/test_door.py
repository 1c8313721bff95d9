"""The door reads a request whole, in time and in size, before a thread is spent on it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, request

from cli.door import Door


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


def served(exchange: Exchange, scope: Scope | None = None) -> Exchange:
    asyncio.run(Door(app(), threads=1).__rsgi__(scope or Scope(), exchange))
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
