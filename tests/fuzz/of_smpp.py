"""What holds of any bytes that an SMSC may send: packets, headers of parts, texts of receipts."""

import json
import re
from datetime import timedelta

from sms.deliveries import LONGEST_ERROR, Delivery
from sms.links.smpp import alphabet, codec, parts, profile, reading, receipt_text
from sms.links.smpp.alphabet import Alphabet
from sms.links.smpp.parts import PartError, Piece, Place
from sms.links.smpp.pdu import (
    LONGEST_SHORT_MESSAGE,
    Address,
    Bound,
    Command,
    Message,
    Pdu,
    PduError,
    Tag,
    Taken,
    UnknownCommandError,
)
from sms.links.smpp.reading import (
    LONGEST_TEXT,
    MOST_PARTS,
    Part,
    Read,
    Report,
    Text,
    Unmarked,
    Unreadable,
)
from sms.message_ids import LONGEST_KEY
from tests.fakes import NOON

_STAMP = 0x1400
PROFILE = profile.make(
    {
        "hosts": ["127.0.0.1"], "port": 2775, "system_id": "tradan",
        "message_id_tag": _STAMP, "receipt_id_base": "hexadecimal",
    }
)  # fmt: skip
_GIVEN_ID = re.compile(r"[\x21-\x7e]{1,64}")
_HAS_HEADER, _IS_RECEIPT = 0x40, 0x04
# As appendix B of SMPP 3.4 writes a receipt, to the letter.
_USUAL = re.compile(
    r"id:([0-9A-Za-z]{1,32}) sub:[0-9]{3} dlvrd:[0-9]{3} submit date:[0-9]{10} "
    r"done date:([0-9]{10}) stat:([A-Z]{7}) err:([0-9]{3}) text:[^:]*"
)


def pdus(octets: bytes) -> None:
    """Cut a stream alike however it comes in; each piece is a packet or the one error."""
    pieces, fault = _cut(octets, len(octets) + 1)

    assert _cut(octets, 7) == (pieces, fault)
    assert sum(map(len, pieces)) <= len(octets)
    for one in (*pieces, octets):
        _pdu(one)


def _cut(octets: bytes, size: int) -> tuple[list[bytes], tuple[str, int, int] | None]:
    """Cut a stream that comes in pieces of a size; return its packets, and what ended it."""
    buffer, found = bytearray(), []
    for at in range(0, len(octets), size):
        buffer += octets[at : at + size]
        try:
            for whole in codec.cut(buffer):
                found.append(whole)  # noqa: PERF402 (what came before a fault is kept)
        except PduError as error:
            return found, (str(error), error.command, error.sequence)
    return found, None


def _pdu(octets: bytes) -> None:
    pdu = _decoded(octets)
    if len(octets) < codec.HEADER.size:
        assert isinstance(pdu, PduError)
        return
    length, number, status, sequence = codec.HEADER.unpack_from(octets)
    assert (pdu.command, pdu.sequence) == (number, sequence)
    if isinstance(pdu, PduError):
        assert isinstance(pdu, UnknownCommandError) is (number not in set(Command))
        return
    if isinstance(pdu.body, Bound | Taken):
        # An answer is read however it is written; what it says is there.
        told = pdu.body.system_id if isinstance(pdu.body, Bound) else pdu.body.message_id
        assert octets[codec.HEADER.size :].startswith(told.encode("latin-1"))
        return
    written = codec.encode(pdu)
    assert (length, status) == (len(octets), pdu.status)
    assert codec.decode(written) == pdu
    assert len(written) <= len(octets) + 1
    if isinstance(pdu.body, Message):
        assert written == octets
        message(pdu.body)


def _decoded(octets: bytes) -> Pdu | PduError:
    try:
        return codec.decode(octets)
    except PduError as error:
        return error


def message(told: Message) -> Read:
    """Read a deliver_sm: whatever comes of it fits where it is kept."""
    read = reading.read(PROFILE, told, NOON)
    carried = max(len(told.short_message), len(told.tlv(Tag.MESSAGE_PAYLOAD) or b""))
    match read:
        case Text(sender=sender, to=to, text=text, given_id=given_id):
            assert sender
            assert to
            assert 1 <= len(text) <= LONGEST_TEXT
            assert given_id is None or _GIVEN_ID.fullmatch(given_id)
            text.encode()
        case Part(sender=sender, to=to, place=place, piece=piece):
            assert sender
            assert to
            assert 1 <= place.number <= place.total <= MOST_PARTS
            assert len(piece.octets) <= carried
            # Which message it belongs to is written as JSON.
            assert len(json.dumps([sender, to, place.reference])) < 300
        case Report(receipt):
            assert told.esm_class & 0x3C or told.tlv(Tag.RECEIPTED_MESSAGE_ID)
            assert receipt is None or (receipt.key and len(receipt.key) <= LONGEST_KEY)
            assert receipt is None or receipt.news.at <= NOON
        case Unmarked():
            assert b"id:" in parts.octets_of(told)
        case Unreadable():
            pass
    return read


def headers(octets: bytes) -> None:
    """Take a header off a text just as another walk over its elements does."""
    told = _carrying(octets, _HAS_HEADER)
    expected = _walked(octets)
    try:
        carried = parts.read(told)
    except PartError:
        assert expected is None
        return
    assert expected is not None
    assert (carried.place, carried.octets) == expected
    message(told)
    if carried.place is not None and carried.place.total <= MOST_PARTS:
        _joined(carried.octets, carried.place)


def _walked(octets: bytes) -> tuple[Place | None, bytes] | None:
    """Read a header by cutting one element after the other off it; None if it does not hold."""
    if not octets or octets[0] > len(octets) - 1:
        return None
    rest, text = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
    place = None
    while rest:
        if len(rest) == 1 or len(rest) < 2 + rest[1]:
            return None
        value, tag, rest = rest[2 : 2 + rest[1]], rest[0], rest[2 + rest[1] :]
        if (tag, len(value)) in {(0, 3), (8, 4)} and 0 < value[-1] <= value[-2]:
            reference = int.from_bytes(value[:-2], "big")
            place = Place("udh16" if tag else "udh8", reference, *value[-2:])
    return (None if place is None or place.total == 1 else place), text


def _joined(octets: bytes, place: Place) -> None:
    """Cut octets into as many parts, and join them from the last to the first."""
    size = len(octets) // place.total
    starts = [size * number for number in range(place.total)]
    cut = [octets[a:b] for a, b in zip(starts, [*starts[1:], len(octets)], strict=True)]
    for kind in (Alphabet.GSM7, Alphabet.UCS2):
        numbered = {number: Piece(one, kind) for number, one in enumerate(cut, 1)}
        assert parts.join(dict(reversed(numbered.items()))) == alphabet.decode(octets, kind)


def receipts(octets: bytes) -> None:
    """Read any text as a receipt or as none, and one that is written as usual for what it says."""
    told = _carrying(octets, _IS_RECEIPT)
    read = message(told)
    assert isinstance(read, Report)
    text = octets.decode("latin-1")
    found = receipt_text.read(
        told, text, pattern=re.compile(receipt_text.PATTERN, re.DOTALL),
        states=receipt_text.STATES, zone=timedelta(hours=7),
    )  # fmt: skip
    if found is None:
        assert not _USUAL.fullmatch(text)
        return
    assert 1 <= len(found.written) <= 64
    assert found.error is None or len(found.error) <= LONGEST_ERROR
    if usual := _USUAL.fullmatch(text):
        assert (found.written, found.error) == (usual[1], usual[4])
        assert found.state is receipt_text.STATES.get(usual[3], Delivery.SENT)
        local = found.done_at and found.done_at + timedelta(hours=7)
        assert local is None or f"{local:%y%m%d%H%M}" == usual[2]


def _carrying(octets: bytes, esm_class: int) -> Message:
    is_long = len(octets) > LONGEST_SHORT_MESSAGE
    return Message(
        source=Address("84912345678", 1, 1),
        destination=Address("1414"),
        short_message=b"" if is_long else octets,
        esm_class=esm_class,
        tlvs=((Tag.MESSAGE_PAYLOAD, octets),) if is_long else (),
    )
