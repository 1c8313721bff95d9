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
_BITS_OF_A_SYMBOL = 5
# As many whole symbols as a column of 64 bits holds.
_NUMBERED_SYMBOLS = 12


def receipt_of(leaf_hash: bytes) -> str:
    """Derive the receipt of an entry.

    Shape: four groups of four symbols; the last symbol checks the fifteen before it.
    """
    digest = hashlib.sha256(_DERIVATION + leaf_hash).digest()
    bits = int.from_bytes(digest[:10], "big") >> _BITS_OF_A_SYMBOL
    pairs = [_PAIRS[bits >> shift & 0x3FF] for shift in range(65, 0, -10)]
    symbols = "".join(pairs) + _ALPHABET[bits & 0x1F]
    return _grouped(symbols + _check_symbol(symbols))


def number_of(leaf_hash: bytes) -> int:
    """Return the first twelve symbols of an entry's receipt as the number that finds it."""
    digest = hashlib.sha256(_DERIVATION + leaf_hash).digest()
    return int.from_bytes(digest[:8], "big") >> 4


def numbers_of(symbols: str) -> tuple[int, int]:
    """Return the first and the last number of the receipts that begin with these symbols.

    Shape: *symbols* as `read` and `read_code` return them.
    """
    known = symbols.replace("-", "")[:_NUMBERED_SYMBOLS]
    rest = _BITS_OF_A_SYMBOL * (_NUMBERED_SYMBOLS - len(known))
    first = 0
    for symbol in known:
        first = first << _BITS_OF_A_SYMBOL | _VALUES[symbol]
    return first << rest, (first + 1 << rest) - 1


def code_of(receipt: str) -> str:
    """Return the transaction code: the first six symbols of a receipt."""
    return receipt.replace("-", "")[:_CODE_SYMBOLS]


def read(text: str) -> str | None:
    """Read a receipt as people write it; None if it is none or its check symbol disagrees."""
    return read_checked(text, _SYMBOLS + 1)


def read_code(text: str) -> str | None:
    """Read a transaction code as people write it; None if it is none."""
    symbols = _symbols_in(text)
    return symbols if symbols is not None and len(symbols) == _CODE_SYMBOLS else None


def read_checked(text: str, count: int) -> str | None:
    """Read *count* symbols of which the last checks the others, as people write them."""
    symbols = _symbols_in(text)
    if symbols is None or len(symbols) != count or _check_symbol(symbols[:-1]) != symbols[-1]:
        return None
    return _grouped(symbols)


def checked(value: int, count: int) -> str:
    """Write a number in *count* symbols and one that checks them, as receipts are written."""
    shifts = range(_BITS_OF_A_SYMBOL * (count - 1), -1, -_BITS_OF_A_SYMBOL)
    symbols = "".join(_ALPHABET[value >> shift & 0x1F] for shift in shifts)
    return _grouped(symbols + _check_symbol(symbols))


def _symbols_in(text: str) -> str | None:
    values = [_VALUES.get(symbol) for symbol in text.upper() if symbol not in "- "]
    if None in values:
        return None
    return "".join(_ALPHABET[value] for value in values if value is not None)


def _grouped(symbols: str) -> str:
    return "-".join(symbols[at : at + 4] for at in range(0, len(symbols), 4))


def _check_symbol(symbols: str) -> str:
    """Return the symbol that finds one wrong symbol and most swapped neighbours.

    Source: the Luhn algorithm modulo N (ISO/IEC 7812-1 annex B, with 32 in place of 10).
    """
    total = 0
    for place, symbol in enumerate(reversed(symbols)):
        value = _VALUES[symbol] * (2 - place % 2)
        total += value // 32 + value % 32
    return _ALPHABET[-total % 32]
