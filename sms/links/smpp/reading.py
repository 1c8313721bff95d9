"""What a deliver_sm is: a text, a part of one, a receipt, or nothing that can be read. Pure."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from sms import message_ids
from sms.deliveries import News
from sms.links.model import NO_TEXT
from sms.links.smpp import alphabet, parts, receipt_text
from sms.links.smpp.parts import PartError, Piece, Place
from sms.links.smpp.pdu import Address, Message
from sms.links.smpp.profile import Profile
from sms.receipts import Receipt

LONGEST_TEXT = 1000
MOST_PARTS = 3
_INTERNATIONAL = 1
_VISIBLE = re.compile(rb"[\x21-\x7e]{1,64}")
_LONGEST_SHOWN = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A whole message of a citizen's; *given_id* is the operator's own, if it stamps one."""

    sender: str = field(repr=False)
    to: str
    text: str = field(repr=False)
    given_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a citizen's message."""

    sender: str = field(repr=False)
    to: str
    place: Place
    piece: Piece


@dataclass(frozen=True, slots=True)
class Report:
    """A receipt; None: one that does not say whose it is."""

    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Unmarked:
    """What reads like a receipt and is not marked as one: neither answered nor believed."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Nothing that is a text."""


Read = Text | Part | Report | Unmarked | Unreadable


def read(profile: Profile, message: Message, now: datetime) -> Read:
    """Read what an SMSC delivers; total."""
    if receipt_text.is_receipt(message):
        return Report(_receipt(profile, message, now))
    coding = profile.codings.get(message.data_coding)
    try:
        carried = parts.read(message)
    except PartError:
        return Unreadable()
    if receipt_text.reads_like_one(carried.octets.decode("latin-1"), profile.receipt_states):
        # An answer to it would get a receipt of its own.
        return Unmarked()
    if coding is None:
        return Unreadable()
    sender, to = _number(message.source), message.destination.value
    if not sender or not to:
        return Unreadable()
    if carried.place is not None and carried.place.total <= MOST_PARTS:
        piece = Piece(carried.octets, coding)
        return Part(sender=sender, to=to, place=carried.place, piece=piece)
    # An empty text is a message that says nothing, and is answered like one.
    text = alphabet.decode(carried.octets, coding) or " "
    if carried.place is not None:
        # Whichever id its parts have, they are one message.
        return Text(sender=sender, to=to, text=NO_TEXT)
    if len(text) > LONGEST_TEXT:
        text = NO_TEXT
    return Text(sender=sender, to=to, text=text, given_id=_given_id(profile, message))


def _number(address: Address) -> str:
    is_plain = address.value.isascii() and address.value.isdigit()
    return f"+{address.value}" if address.ton == _INTERNATIONAL and is_plain else address.value


def _given_id(profile: Profile, message: Message) -> str | None:
    if profile.message_id_tag is None:
        return None
    value = (message.tlv(profile.message_id_tag) or b"").rstrip(b"\0")
    if not value:
        return None
    if _VISIBLE.fullmatch(value):
        return value.decode()
    # Two that are long and begin alike are two ids.
    return value.hex() if len(value) <= _LONGEST_SHOWN else hashlib.sha256(value).hexdigest()


def _receipt(profile: Profile, message: Message, now: datetime) -> Receipt | None:
    try:
        octets = parts.read(message).octets
    except PartError:
        octets = parts.octets_of(message)
    found = receipt_text.read(
        message,
        # ASCII whatever its data_coding says.
        octets.decode("latin-1"),
        pattern=_pattern(profile.receipt_pattern),
        states=profile.receipt_states,
        zone=timedelta(minutes=profile.receipt_zone_minutes),
    )
    if found is None:
        return None
    key = message_ids.key_of(found.written, profile.ids.receipts)
    if key is None:
        return None
    news = News(found.state, min(found.done_at or now, now), error=found.error)
    return Receipt(news=news, key=key, provider_id=found.written)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.DOTALL)
