"""An HTTP server of the tests' own, which can be shut, opened again, and made to misbehave."""

import os
import secrets
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LOWEST_PORT, _HIGHEST_PORT = 20_000, 32_000  # below those of outgoing connections
_ABORT = struct.pack("ii", 1, 0)  # close with a reset, not with an end
_REDIRECTION = 3


class Request(BaseHTTPRequestHandler):
    """One request that came in; the owner of the listener answers it."""

    protocol_version = "HTTP/1.1"
    server: "_Server"
    body: bytes

    def do_GET(self) -> None:
        """Hand it over, as nothing that a service should send."""
        self.do_POST()

    def do_POST(self) -> None:
        """Read the whole request, then hand it over; half of one, of a sender killed, is none."""
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        if len(self.body) == length:
            self.server.receive(self)
        else:
            self.close_connection = True

    def answer(self, status: int, body: bytes = b"{}") -> None:
        """Answer with a small JSON document."""
        self.send_response(status)
        if status // 100 == _REDIRECTION:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """Cut the connection without a word."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 (as it is inherited)
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, receive: Callable[[Request], None]) -> None:
        self.receive = receive
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Request)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 (as it is inherited)
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave it at that: the other side was killed, or is to see a broken connection."""


class Listener:
    """A port of this machine: connections are refused until it is opened, and once it is shut."""

    def __init__(self, receive: Callable[[Request], None]) -> None:
        self._receive = receive
        self._server: _Server | None = None
        # Bound and never listening, this keeps the port ours while it is shut.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port: int = self._held.getsockname()[1]

    @property
    def url(self) -> str:
        """Return the address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Begin to accept connections."""
        self._server = _Server(self.port, self._receive)
        serve = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        serve.start()

    def shut(self) -> None:
        """Refuse connections, and cut those there are."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.shutdown()
        server.server_close()
        for connection in list(server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the port back."""
        self.shut()
        self._held.close()


def free_port() -> int:
    """Find a port that nobody listens on, and that no outgoing connection will be given."""
    while True:
        port = _LOWEST_PORT + secrets.randbelow(_HIGHEST_PORT - _LOWEST_PORT)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
