"""Takes a request whole before a thread is spent on it: so much, and so fast, or it is refused.

A thread that waits for a body's next byte is a thread that serves nobody; a dozen connections that
send nothing would otherwise hold the whole door.
"""

import asyncio
import contextlib
import io
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from core.threads import name_thread
from sms.problems import problem
from sms.webhook import MOST_BYTES

if TYPE_CHECKING:
    from flask import Flask, Response

READ_SECONDS = 5.0
MOST_HEADER_BYTES = 8192


class Scope(Protocol):
    """What the server tells of a request (RSGI 1.5)."""

    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: Any


class Exchange(Protocol):
    """The server's side of one request: its body in pieces, and a way to answer."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer."""
        ...


class TooLargeError(Exception):
    """The body is larger than any request of ours."""


class Door:
    """Stands before the application: reads, hands on to a thread, answers."""

    def __init__(self, app: "Flask", *, threads: int) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(
            threads, initializer=name_thread, initargs=("receive",), thread_name_prefix="receive"
        )

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Serve one request."""
        if scope.proto != "http":
            return
        names = list(scope.headers.items())
        if sum(len(name) + len(value) for name, value in names) > MOST_HEADER_BYTES:
            _answer(exchange, problem(400, detail="the headers are too large"))
            return
        try:
            body = await asyncio.wait_for(_read(exchange), READ_SECONDS)
        except TimeoutError:
            _answer(exchange, problem(408))
            return
        except TooLargeError:
            _answer(exchange, problem(413))
            return
        loop = asyncio.get_running_loop()
        environ = _environ(scope, names, body)
        status, headers, answer = await loop.run_in_executor(self._threads, self._call, environ)
        with contextlib.suppress(Exception):  # whoever asked may be gone
            exchange.response_bytes(status, headers, answer)

    def _call(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def start(
            status: str, headers: list[tuple[str, str]], _error: object = None
        ) -> Callable[[bytes], object]:
            told.append((status, headers))
            return lambda _data: None

        pieces: Iterable[bytes] = self._app.wsgi_app(environ, start)
        body = b"".join(pieces)
        with contextlib.suppress(AttributeError):
            pieces.close()  # type: ignore[attr-defined]  # some have it (PEP 3333)
        status, headers = told[-1]
        named = [(name.lower(), value) for name, value in headers]
        return int(status[:3]), [*named, ("server", "TraDan")], body


async def _read(exchange: Exchange) -> bytes:
    body = bytearray()
    async for piece in exchange:
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLargeError
    return bytes(body)


def _answer(exchange: Exchange, response: "Response") -> None:
    headers = [(name.lower(), value) for name, value in response.headers.items()]
    exchange.response_bytes(
        response.status_code, [*headers, ("connection", "close")], response.get_data()
    )


def _environ(scope: Scope, names: list[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """Write the request as WSGI has it (PEP 3333)."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in names:
        key = name.upper().replace("-", "_")
        if key in {"CONTENT_LENGTH", "TRANSFER_ENCODING"}:
            continue
        place = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[place] = f"{environ[place]},{value}" if place in environ else value
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
