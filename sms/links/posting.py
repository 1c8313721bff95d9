"""Posts to operators over connections that are kept, any number at once in one event loop.

A client of its own, because a reply needs little of HTTP: one POST, the status of its answer, and
to know whether a byte of it can have left. What an answer holds besides is skipped, and a
connection whose answer is not plainly over is not used again. ADR 0013.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import urllib3.util

from core.deadline import ANSWERED_SECONDS, WRITTEN_SECONDS

CONNECTED_SECONDS = 1.0
_LONGEST_ANSWER = 65536
_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?:[ \r])")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,5})[ \t]*\r\n", re.IGNORECASE)
_ENCODED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:[^\r]*close", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,5})[^\r\n]*\r\n")
# What would end a header, or is no octet that one may hold.
_NO_VALUE = re.compile(r"[^\x20-\x7e]")
_FIRST_FINAL = 200
_WITHOUT_BODY = frozenset({204, 304})
_Origin = tuple[str, int, bool]


class NotSentError(Exception):
    """No byte of the request left."""


class NotAnsweredError(Exception):
    """The request may have arrived, and no status came back."""


@dataclass(frozen=True, slots=True)
class _Address:
    """Where a URL leads to."""

    origin: _Origin
    head: str


class Poster:
    """The connections of one event loop, and how to post over them."""

    def __init__(self) -> None:
        self._idle: dict[_Origin, list[_Connection]] = {}
        self._all: set[_Connection] = set()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post once and return the status that was answered.

        Raises: NotSentError, NotAnsweredError, each with a word for the reason.
        """
        address = _address_of(url)
        written_by = asyncio.get_running_loop().time() + WRITTEN_SECONDS
        connection = self._kept(address.origin) or await self._connect(address.origin)
        try:
            async with asyncio.timeout_at(written_by):
                await connection.write(_request(address, headers, body))
            async with asyncio.timeout(ANSWERED_SECONDS):
                status = await connection.status()
        except BaseException as error:
            connection.cut()
            if isinstance(error, TimeoutError):
                raise NotAnsweredError("timeout") from error
            raise
        idle = self._idle.setdefault(address.origin, [])
        connection.once_over(lambda: idle.append(connection))
        return status

    def close(self) -> None:
        """Let go of every connection."""
        for connection in list(self._all):
            connection.cut()
        self._idle.clear()

    def _kept(self, origin: _Origin) -> "_Connection | None":
        idle = self._idle.get(origin, [])
        while idle:
            # The one used last is the likeliest to be wanted by the other side still.
            connection = idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _connect(self, origin: _Origin) -> "_Connection":
        host, port, is_tls = origin
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECTED_SECONDS):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._all), host, port, ssl=_tls() if is_tls else None
                )
        except ssl.SSLCertVerificationError as error:
            raise NotSentError("certificate") from error
        except ssl.SSLError as error:
            raise NotSentError("tls") from error
        except (OSError, TimeoutError, UnicodeError) as error:
            raise NotSentError("no-connection") from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self, siblings: "set[_Connection]") -> None:
        self.is_open = False
        self._siblings = siblings
        self._loop = asyncio.get_running_loop()
        self._transport = asyncio.Transport()
        self._got = b""
        self._status: asyncio.Future[int] = self._loop.create_future()
        self._room: asyncio.Future[None] | None = None
        self._is_over = False
        self._then: Callable[[], None] | None = None

    async def write(self, request: bytes) -> None:
        """Send a request; returns when nothing of it is held back in this process."""
        self._got, self._is_over = b"", False
        self._status = self._loop.create_future()
        self._transport.write(request)
        if self._room is not None:
            await self._room

    async def status(self) -> int:
        """Wait for the status of the answer.

        Raises: NotAnsweredError.
        """
        return await self._status

    def once_over(self, then: Callable[[], None]) -> None:
        """Call *then* when the whole answer has come, and cut the connection if it does not."""
        if self._is_over:
            then()
        elif self.is_open:
            self._then = then
            self._loop.call_later(ANSWERED_SECONDS, self._cut_unless_over, self._status)

    def cut(self) -> None:
        """Close at once, whatever is under way."""
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (asyncio's protocol)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (streams have no other)
        self._transport, self.is_open = transport, True
        transport.set_write_buffer_limits(0)
        self._siblings.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's protocol)
        """Tell whoever waits (asyncio's protocol)."""
        self.is_open = False
        self._siblings.discard(self)
        for waiting in (self._status, self._room):
            if waiting is not None and not waiting.done():
                waiting.set_exception(NotAnsweredError("connection-lost"))
                waiting.exception()  # whoever waits may have gone

    def pause_writing(self) -> None:
        """Note that the other side takes no more for now (asyncio's protocol)."""
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        """Note that all was taken (asyncio's protocol)."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    def data_received(self, data: bytes) -> None:
        """Read on in the answer (asyncio's protocol)."""
        self._got += data
        over = None if self._is_over else self._read()
        if over is None or (not over and len(self._got) > _LONGEST_ANSWER):
            # More than was asked for, or no end in sight.
            self.cut()
        elif over:
            self._is_over = True
            if self._then is not None:
                then, self._then = self._then, None
                then()

    def _read(self) -> bool | None:
        """Tell whether the answer is over; None if there is no telling."""
        head, end, body = self._got.partition(_END)
        if not end:
            return False
        found = _STATUS.match(head + b"\r")
        if found is None:
            return None
        status = int(found[2])
        if status < _FIRST_FINAL:
            self._got = body
            return self._read()
        if not self._status.done():
            self._status.set_result(status)
        if found[1] == b"0":
            return None
        return _is_over(status, head + b"\r\n", body)

    def _cut_unless_over(self, status: "asyncio.Future[int]") -> None:
        if self._status is status and not self._is_over:
            self.cut()


def _is_over(status: int, head: bytes, body: bytes) -> bool | None:
    if _CLOSES.search(head):
        return None
    if status in _WITHOUT_BODY:
        return None if body else True
    if _CHUNKED.search(head):
        return _chunks_are_over(body)
    length = None if _ENCODED.search(head) else _LENGTH.search(head)
    if length is None or len(body) > int(length[1]):
        return None
    return len(body) == int(length[1])


def _chunks_are_over(body: bytes) -> bool | None:
    at = 0
    while found := _CHUNK.match(body, at):
        at = found.end() + int(found[1], 16)
        end = body[at : at + 2]
        if end != b"\r\n":
            return False if b"\r\n".startswith(end) else None
        at += 2
        if int(found[1], 16) == 0:
            return True if at == len(body) else None
    return None if b"\r\n" in body[at:] else False


def _request(address: _Address, headers: Mapping[str, str], body: bytes) -> bytes:
    if any(_NO_VALUE.search(value) for value in headers.values()):
        raise NotSentError("header")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{address.head}{lines}content-length: {len(body)}\r\n\r\n".encode("ascii") + body


@lru_cache(maxsize=256)
def _address_of(url: str) -> _Address:
    parts = urllib3.util.parse_url(url)
    is_tls, host = parts.scheme == "https", parts.host or ""
    port = parts.port or (443 if is_tls else 80)
    head = f"POST {parts.request_uri} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
    return _Address((host.strip("[]"), port, is_tls), head)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
