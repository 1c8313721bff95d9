"""Sums of money in words, in Vietnamese, as a page that is signed has them.

As written in the north: `linh`, `tư` and `lăm` behind `mươi`, `mốt` for a last one; groups of
nothing but zeros are left out, and what follows a group is read with all its three digits.
"""

_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_GROUPS = ((1_000_000, "triệu"), (1_000, "nghìn"), (1, ""))
_BILLION = 10**9
_HUNDREDTHS = 100
# What a last digit is called behind `mươi`.
_BEHIND_TENS = {1: "mốt", 4: "tư", 5: "lăm"}


def number(value: int) -> str:
    """Write a whole number out."""
    if value < 0:
        return f"âm {number(-value)}"
    return " ".join(_read(value, is_first=True)) if value else _DIGITS[0]


def dong(hundredths: int) -> str:
    """Write a sum of money out, beginning with a capital.

    Units: hundredths of a dong.
    """
    whole, rest = divmod(abs(hundredths), _HUNDREDTHS)
    said = number(whole)
    if rest:
        said += f" phẩy {_places(rest)}"
    if hundredths < 0:
        said = f"âm {said}"
    return f"{said[0].upper()}{said[1:]} đồng"


def _read(value: int, *, is_first: bool) -> list[str]:
    """Read what is not nothing; *is_first* where no digit stands before it."""
    high, low = divmod(value, _BILLION)
    said = [*_read(high, is_first=is_first), "tỷ"] if high else []
    for size, name in _GROUPS:
        group, low = divmod(low, size)
        if group:
            said += _group(group, is_first=is_first and not said)
            said += [name] if name else []
    return said


def _group(value: int, *, is_first: bool) -> list[str]:
    """Read up to three digits; those before the first that counts are left out."""
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    said = [] if is_first and not hundreds else [_DIGITS[hundreds], "trăm"]
    if tens > 1:
        said += [_DIGITS[tens], "mươi"]
        return [*said, _BEHIND_TENS.get(ones, _DIGITS[ones])] if ones else said
    if tens == 1:
        said.append("mười")
        return [*said, "lăm" if ones == 5 else _DIGITS[ones]] if ones else said  # noqa: PLR2004 (the digit)
    if ones:
        said += ["linh"] if said else []
        said.append(_DIGITS[ones])
    return said


def _places(hundredths: int) -> str:
    tens, ones = divmod(hundredths, 10)
    if not ones:
        return _DIGITS[tens]
    return f"{_DIGITS[0]} {_DIGITS[ones]}" if not tens else number(hundredths)
