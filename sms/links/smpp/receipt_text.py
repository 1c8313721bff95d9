"""Delivery receipts as SMSCs write them into a text: no two alike, so each is read by a pattern.

Source: SMPP 3.4, appendix B, which is a habit and no rule; 5.2.12 (esm_class), 5.2.28 and 5.3.2.35.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from sms.deliveries import Delivery
from sms.links.smpp.pdu import Message, Tag

LONGEST = 1000
_KIND = 0x3C
_RECEIPT, _INTERMEDIATE = 0x04, 0x20
_DONE = re.compile(r"[0-9]{10}(?:[0-9]{2})?")
_TO_THE_SECOND = 12
# Nothing in it goes back far: a text that is made for that is read in milliseconds too.
PATTERN = (
    r"id:\s*+(?P<id>[\x21-\x7e]{1,64}+)"
    r"(?:(?>.*?\bdone date:\s*+(?P<done>[0-9]{10,12}+)))?"
    r"(?>.*?\bstat:\s*+(?P<state>[A-Za-z]{1,10}+))"
    r"(?:.*?\berr:\s*+(?P<error>[0-9A-Za-z]{1,10}+))?"
)
_USUAL = re.compile(PATTERN, re.DOTALL)
STATES: Mapping[str, Delivery] = {
    "ACCEPTD": Delivery.QUEUED,
    "BUFFRED": Delivery.QUEUED,
    "ENROUTE": Delivery.SENT,
    "UNKNOWN": Delivery.SENT,  # the SMSC itself cannot say what became of it
    "DELETED": Delivery.FAILED,
    "REJECTD": Delivery.FAILED,
    "EXPIRED": Delivery.EXPIRED,
    "UNDELIV": Delivery.UNDELIVERED,
    "DELIVRD": Delivery.DELIVERED,
}
_BY_NUMBER = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD",
    7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceiptText:
    """A receipt as read: the operator's id as it is written there, and what it says.

    Shape: *done_at* is None where no time that exists was told.
    """

    written: str
    state: Delivery
    error: str | None
    done_at: datetime | None


def is_receipt(message: Message) -> bool:
    """Tell whether a deliver_sm is about a reply of ours, as only an SMSC can say it."""
    is_marked = bool(message.esm_class & _KIND & (_RECEIPT | _INTERMEDIATE))
    return is_marked or bool(message.tlv(Tag.RECEIPTED_MESSAGE_ID))


def reads_like_one(text: str, states: Mapping[str, Delivery]) -> bool:
    """Tell whether a text is what SMSCs usually write; a citizen can have written it.

    So no pattern of an operator's is tried on it: one may be slow with what is made to be slow.
    """
    found = _USUAL.match(text[:LONGEST])
    return found is not None and found["state"].upper() in states


def read(
    message: Message,
    text: str,
    *,
    pattern: re.Pattern[str],
    states: Mapping[str, Delivery],
    zone: timedelta,
) -> ReceiptText | None:
    """Read a receipt, its optional parameters before its text; None if neither says whose it is.

    Units: *zone* is how far the SMSC's clock is ahead of UTC.
    """
    found = pattern.search(text[:LONGEST])
    groups = found.groupdict() if found else {}
    stamped = (message.tlv(Tag.RECEIPTED_MESSAGE_ID) or b"").rstrip(b"\0").decode("latin-1")
    written = stamped or groups.get("id") or ""
    if not written:
        return None
    number = int.from_bytes((message.tlv(Tag.MESSAGE_STATE) or b"")[:1], "big")
    word = _BY_NUMBER.get(number) or (groups.get("state") or "").upper()
    state = states.get(word, Delivery.SENT)
    return ReceiptText(written, state, groups.get("error"), _instant(groups.get("done"), zone))


def _instant(text: str | None, zone: timedelta) -> datetime | None:
    """Read YYMMDDhhmm or YYMMDDhhmmss, by the SMSC's clock."""
    if text is None or not _DONE.fullmatch(text):
        return None
    try:
        shape = "%y%m%d%H%M%S" if len(text) == _TO_THE_SECOND else "%y%m%d%H%M"
        return datetime.strptime(text, shape).replace(tzinfo=timezone(zone)).astimezone(UTC)
    except ValueError:
        return None
