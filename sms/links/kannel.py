"""Kannel: what its smsbox brings us, messages and receipts (ADR 0028).

Nothing in it signs, so the secret in the path is the whole proof that a request is our Kannel's:
the line is one that nobody else reads. It repeats, without end if told so, whatever is not answered
by 200 or 202. So what a citizen's telephone can cause is taken as far as it can be read; refused is
what only its configuration causes.
"""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from uuid import UUID

from sms.deliveries import Delivery, News
from sms.links import http, kannel_profile
from sms.links.errors import MalformedError, WrongTypeError
from sms.links.http import Headers
from sms.links.model import NO_TEXT, Envelope
from sms.links.statuses import REPLY_ID, Status
from sms.links.strictjson import text_of
from sms.receipts import Receipt

LONGEST_TEXT = 1000
_MOST_FIELDS = 40
_LONGEST_NUMBER = 100
_NAMES = frozenset({"id", "from", "to", "text", "time", "charset", "type"})
# What it says of a message in headers; of the first only with `send-sender = true`.
_IN_HEADERS = {"from": "x-kannel-from", "to": "x-kannel-to"}
# Eleven digits reach the year 5138; twelve pass the last year that a datetime has.
_TIME = re.compile(r"[0-9]{1,11}")
_TYPE = re.compile(r"[0-9]{1,3}")
_CHARSET = re.compile(r'charset="?([A-Za-z0-9_.-]{1,40})"?', re.IGNORECASE)
_BINARY = "8-bit"
_CODECS = {
    "utf-8": "utf-8",
    "us-ascii": "utf-8",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16be": "utf-16-be",
    "ucs-2": "utf-16-be",
    _BINARY: "latin-1",
}
# Source: Kannel's user guide, delivery reports; 32 (on its way) and sums of these are never asked
# for.
_STATES = {
    1: Delivery.DELIVERED,
    2: Delivery.UNDELIVERED,
    4: Delivery.QUEUED,
    8: Delivery.SENT,
    16: Delivery.FAILED,
}


def read_request(headers: Headers, query: str, body: bytes | None) -> dict[str, object]:
    """Read what a request says, each thing once; *body* is None for one that has none (GET).

    Raises: WrongTypeError, MalformedError.
    """
    said = _read_query(query)
    for name, header in _IN_HEADERS.items():
        if name not in said and (value := headers.get(header, "")):
            said[name] = value
    charset = said.get("charset") or "utf-8"
    if body is not None:
        if "text" in said:
            raise MalformedError("the text must stand in the body alone")
        return {**said, "text": _decode(body, _charset_of(headers) or charset)}
    if "text" in said:
        return {**said, "text": _decode(said["text"].encode("latin-1"), charset)}
    return {**said}


def read_message(said: dict[str, object], now: datetime) -> Envelope:
    """Read an inbound message.

    Raises: MalformedError.
    """
    to = text_of(said, "to", longest=_LONGEST_NUMBER)
    if not kannel_profile.OUR_NUMBER.fullmatch(to):
        raise MalformedError(f"to must be 1 to {_LONGEST_NUMBER} visible ASCII characters")
    sender = text_of(said, "from", longest=_LONGEST_NUMBER)
    text = said.get("text")
    if not isinstance(text, str):
        raise MalformedError("text must be there, if empty")
    if len(text) > LONGEST_TEXT:
        text = NO_TEXT
    # An empty text is a message that says nothing, and is answered like one.
    return Envelope(http.id_of(said), sender, to, text or " ", _received_at(said, now))


def read_status(said: dict[str, object], now: datetime) -> Status:
    """Read what Kannel says of a reply: our id and its type, and when.

    Raises: MalformedError.
    """
    named, kind = http.id_of(said), said.get("type")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise MalformedError("type must be a number")
    state = _STATES.get(int(kind))
    if state is None or not REPLY_ID.fullmatch(named):
        return Status(named, None)
    news = News(state, min(_instant(said) or now, now))
    return Status(named, Receipt(news=news, reply_id=UUID(named)))


def _read_query(query: str) -> dict[str, str]:
    """Read the query, an octet for each character; a name of ours stands once."""
    try:
        pairs = parse_qsl(
            query.encode("ascii").decode(),
            keep_blank_values=True,
            strict_parsing=bool(query),
            max_num_fields=_MOST_FIELDS,
            encoding="latin-1",
        )
    except ValueError as error:
        raise MalformedError("the query cannot be read") from error
    ours = [(name, value) for name, value in pairs if name in _NAMES]
    said = dict(ours)
    if len(said) < len(ours):
        raise MalformedError("the query holds a name twice")
    return said


def _charset_of(headers: Headers) -> str | None:
    """Return the charset that the content type names, if it does.

    Raises: WrongTypeError for what is not the text of a message.
    """
    mimetype, _, rest = headers.get("content-type", "").partition(";")
    match mimetype.strip().lower():
        case "text/plain":
            found = _CHARSET.search(rest)
            return found[1] if found else None
        case "application/octet-stream":
            return _BINARY
        case _:
            raise WrongTypeError


def _decode(octets: bytes, charset: str) -> str:
    codec = _CODECS.get(charset.lower())
    if codec is None:
        raise MalformedError(f"the charset must be one of {', '.join(_CODECS)}")
    # Half an emoji, or octets that are no text: a telephone can send them, so they are no fault.
    return octets.decode(codec, "replace").replace("\0", "\ufffd")


def _received_at(said: dict[str, object], now: datetime) -> datetime:
    if not said.get("time"):
        return now
    instant = _instant(said)
    if instant is None:
        raise MalformedError("time must be in seconds since 1970")
    return http.check_instant(instant, "time", now)


def _instant(said: dict[str, object]) -> datetime | None:
    time = said.get("time")
    if not isinstance(time, str) or not _TIME.fullmatch(time):
        return None
    return datetime.fromtimestamp(int(time), UTC)
