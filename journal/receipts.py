"""Receipts: what a citizen holds in the hand of an entry, derived from its leaf.

An auditor finds the entry of a receipt by scanning an export. Its first six symbols are the
transaction code that a reply carries.
"""

import hashlib

# Crockford's base 32: no I, L, O, U.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_VALUES = {symbol: value for value, symbol in enumerate(_ALPHABET)} | {"I": 1, "L": 1, "O": 0}
_DERIVATION = b"receipt/1\n"
_SYMBOLS = 15
_CODE_SYMBOLS = 6


def receipt_of(leaf_hash: bytes) -> str:
    """Derive the receipt of an entry.

    Shape: four groups of four symbols; the last symbol checks the fifteen before it.
    """
    digest = hashlib.sha256(_DERIVATION + leaf_hash).digest()
    bits = int.from_bytes(digest[:10], "big") >> 5
    pairs = [_PAIRS[bits >> shift & 0x3FF] for shift in range(65, 0, -10)]
    symbols = "".join(pairs) + _ALPHABET[bits & 0x1F]
    symbols += _check_symbol(symbols)
    return "-".join((symbols[:4], symbols[4:8], symbols[8:12], symbols[12:]))


def code_of(receipt: str) -> str:
    """Return the transaction code: the first six symbols of a receipt."""
    return receipt.replace("-", "")[:_CODE_SYMBOLS]


def read(text: str) -> str | None:
    """Read a receipt as people write it; None if it is none or its check symbol disagrees."""
    values = [_VALUES.get(symbol) for symbol in text.upper() if symbol not in "- "]
    if len(values) != _SYMBOLS + 1 or None in values:
        return None
    symbols = "".join(_ALPHABET[value] for value in values if value is not None)
    if _check_symbol(symbols[:_SYMBOLS]) != symbols[_SYMBOLS]:
        return None
    return "-".join((symbols[:4], symbols[4:8], symbols[8:12], symbols[12:]))


def _check_symbol(symbols: str) -> str:
    """Return the symbol that finds one wrong symbol and most swapped neighbours.

    Source: the Luhn algorithm modulo N (ISO/IEC 7812-1 annex B, with 32 in place of 10).
    """
    total = 0
    for place, symbol in enumerate(reversed(symbols)):
        value = _VALUES[symbol] * (2 - place % 2)
        total += value // 32 + value % 32
    return _ALPHABET[-total % 32]
