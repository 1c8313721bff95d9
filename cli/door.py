"""Takes a request whole before a thread is spent on it: so much, and so fast, or it is refused.

A thread that waits for a body's next byte is a thread that serves nobody; a dozen connections that
send nothing would otherwise hold the whole door. What operators post to a webhook goes past the
application to those who wait with it for one commit; everything else goes through the application,
in lanes: whatever floods one of them takes no thread of another, and the switch has one to itself.
"""

import asyncio
import contextlib
import io
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.utils import get_content_type

from cli.gathering import Gathering
from console.web import PREFIX, SWITCH
from core.threads import name_thread
from sms.links.model import Subject
from sms.problems import Answer, refusal
from sms.webhook import METHODS, MOST_BYTES, Post, Receiver

if TYPE_CHECKING:
    from flask import Flask

READ_SECONDS = 5.0
MOST_HEADER_BYTES = 8192
_WEBHOOK = re.compile(rf"/sms/([^/]+)/({'|'.join(Subject)})(?:/([^/]+))?")
_Headers = list[tuple[str, str]]


class Lane(StrEnum):
    """What a request is about, as far as can be told before anybody looks at it."""

    WEB = "web"
    ENTRANCE = "entrance"
    CONSOLE = "console"
    SWITCH = "switch"


# More threads than passwords are hashed at once: the others turn away who need not wait.
_CONSOLE_LANES = {Lane.ENTRANCE: 4, Lane.CONSOLE: 3, Lane.SWITCH: 1}
_ENTRANCES = (f"{PREFIX}/login", f"{PREFIX}/invitation/")


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
    """The server's side of one request: its body, in pieces or at once, and a way to answer."""

    def __call__(self) -> Awaitable[bytes]:
        """Return the body once it is there."""
        ...

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

    def __init__(
        self, app: "Flask", receiver: Receiver, *, threads: int, headers: Mapping[str, str]
    ) -> None:
        self._app = app
        self._posts = Gathering(receiver.receive)
        self._lanes = {
            lane: ThreadPoolExecutor(
                count, initializer=name_thread, initargs=(lane,), thread_name_prefix=lane
            )
            for lane, count in {Lane.WEB: threads, **_CONSOLE_LANES}.items()
        }
        named = [(name.lower(), value) for name, value in headers.items()]
        self._headers = [*named, ("server", "TraDan")]

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Serve one request."""
        if scope.proto != "http":
            return
        names = list(scope.headers.items())
        if sum(len(name) + len(value) for name, value in names) > MOST_HEADER_BYTES:
            self._refuse(exchange, refusal(400, detail="the headers are too large"))
            return
        told = _told_length(names)
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await (_read(exchange) if told is None else exchange())
        except TimeoutError:
            self._refuse(exchange, refusal(408))
            return
        except TooLargeError:
            self._refuse(exchange, refusal(413))
            return
        webhook = _WEBHOOK.fullmatch(scope.path) if scope.method in METHODS else None
        if webhook is None:
            loop = asyncio.get_running_loop()
            lane = self._lanes[lane_of(scope.method, scope.path)]
            environ = _environ(scope, names, body)
            status, headers, text = await loop.run_in_executor(lane, self._call, environ)
        else:
            post = Post(
                webhook[1],
                webhook[3],
                _joined(names),
                body,
                _source(scope),
                Subject(webhook[2]),
                scope.query_string,
                scope.method,
            )
            answer = await self._posts.answer(post)
            status, headers, text = answer.status, self._headers_of(answer), answer.body
        with contextlib.suppress(Exception):  # whoever asked may be gone
            exchange.response_bytes(status, headers, text)

    def _refuse(self, exchange: Exchange, answer: Answer) -> None:
        headers = [*self._headers_of(answer), ("connection", "close")]
        exchange.response_bytes(answer.status, headers, answer.body)

    def _headers_of(self, answer: Answer) -> _Headers:
        headers = [
            ("content-type", get_content_type(answer.mimetype, "utf-8")),
            ("content-length", str(len(answer.body))),
            *self._headers,
        ]
        if answer.retry_after is not None:
            headers.append(("retry-after", str(answer.retry_after)))
        return headers

    def _call(self, environ: dict[str, Any]) -> tuple[int, _Headers, bytes]:
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


def lane_of(method: str, path: str) -> Lane:
    """Return the lane that a request is served in."""
    if path != PREFIX and not path.startswith(f"{PREFIX}/"):
        return Lane.WEB
    if path.startswith(_ENTRANCES):
        return Lane.ENTRANCE
    return Lane.SWITCH if (method, path) == ("POST", SWITCH) else Lane.CONSOLE


async def _read(exchange: Exchange) -> bytes:
    body = bytearray()
    async for piece in exchange:
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLargeError
    return bytes(body)


def _told_length(names: _Headers) -> int | None:
    """Return the body's length if it is told and allowed: such a body comes at one go."""
    told = [value for name, value in names if name in {"content-length", "transfer-encoding"}]
    if len(told) == 1 and told[0].isdecimal() and int(told[0]) <= MOST_BYTES:
        return int(told[0])
    return None


def _joined(names: _Headers) -> dict[str, str]:
    """Have each header once, as HTTP joins those that come more often."""
    headers: dict[str, str] = {}
    for name, value in names:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _source(scope: Scope) -> str:
    return scope.client.rpartition(":")[0].strip("[]")


def _environ(scope: Scope, names: _Headers, body: bytes) -> dict[str, Any]:
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
        "REMOTE_ADDR": _source(scope),
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
