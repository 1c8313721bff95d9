"""The HTTP operator: JSON over HTTPS, signed both ways as Standard Webhooks says.

The library computes the signatures; shape and size are checked before it sees anything, because it
raises other errors than its own on odd input.
"""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

import urllib3
from standardwebhooks import Webhook

from core.settings import is_loopback
from sms.links.errors import LinkError, MalformedError, UnauthenticatedError
from sms.links.model import Accepted, Envelope, Link, Outcome, Outgoing, Refused, Unknown
from sms.links.posting import NotAnsweredError, NotSentError, Poster
from sms.links.strictjson import parse_object, text_of

CONTENT_TYPE = "application/json"
TOLERANCE = timedelta(seconds=300)
LONGEST_TEXT = 1000
_LONGEST_NUMBER = 100
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(minutes=10)
_EVENT_ID = re.compile(r"[\x21-\x7e]{1,256}")
# Eleven digits reach the year 5138; twelve pass the last year that a datetime has.
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_ID = re.compile(r"[\x21-\x7e]{1,100}")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
# A leap second is a time that exists; no datetime has it.
_LEAP = re.compile(r"^(.{17})60")
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")
# What the operator will not take however often it is asked.
_FINAL = frozenset({400, 406, 409, 410, 411, 413, 414, 415, 422, 431})
_SERVER_FAULT = 500


class Headers(Protocol):
    """The headers of a request, by name in lower case."""

    def get(self, name: str, default: str) -> str:
        """Return the header called *name*."""
        ...


def check_secret(text: str) -> str:
    """Check one Standard Webhooks secret.

    Raises: LinkError, quoting nothing of it.
    """
    secret = text.strip()
    if not _SECRET.fullmatch(secret):
        raise LinkError("the secret file must hold one secret of the form whsec_<base64>")
    try:
        _webhook(secret)
    except ValueError as error:
        raise LinkError("the secret after whsec_ is not base64") from error
    return secret


def authenticate(link: Link, headers: Headers, body: bytes, now: datetime) -> str:
    """Return the body's text once a live secret of the link is seen to have signed it.

    Raises: UnauthenticatedError.
    """
    event_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "").split(" ")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise UnauthenticatedError from error
    if not _EVENT_ID.fullmatch(event_id) or not _TIMESTAMP.fullmatch(timestamp):
        raise UnauthenticatedError
    signed_at = datetime.fromtimestamp(int(timestamp), UTC)
    presented = [signature.encode() for signature in signatures if signature.startswith("v1,")]
    genuine = False
    for secret in link.secrets:
        expected = _webhook(secret).sign(event_id, signed_at, text).encode()
        for signature in presented:
            genuine |= hmac.compare_digest(expected, signature)
    if not genuine or abs(now - signed_at) > TOLERANCE:
        raise UnauthenticatedError
    return text


def read_message(text: str, now: datetime) -> Envelope:
    """Read a `message.received` event.

    Raises: MalformedError.
    """
    _, data = event_of(text, frozenset({"message.received"}))
    return Envelope(
        id_of(data),
        text_of(data, "from", longest=_LONGEST_NUMBER),
        text_of(data, "to", longest=_LONGEST_NUMBER),
        text_of(data, "text", longest=LONGEST_TEXT),
        instant_of(data, "received_at", now),
    )


def event_of(text: str, types: frozenset[str]) -> tuple[str, dict[str, object]]:
    """Read an event of one of these types: its type and its data.

    Raises: MalformedError.
    """
    event = parse_object(text)
    kind, data = event.get("type"), event.get("data")
    if not isinstance(kind, str) or kind not in types or not isinstance(data, dict):
        raise MalformedError(f"the body is not an event of type {' or '.join(sorted(types))}")
    if not isinstance(event.get("timestamp", ""), str):
        raise MalformedError("timestamp must be a text")
    return kind, data


def id_of(data: dict[str, object]) -> str:
    """Take the id of an event's data.

    Raises: MalformedError.
    """
    found = text_of(data, "id", longest=_LONGEST_NUMBER)
    if not _ID.fullmatch(found):
        raise MalformedError("id must be 1 to 100 visible ASCII characters")
    return found


def instant_of(data: dict[str, object], name: str, now: datetime) -> datetime:
    """Take the instant called *name*, which lies after 2019 and not ahead of us.

    Raises: MalformedError.
    """
    return check_instant(any_instant_of(data, name), name, now)


def check_instant(instant: datetime, name: str, now: datetime) -> datetime:
    """Refuse an instant before 2020, or too far ahead of us.

    Raises: MalformedError.
    """
    if instant < _EARLIEST or instant - now > _AHEAD:
        raise MalformedError(f"{name} must lie after 2019 and at most 10 minutes ahead")
    return instant


def any_instant_of(data: dict[str, object], name: str) -> datetime:
    """Take the instant called *name*.

    Raises: MalformedError.
    """
    text = text_of(data, name, longest=64)
    if not _RFC3339.fullmatch(text):
        raise MalformedError(f"{name} must be an RFC 3339 time with an offset")
    try:
        return datetime.fromisoformat(_LEAP.sub(r"\g<1>59", text.upper())).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"{name} is not a time that exists") from error


class HttpSender:
    """Hands replies to HTTP operators over kept connections."""

    def __init__(self) -> None:
        self._poster = Poster()

    async def send(self, link: Link, outgoing: Outgoing, now: datetime) -> Outcome:
        """Offer a reply once and say what is known of it afterwards."""
        body = render(outgoing)
        headers = {
            "content-type": CONTENT_TYPE,
            "user-agent": "TraDan",
            "webhook-id": outgoing.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": _webhook(link.secrets[0]).sign(outgoing.id, now, body),
        }
        return await offer(self._poster, link.url, headers, body.encode())

    def close(self) -> None:
        """Let go of every connection."""
        self._poster.close()


async def offer(poster: Poster, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Post a reply once and say what is known of it afterwards."""
    try:
        return judge_status(await poster.post(url, headers, body))
    except NotSentError as error:
        return Refused(str(error), retryable=True)
    except NotAnsweredError as error:
        return Unknown(str(error))


def judge_status(status: int) -> Outcome:
    """Say what an HTTP status tells of a reply."""
    if status // 100 == 2:  # noqa: PLR2004 (the class of success)
        return Accepted()
    if status in _FINAL:
        return Refused(f"status-{status}", retryable=False)
    if status == 408 or (status >= _SERVER_FAULT and status != 503):  # noqa: PLR2004 (RFC 9110)
        return Unknown(f"status-{status}")
    return Refused(f"status-{status}", retryable=True)


def render(outgoing: Outgoing) -> str:
    """Write the `message.send` event: the same bytes on each attempt."""
    return json.dumps(
        {
            "type": "message.send",
            "timestamp": _rfc3339(outgoing.created_at),
            "data": {
                "id": outgoing.id,
                "to": outgoing.to,
                "from": outgoing.sender,
                "text": outgoing.text,
                "encoding": outgoing.encoding,
                "segments": outgoing.segments,
                "expires_at": _rfc3339(outgoing.expires_at),
                "in_reply_to": outgoing.in_reply_to,
            },
        },
        separators=(",", ":"),
    )


def check_url(text: str, *, is_private_line: bool = False) -> str:
    """Check where replies are posted to; in the clear only where nobody else reads the line.

    Raises: LinkError.
    """
    try:
        parts = urllib3.util.parse_url(text)
    except urllib3.exceptions.LocationParseError as error:
        raise LinkError("the URL cannot be read: write https://HOST/PATH") from error
    is_safe = is_private_line or is_loopback((parts.host or "").strip("[]"))
    plain = parts.scheme == "http" and is_safe
    if not (parts.scheme == "https" or plain) or not parts.host or parts.auth or parts.fragment:
        raise LinkError("the URL must be https://…; http:// is taken for loopback hosts only")
    return text


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=256)
def _webhook(secret: str) -> Webhook:
    return Webhook(secret)
