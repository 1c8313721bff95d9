"""The parts of a long message: where a PDU says that it is one, and how they are joined again.

Three ways are in use: a user data header with an 8-bit or a 16-bit reference, and SAR parameters.
Source: 3GPP TS 23.040, 9.2.3.24; SMPP 3.4, 5.3.2.22-24 and 5.3.2.32.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from sms.links.smpp import alphabet
from sms.links.smpp.alphabet import Alphabet
from sms.links.smpp.pdu import Message, Tag

_HAS_HEADER = 0x40
_REFERENCE_8, _REFERENCE_16 = 0x00, 0x08
_LENGTH_8, _LENGTH_16 = 3, 4
# The parameters have one octet or two; some write every number with four.
_LONGEST_SAR = 4


class PartError(Exception):
    """The PDU contradicts itself about what it carries."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of which message: *scheme* keeps references of different kinds apart."""

    scheme: str
    reference: int
    total: int
    number: int

    def exists(self) -> bool:
        """Tell whether there can be such a part; who says otherwise has said nothing of parts."""
        return 1 <= self.number <= self.total


@dataclass(frozen=True, slots=True)
class Carried:
    """What one PDU carries of a text."""

    octets: bytes = field(repr=False)
    place: Place | None


@dataclass(frozen=True, slots=True)
class Piece:
    """The octets of one part, and what they are written in."""

    octets: bytes = field(repr=False)
    alphabet: Alphabet


def octets_of(message: Message) -> bytes:
    """Return what a PDU carries, with the header that may stand in front of its text."""
    return message.short_message or message.tlv(Tag.MESSAGE_PAYLOAD) or b""


def read(message: Message) -> Carried:
    """Take the text's octets and its place out of a PDU.

    Raises: PartError.
    """
    octets = octets_of(message)
    if message.esm_class & _HAS_HEADER:
        place, octets = _header(octets)
    else:
        place = None
    place = place or _sar(message)
    return Carried(octets, None if place is None or place.total == 1 else place)


def join(pieces: Mapping[int, Piece]) -> str:
    """Put the text of a whole message together, from its parts by number.

    Neighbours in one alphabet are read as one: a character may be cut in two.
    """
    ordered = [pieces[number] for number in sorted(pieces)]
    return "".join(
        alphabet.decode(b"".join(piece.octets for piece in run), kind)
        for kind, run in groupby(ordered, key=lambda piece: piece.alphabet)
    )


def _header(octets: bytes) -> tuple[Place | None, bytes]:
    """Walk the elements of a user data header; those that say nothing of parts are passed over."""
    if not octets or len(octets) < 1 + octets[0]:
        raise PartError("header")
    end, at, found = 1 + octets[0], 1, None
    while at < end:
        value = octets[at + 2 : at + 2 + octets[at + 1]] if at + 1 < end else b""
        if at + 1 >= end or at + 2 + octets[at + 1] > end:
            raise PartError("element")
        place = None
        if octets[at] == _REFERENCE_8 and len(value) == _LENGTH_8:
            place = Place("udh8", value[0], value[1], value[2])
        elif octets[at] == _REFERENCE_16 and len(value) == _LENGTH_16:
            place = Place("udh16", int.from_bytes(value[:2], "big"), value[2], value[3])
        found = place if place is not None and place.exists() else found
        at += 2 + len(value)
    return found, octets[end:]


def _sar(message: Message) -> Place | None:
    reference, total, number = (
        message.tlv(tag) for tag in (Tag.SAR_REFERENCE, Tag.SAR_TOTAL, Tag.SAR_NUMBER)
    )
    if not reference or not total or not number:
        return None
    if max(map(len, (reference, total, number))) > _LONGEST_SAR:
        raise PartError("parameter")
    values = (int.from_bytes(value, "big") for value in (reference, total, number))
    place = Place("sar", *values)
    return place if place.exists() else None
