"""The transaction code or receipt in a folded message, however it is parted or introduced."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from journal import receipts

_CHUNK = re.compile(r"[A-Z0-9]+")
_DIGIT = re.compile(r"[0-9]")
# What stands before a code in our own replies, and in the citizen's own words.
_LABELS = frozenset({"MA", "GD", "GIAO", "DICH", "SO", "BIEN", "NHAN", "LA", "REF", "CODE", "THE"})
_CODE_SYMBOLS = 6
_RECEIPT_SYMBOLS = 16
# Nobody's code stands behind so many words.
_MOST_CHUNKS = 40


@dataclass(frozen=True, slots=True)
class Code:
    """What was typed where a code belongs; *symbols* is None for a receipt that is mistyped.

    Shape: a receipt or a transaction code as `receipts.read` and `receipts.read_code` give them.
    """

    symbols: str | None = field(repr=False)


def read(rest: str) -> Code | None:
    """Read what follows SAI or KT; None where there is nothing like a code in it."""
    chunks = _CHUNK.findall(rest)[:_MOST_CHUNKS]
    while len(chunks) > 1 and chunks[0] in _LABELS:
        chunks.pop(0)
    likely = [joined for joined in _joined(chunks, _RECEIPT_SYMBOLS) if _DIGIT.search(joined)]
    for joined in likely:
        if (receipt := receipts.read(joined)) is not None:
            return Code(receipt)
    parted = [joined for joined in _joined(chunks[:3], _CODE_SYMBOLS) if _DIGIT.search(joined)]
    # A word of six letters may stand before the code: one that has a digit comes first.
    whole = sorted(chunks, key=lambda chunk: _DIGIT.search(chunk) is None)
    for candidate in (*parted, *whole):
        if (code := receipts.read_code(candidate)) is not None:
            return Code(code)
    return Code(None) if likely else None


def _joined(chunks: Sequence[str], length: int) -> Iterator[str]:
    """Yield the neighbours that make up *length* symbols together."""
    for start in range(len(chunks)):
        joined = ""
        for chunk in chunks[start:]:
            joined += chunk
            if len(joined) >= length:
                break
        if len(joined) == length:
            yield joined
