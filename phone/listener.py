"""Where texts for a terminal's phone arrive: a listener on a free port of this machine."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from phone.errors import ForgedError

_HOST = "127.0.0.1"
_LARGEST_BODY = 8192

Deliver = Callable[[Mapping[str, str], bytes], object]


class _Handler(BaseHTTPRequestHandler):
    """Answers as an operator does: 204 once the text is kept, 401 to whoever is not the gateway."""

    protocol_version = "HTTP/1.1"
    deliver: Deliver

    def do_POST(self) -> None:
        """Take one delivery."""
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            self._answer(413)
            return
        try:
            self.deliver(dict(self.headers), self.rfile.read(int(length)))
        except ForgedError:
            self._answer(401)
        else:
            self._answer(204)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's signature)
        """Say nothing: the thread itself shows what came."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class Listener:
    """A bound port that takes deliveries once it is served."""

    def __init__(self, wanted_port: int | None) -> None:
        try:
            self._server = _Server((_HOST, wanted_port or 0), _Handler)
        except OSError:
            self._server = _Server((_HOST, 0), _Handler)

    @property
    def url(self) -> str:
        """Where deliveries are to be posted."""
        return f"http://{_HOST}:{self._server.server_port}/"

    @contextmanager
    def serving(self, deliver: Deliver) -> Iterator[None]:
        """Hand every delivery to *deliver* for as long as the block lasts."""
        handler = type("Handler", (_Handler,), {"deliver": staticmethod(deliver)})
        self._server.RequestHandlerClass = handler
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
