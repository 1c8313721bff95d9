"""The operator's connections: posting messages in, being handed messages out.

Blocking sockets watched by one epoll: a readable one never blocks, and what is written is far
smaller than a socket's buffer, so a message costs one call each way.
"""

import select
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmark.wire import Message, Reader, WireError

_PIECE = 16384
_LOOPBACK = "127.0.0.1"


class Poller:
    """Calls whoever waits for what has become readable."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._waiting: dict[int, Callable[[], None]] = {}

    def watch(self, number: int, readable: Callable[[], None]) -> None:
        """Call *readable* whenever the file of this *number* can be read."""
        self._waiting[number] = readable
        self._epoll.register(number, select.EPOLLIN)

    def forget(self, number: int) -> None:
        """Watch this file no longer."""
        del self._waiting[number]
        self._epoll.unregister(number)

    def turn(self, timeout: float) -> None:
        """Wait at most *timeout* seconds, and serve what came."""
        for number, _ in self._epoll.poll(timeout):
            if (readable := self._waiting.get(number)) is not None:
                readable()


@dataclass(slots=True)
class _Post:
    """A request to be made, and who waits for its answer."""

    request: Callable[[], bytes]
    answered: Callable[[Message | None], None]


class Posters:
    """Connections to the service that stay open, each with one request under way."""

    def __init__(self, poller: Poller, port: int, connections: int) -> None:
        self._queue: deque[_Post] = deque()
        self._all = [_Poster(poller, port, self._freed) for _ in range(connections)]
        self._free = deque(self._all)

    def post(
        self, request: Callable[[], bytes], answered: Callable[[Message | None], None]
    ) -> None:
        """Make a request on the next free connection; its answer is None if that broke."""
        self._queue.append(_Post(request, answered))
        self._flow()

    def close(self) -> None:
        """Close every connection."""
        for poster in self._all:
            poster.close()

    def _freed(self, poster: "_Poster") -> None:
        self._free.append(poster)
        self._flow()

    def _flow(self) -> None:
        while self._queue and self._free:
            self._free.popleft().begin(self._queue.popleft())


class _Poster:
    """One of the connections; opened again when the service has closed it."""

    def __init__(self, poller: Poller, port: int, freed: Callable[["_Poster"], None]) -> None:
        self._poller = poller
        self._port = port
        self._freed = freed
        self._post: _Post | None = None
        self._open()

    def begin(self, post: _Post) -> None:
        self._post = post
        try:
            self._socket.sendall(post.request())
        except OSError:
            self._broken()

    def close(self) -> None:
        self._poller.forget(self._socket.fileno())
        self._socket.close()

    def _open(self) -> None:
        self._reader = Reader()
        self._socket = socket.create_connection((_LOOPBACK, self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poller.watch(self._socket.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_PIECE)
            for message in self._reader.feed(data):
                self._finish(message)
        except (OSError, WireError):
            data = b""
        if not data:
            self._broken()

    def _broken(self) -> None:
        self.close()
        self._open()
        if self._post is not None:
            self._finish(None)

    def _finish(self, answer: Message | None) -> None:
        post, self._post = self._post, None
        if post is not None:
            post.answered(answer)
            self._freed(self)


@dataclass(slots=True)
class Inbox:
    """Where the service hands messages over; *answer* says what each of them is answered."""

    poller: Poller
    answer: Callable[[Message], bytes]
    port: int = field(init=False)
    _listener: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        """Listen on a free port of the loopback."""
        self._listener = socket.create_server((_LOOPBACK, 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.poller.watch(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = Reader()

        def readable() -> None:
            try:
                data = connection.recv(_PIECE)
                for message in reader.feed(data):
                    connection.sendall(self.answer(message))
            except (OSError, WireError):
                data = b""
            if not data:
                self.poller.forget(connection.fileno())
                connection.close()

        self.poller.watch(connection.fileno(), readable)
