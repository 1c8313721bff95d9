"""Whose message a receipt means: an operator's ids, however they are written.

SMSCs name a message in the answer to its submission and again in its receipt, and need not write
the number alike: hexadecimal here and decimal there, with zeros in front or without. Pure.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

LONGEST_KEY = 64
_DECIMAL = re.compile(r"[0-9]+")
_HEXADECIMAL = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)")


class IdBase(StrEnum):
    """How a link writes the ids of messages; `text` is compared as it stands."""

    TEXT = "text"
    DECIMAL = "decimal"
    HEXADECIMAL = "hexadecimal"


@dataclass(frozen=True, slots=True)
class IdBases:
    """How a link writes ids where it accepts a message, and in receipts."""

    accepted: IdBase = IdBase.TEXT
    receipts: IdBase = IdBase.TEXT


def key_of(written: str, base: IdBase) -> str | None:
    """Return what two writings of one id have in common; None for what names no message.

    Shape: at most 64 characters, of which a number has only hexadecimal digits after `#`. What a
    base cannot read is compared as it stands.
    """
    text = written.strip(" \0")
    if not text or len(text) > LONGEST_KEY - 1 or not (text.isascii() and text.isprintable()):
        return None
    if base is IdBase.DECIMAL and _DECIMAL.fullmatch(text):
        return f"#{int(text):x}"
    if base is IdBase.HEXADECIMAL and (found := _HEXADECIMAL.fullmatch(text)):
        return f"#{int(found[1], 16):x}"
    return f"={text}"
