"""The bytes between the made-up operator and the service: HTTP/1.1 and Standard Webhooks.

Written out by hand, because the operator shares the machine with what it measures.
"""

import hmac
import re
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Iterator
from dataclasses import dataclass

ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

_PREFIX = "whsec_"
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_NO_BODY = frozenset({b"GET", b"204", b"304"})
_REQUEST = (
    b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nwebhook-id: %b\r\n"
    b"webhook-timestamp: %b\r\nwebhook-signature: v1,%b\r\nContent-Length: %d\r\n\r\n%b"
)


class WireError(Exception):
    """The other side does not speak the HTTP that this one understands."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and checks with the secret of one link.

    Source: the Standard Webhooks specification.
    """

    key: bytes

    @classmethod
    def of(cls, secret: str) -> "Signer":
        """Read a secret as it stands in its file.

        Raises: ValueError.
        """
        text = secret.strip()
        if not text.startswith(_PREFIX):
            raise ValueError(f"a secret of Standard Webhooks begins with {_PREFIX}")
        return cls(b64decode(text.removeprefix(_PREFIX), validate=True))

    def sign(self, event: bytes, timestamp: bytes, body: bytes) -> bytes:
        """Return the signature of one event, in base 64."""
        tag = hmac.digest(self.key, b"%b.%b.%b" % (event, timestamp, body), "sha256")
        return b2a_base64(tag, newline=False)


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages of subscribers are posted, and how they are signed."""

    host: bytes
    path: bytes
    signer: Signer

    def request(self, event: bytes, timestamp: bytes, body: bytes) -> bytes:
        """Write out one signed request on a connection that stays open."""
        signature = self.signer.sign(event, timestamp, body)
        return _REQUEST % (self.path, self.host, event, timestamp, signature, len(body), body)


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response as it came."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        """The status of a response.

        Raises: WireError if this is none.
        """
        found = _STATUS.match(self.head)
        if found is None:
            raise WireError("no HTTP response")
        return int(found[1])

    def field(self, name: bytes) -> bytes:
        """Return the value of a header field, empty if it is not there."""
        found = re.search(rb"(?i)\r\n%b:[ \t]*([^\r]*)" % name, self.head)
        return b"" if found is None else found[1].strip()

    def signed_by(self, signer: Signer) -> bool:
        """Tell whether a request carries a signature of *signer*."""
        wanted = signer.sign(self.field(b"webhook-id"), self.field(b"webhook-timestamp"), self.body)
        given = self.field(b"webhook-signature").split()
        return any(hmac.compare_digest(b"v1," + wanted, one) for one in given)


class Reader:
    """Cuts what comes over one connection into messages."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that *data* completes.

        Raises: WireError for a body whose length is not told.
        """
        self._left += data
        while (end := self._left.find(_END)) >= 0:
            head = self._left[:end]
            body_at = end + len(_END)
            until = body_at + _body_length(head)
            if len(self._left) < until:
                return
            body, self._left = self._left[body_at:until], self._left[until:]
            yield Message(head, body)


def _body_length(head: bytes) -> int:
    if found := _LENGTH.search(head):
        return int(found[1])
    words = head.split(None, 2)
    if _NO_BODY.isdisjoint(words[:2]):
        raise WireError("a message without Content-Length")
    return 0
