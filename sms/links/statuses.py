"""What operators say became of replies: `message.status` events, and Twilio's callbacks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sms.deliveries import LONGEST_ERROR, Delivery, News
from sms.links import http, twilio_codes
from sms.links.errors import MalformedError, UnauthenticatedError
from sms.links.model import Link
from sms.links.strictjson import text_of
from sms.receipts import Receipt

MOST_PARTS = 255
_TYPES = frozenset({"message.status"})
_ERROR = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_ERROR}}}")
REPLY_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUERY = re.compile(rf"id=({REPLY_ID.pattern})")
_SID = re.compile(r"SM[0-9a-f]{32}")
_CODE = re.compile(r"[0-9]{1,10}")
# Source: Twilio, Message resource, `status`; what is not here is about a message that came in.
_OF_TWILIO = {
    "accepted": Delivery.QUEUED,
    "scheduled": Delivery.QUEUED,
    "queued": Delivery.QUEUED,
    "sending": Delivery.QUEUED,
    "sent": Delivery.SENT,
    "partially_delivered": Delivery.SENT,
    "failed": Delivery.FAILED,
    "canceled": Delivery.FAILED,
    "undelivered": Delivery.UNDELIVERED,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
}


@dataclass(frozen=True, slots=True)
class Status:
    """One status as an operator posted it: the id it is acknowledged by, and what it says.

    *receipt* is None where it can be about no reply of ours.
    """

    id: str
    receipt: Receipt | None


def read(text: str, now: datetime) -> Status:
    """Read a `message.status` event.

    Raises: MalformedError.
    """
    _, data = http.event_of(text, _TYPES)
    named = http.id_of(data)
    try:
        state = Delivery(text_of(data, "status", longest=20))
    except ValueError as error:
        raise MalformedError(f"status must be one of {', '.join(Delivery)}") from error
    done_at = http.instant_of(data, "done_at", now)
    news = News(state, done_at, _part(data), _error(data))
    # Only what we wrote ourselves can be an id of ours; anything else is as unknown as another's.
    reply_id = UUID(named) if REPLY_ID.fullmatch(named) else None
    return Status(named, None if reply_id is None else Receipt(news=news, reply_id=reply_id))


def read_twilio(link: Link, fields: Sequence[tuple[str, str]], query: str, now: datetime) -> Status:
    """Read a status callback of Twilio, which carries our id in its query.

    Raises: UnauthenticatedError for another account's or number's, MalformedError.
    """
    for name in ("MessageSid", "AccountSid", "MessageStatus"):
        if sum(1 for key, _ in fields if key == name) != 1:
            raise MalformedError(f"the form must hold {name} exactly once")
    form = dict(fields)
    if form["AccountSid"] != link.account_sid:
        raise UnauthenticatedError
    if form.get("From", link.from_number) != link.from_number:
        raise UnauthenticatedError
    sid, code = form["MessageSid"], form.get("ErrorCode", "")
    if not _SID.fullmatch(sid):
        raise MalformedError("MessageSid must be a message's")
    if code and not _CODE.fullmatch(code):
        raise MalformedError("ErrorCode must be a number")
    if code:
        twilio_codes.note(link, int(code))
    meant, state = _QUERY.fullmatch(query), _OF_TWILIO.get(form["MessageStatus"])
    if meant is None or state is None:
        return Status(sid, None)
    # When it came to that is told without a zone, so it is when we are told.
    news = News(state, now, error=code or None)
    return Status(sid, Receipt(news=news, reply_id=UUID(meant[1]), provider_id=sid))


def _part(data: dict[str, object]) -> int | None:
    part = data.get("part")
    if part is None:
        return None
    if isinstance(part, bool) or not isinstance(part, int) or not 1 <= part <= MOST_PARTS:
        raise MalformedError(f"part must be an integer from 1 to {MOST_PARTS}")
    return part


def _error(data: dict[str, object]) -> str | None:
    error = data.get("error")
    if error is None:
        return None
    if not isinstance(error, str) or not _ERROR.fullmatch(error):
        raise MalformedError(f"error must be 1 to {LONGEST_ERROR} visible ASCII characters")
    return error
