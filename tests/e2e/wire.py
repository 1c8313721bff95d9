"""Bytes on a socket, as an operator's program sends them: every header is ours to choose."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPMessage
from secrets import token_hex
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"
_TIMEOUT = 30

Headers = Sequence[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class Response:
    """What the service answered."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def kind(self) -> str:
        """Return the content type without its parameters."""
        return self.headers.get_content_type()

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode()

    @property
    def document(self) -> dict[str, object]:
        """Return the body as a JSON object."""
        read: dict[str, object] = json.loads(self.body)
        assert isinstance(read, dict)
        return read


def request(
    port: int,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Headers = (),
    *,
    host: str | None = None,
) -> Response:
    """Send one request on a connection of its own; a body in parts goes out chunked."""
    parts = body is not None and not isinstance(body, bytes)
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or f"127.0.0.1:{port}")
        for name, value in headers:
            connection.putheader(name, value)
        if isinstance(body, bytes):
            connection.putheader("Content-Length", str(len(body)))
        elif body is not None:
            connection.putheader("Transfer-Encoding", "chunked")
        # What is refused by its size alone may be answered before it was sent to its end.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(body, encode_chunked=parts)
        response = connection.getresponse()
        return Response(response.status, response.headers, response.read())
    finally:
        connection.close()


def get(port: int, path: str, *, accept: str = "*/*") -> Response:
    """Read one page."""
    return request(port, "GET", path, headers=[("Accept", accept)])


def webhook_signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    """Sign any bytes, text or not.

    Source: Standard Webhooks, "Verifying webhook authenticity": HMAC-SHA256 over id.timestamp.body.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{event_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"


def webhook_headers(
    secret: str, body: bytes, *, at: datetime | None = None, event_id: str | None = None
) -> Headers:
    """Sign *body* as an event of its own, now unless told."""
    event_id = event_id or f"evt_{token_hex(8)}"
    timestamp = str(int((at or datetime.now(UTC)).timestamp()))
    return [
        ("Content-Type", JSON),
        ("webhook-id", event_id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", webhook_signature(secret, event_id, timestamp, body)),
    ]


def signed_post(
    port: int, path: str, secret: str, body: bytes, *, at: datetime | None = None
) -> Response:
    """Send *body* as an operator does."""
    return request(port, "POST", path, body, webhook_headers(secret, body, at=at))


def twilio_post(
    port: int,
    path: str,
    token: str,
    form: Mapping[str, str],
    *,
    public_url: str,
    host: str = "attacker.example",
) -> Response:
    """Send *form* as Twilio does, with a Host header that is not to be believed."""
    signature = RequestValidator(token).compute_signature(public_url + path, dict(form))
    headers = [("Content-Type", FORM), ("X-Twilio-Signature", signature)]
    return request(port, "POST", path, urlencode(form).encode(), headers, host=host)
