"""What holds of any request of Kannel's: a query, and behind a line feed a content type and a body.

Kannel brings again without end what is refused; so a message is refused for its settings alone,
and for nothing that a telephone can send.
"""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

from sms.links import kannel
from sms.links.errors import MalformedError, RefusedRequestError
from sms.links.model import Envelope
from sms.links.statuses import Status
from tests.fakes import NOON
from tests.fuzz.of_texts import check_envelope

_FROM_A_TELEPHONE = "id=m-1&from=%2B84912345678&to=1414&charset={}&text={}"
_CHARSETS = ("utf-8", "ISO-8859-1", "UTF-16BE", "windows-1252")


def requests(octets: bytes) -> None:
    """Read any request, and whatever text a telephone may have sent."""
    query, *rest = octets.split(b"\n", 2)
    headers = {"content-type": rest[0].decode("latin-1")} if rest else {}
    body = rest[1] if len(rest) > 1 else None
    _read(query.decode("latin-1"), headers, body)
    for charset in _CHARSETS:
        sent = _FROM_A_TELEPHONE.format(charset, quote(octets))
        assert isinstance(_read(sent, {}, None), Envelope), "what a telephone sends is taken"


def _read(query: str, headers: Mapping[str, str], body: bytes | None) -> object:
    try:
        said = kannel.read_request(headers, query, body)
    except RefusedRequestError:
        return None
    status = _status(said)
    if status is not None and status.receipt is not None:
        assert str(status.receipt.reply_id) == status.id
        assert status.receipt.news.at <= NOON
    read = _message(said)
    if read is not None:
        check_envelope(read)
        assert read.operator_message_id.isascii()
        assert read.received_at <= NOON + timedelta(minutes=10)
    return read


def _message(said: dict[str, object]) -> Envelope | None:
    try:
        return kannel.read_message(said, NOON)
    except MalformedError:
        return None


def _status(said: dict[str, object]) -> Status | None:
    try:
        return kannel.read_status(said, NOON)
    except MalformedError:
        return None
