"""How octets of a short message are characters: by data_coding, as the operator means it.

Reading is lenient and total, because a citizen's handset or an operator's gateway errs and the
text may be understood all the same. data_coding 0 is *the operator's* default.
Source: SMPP 3.4, 5.2.19; 3GPP TS 23.038, 6.2.1.
"""

from collections.abc import Mapping
from enum import StrEnum

from sms.segments import GSM7_BASIC, GSM7_EXTENSION

_ESCAPE = 0x1B
_SPACE = " "
_CODES = "\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65"
_BASIC = GSM7_BASIC[:_ESCAPE] + _SPACE + GSM7_BASIC[_ESCAPE:]
_EXTENDED = dict(zip(map(ord, _CODES), GSM7_EXTENSION, strict=True))
_OCTETS = {
    **{character: bytes((code,)) for code, character in enumerate(_BASIC) if code != _ESCAPE},
    **{character: bytes((_ESCAPE, code)) for code, character in _EXTENDED.items()},
}


class Alphabet(StrEnum):
    """What a data_coding can stand for."""

    GSM7 = "gsm7"  # one octet for each septet
    ASCII = "ascii"
    LATIN1 = "latin1"
    UCS2 = "ucs2"


CODINGS: Mapping[int, Alphabet] = {
    0: Alphabet.GSM7,
    1: Alphabet.ASCII,
    3: Alphabet.LATIN1,
    8: Alphabet.UCS2,
}


def decode(octets: bytes, alphabet: Alphabet) -> str:
    """Read octets; every octet string is some text."""
    match alphabet:
        case Alphabet.GSM7:
            return _decode_gsm7(octets)
        case Alphabet.ASCII | Alphabet.LATIN1:
            return octets.decode("latin-1")
        case Alphabet.UCS2:
            return octets.decode("utf-16-be", "replace")


def encode(text: str, alphabet: Alphabet) -> bytes | None:
    """Write a text, None if this alphabet has not all of its characters."""
    try:
        match alphabet:
            case Alphabet.GSM7:
                return b"".join([_OCTETS[character] for character in text])
            case Alphabet.ASCII | Alphabet.LATIN1:
                return text.encode("ascii" if alphabet is Alphabet.ASCII else "latin-1")
            case Alphabet.UCS2:
                return text.encode("utf-16-be")
    except (KeyError, UnicodeEncodeError):
        return None


def _decode_gsm7(octets: bytes) -> str:
    found: list[str] = []
    escaped = False
    for octet in octets:
        if escaped:
            # An extension that nobody knows is its basic character; a second escape, a space.
            found.append(_EXTENDED.get(octet) or _basic(octet))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            found.append(_basic(octet))
    return "".join(found) + (_SPACE if escaped else "")


def _basic(octet: int) -> str:
    return _BASIC[octet] if octet < len(_BASIC) else chr(octet)
