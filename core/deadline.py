"""Holds a whole send to a deadline: written within two seconds of its start, answered in five more.

A socket's time-out begins anew with each byte, so a peer that trickles would hold a send for ever.
One thread watches all sends that are under way and shuts the sockets of those that are late.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

WRITTEN_SECONDS = 2.0
ANSWERED_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_present = threading.local()


class _Send:
    """One send under way, and the connection it has."""

    def __init__(self) -> None:
        self.due = time.monotonic() + WRITTEN_SECONDS
        self.connection: HTTPConnection | None = None

    def written(self) -> None:
        self.due = time.monotonic() + ANSWERED_SECONDS

    def cut(self) -> None:
        sock = getattr(self.connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Watch:
    """The thread that cuts what is late; it lives as long as the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sends: set[_Send] = set()
        self._thread: threading.Thread | None = None

    def add(self, send: _Send) -> None:
        with self._lock:
            self._sends.add(send)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadline", daemon=True)
                self._thread.start()

    def remove(self, send: _Send) -> None:
        with self._lock:
            self._sends.discard(send)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                late = [send for send in self._sends if send.due < time.monotonic()]
            for send in late:
                send.cut()


_watch = _Watch()


@contextlib.contextmanager
def whole_send() -> Iterator[None]:
    """Hold whatever this thread sends within to the deadlines."""
    send = _Send()
    _present.send = send
    _watch.add(send)
    try:
        yield
    finally:
        _watch.remove(send)
        _present.send = None


class _Watched:
    """Tells the present send which connection it has, and when it is written."""

    def request(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (urllib3's own)
        """Send a request, and note that it is written."""
        send: _Send | None = getattr(_present, "send", None)
        if send is not None:
            send.connection = self  # type: ignore[assignment]  # mixed into connections alone
        super().request(*arguments, **options)  # type: ignore[misc]  # as above
        if send is not None:
            send.written()


class _WatchedHttp(_Watched, HTTPConnection):
    """A watched connection in the clear, for loopback hosts."""


class _WatchedHttps(_Watched, HTTPSConnection):
    """A watched connection over TLS."""


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _WatchedHttp


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedHttps


POOLS = {"http": _HttpPool, "https": _HttpsPool}
