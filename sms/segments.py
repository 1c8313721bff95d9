"""How a text travels as SMS: its encoding, its units, its segments.

A text goes as GSM-7 if every character is in that alphabet, else as UCS-2. One segment holds 160
GSM-7 units or 70 UCS-2 units; of several, each gives some up for the header that joins them.

Source: 3GPP TS 23.038 (alphabets), 3GPP TS 23.040 9.2.3.24.1 (joined messages).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# In the order of their codes, 0x00 to 0x7F. 0x1B is missing: it is the escape to the extension
# table, never a character of its own. Slot 9 is the capital C with cedilla, not the small one.
GSM7_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# Sent as the escape and one more septet. In UCS-2 they cost what any other character costs.
GSM7_EXTENSION = "\f^{}\\[~]|€"

_EXTENSION = frozenset(GSM7_EXTENSION)
_GSM7 = frozenset(GSM7_BASIC) | _EXTENSION
_LAST_OF_ONE_UTF16_UNIT = "\uffff"


class Encoding(StrEnum):
    """The two ways a text is written into SMS."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


_ALONE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
_JOINED = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a text costs.

    Units: *units* in septets (GSM-7) or UTF-16 code units (UCS-2), headers not counted.
    """

    encoding: Encoding
    units: int
    segments: int


def measure(text: str) -> Measured:
    """Say how *text* is encoded and how many segments it fills; an empty text fills one."""
    encoding, units = _counted(text)
    if units <= _ALONE[encoding]:
        return Measured(encoding, units, 1)
    return Measured(encoding, units, sum(1 for _ in _parts(text, encoding)))


def split(text: str) -> tuple[str, ...]:
    """Cut *text* into the segments it travels in, never within a character of two units."""
    encoding, units = _counted(text)
    if units <= _ALONE[encoding]:
        return (text,)
    return tuple(_parts(text, encoding))


def _counted(text: str) -> tuple[Encoding, int]:
    characters = set(text)
    if characters <= _GSM7:
        doubled = characters & _EXTENSION
        return Encoding.GSM7, len(text) + sum(text.count(character) for character in doubled)
    doubled = {character for character in characters if character > _LAST_OF_ONE_UTF16_UNIT}
    return Encoding.UCS2, len(text) + sum(text.count(character) for character in doubled)


def _parts(text: str, encoding: Encoding) -> Iterator[str]:
    room = _JOINED[encoding]
    start, used = 0, 0
    for position, character in enumerate(text):
        if encoding is Encoding.GSM7:
            units = 2 if character in _EXTENSION else 1
        else:
            units = 2 if character > _LAST_OF_ONE_UTF16_UNIT else 1
        if used + units > room:
            yield text[start:position]
            start, used = position, 0
        used += units
    yield text[start:]
