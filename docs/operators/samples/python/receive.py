"""Take the gateway's replies, with Python's standard library.

Usage: python receive.py PORT SECRET_FILE
Prints each genuine reply once. In earnest the ids are kept in a table with a unique key, and the
status is answered once the reply is stored.
"""

import base64
import hashlib
import hmac
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_FRESH_SECONDS = 300


def is_genuine(secret: str, event_id: str, timestamp: str, body: bytes, header: str) -> bool:
    """Tell whether the gateway signed these bytes, and lately."""
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > _FRESH_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    # Compared in constant time; several signatures may stand there.
    return any(hmac.compare_digest(expected, given.encode()) for given in header.split(" "))


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 once a reply is taken, 401 to whoever is not the gateway."""

    protocol_version = "HTTP/1.1"
    secret = ""
    seen: set[str]

    def do_POST(self) -> None:
        """Take one reply."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        event_id = self.headers.get("webhook-id", "")
        timestamp = self.headers.get("webhook-timestamp", "")
        signatures = self.headers.get("webhook-signature", "")
        genuine = is_genuine(self.secret, event_id, timestamp, body, signatures)
        # webhook-id is the reply's id: the same on each attempt.
        if genuine and event_id not in self.seen:
            self.seen.add(event_id)
            print(body.decode(), flush=True)
        self.send_response(204 if genuine else 401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's signature)
        """Keep the output to replies."""


if __name__ == "__main__":
    Receiver.secret = Path(sys.argv[2]).read_text().strip()
    Receiver.seen = set()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print(f"listening on port {sys.argv[1]}", flush=True)
    server.serve_forever()
