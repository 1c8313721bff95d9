"""Telephone numbers: any way a Vietnamese mobile is written becomes E.164, anything else nothing.

`phonenumbers` has the rules and is slow, so its own pattern for Vietnamese mobiles, compiled once,
takes what is plain E.164; the library itself sees only what is written otherwise.
"""

import re
import unicodedata
from functools import cache
from typing import NewType

Msisdn = NewType("Msisdn", str)

COUNTRY = "+84"
_REGION = "VN"
_LONGEST = 40
# What may stand around the digits of a number; letters are someone's sender name, not a number.
_WRITTEN = re.compile(r"[+0-9 ().\-/\u00a0]+")
_ELEVEN = re.compile(r"(?:\+84|0084|84|0)(1[2-9][0-9])([0-9]{7})")
# The 2018 change from eleven to ten digits; the last seven stayed. Source: the operators' table.
_TEN_FOR_ELEVEN = {
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38",
    "169": "39", "120": "70", "121": "79", "122": "77", "126": "76", "128": "78", "123": "83",
    "124": "84", "125": "85", "127": "81", "129": "82", "186": "56", "188": "58", "199": "59",
}  # fmt: skip


def parse(text: str) -> Msisdn | None:
    """Read a Vietnamese mobile number as people and operators write it.

    Shape: E.164, `+84` and nine digits; None for every other number and for no number.
    """
    if text.startswith(COUNTRY) and _mobile_pattern().fullmatch(text, len(COUNTRY)):
        return Msisdn(text)
    if len(text) > _LONGEST:
        return None
    return _parse_written(unicodedata.normalize("NFKC", text).strip())


def _parse_written(text: str) -> Msisdn | None:
    if not _WRITTEN.fullmatch(text):
        return None
    bare = re.sub(r"[^+0-9]", "", text)
    if old := _ELEVEN.fullmatch(bare):
        prefix = _TEN_FOR_ELEVEN.get(old[1])
        return None if prefix is None else parse(f"{COUNTRY}{prefix}{old[2]}")
    import phonenumbers  # noqa: PLC0415 (loads slowly, and plain E.164 never needs it)

    try:
        number = phonenumbers.parse(bare, _REGION)
    except phonenumbers.NumberParseException:
        return None
    if number.country_code != int(COUNTRY) or not phonenumbers.is_valid_number(number):
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Msisdn(written) if _mobile_pattern().fullmatch(written, len(COUNTRY)) else None


@cache
def _mobile_pattern() -> re.Pattern[str]:
    import phonenumbers  # noqa: PLC0415 (loads slowly)

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(_REGION)
    pattern = metadata.mobile.national_number_pattern if metadata and metadata.mobile else None
    if pattern is None:
        raise LookupError("phonenumbers knows no mobile numbers of Viet Nam")
    return re.compile(pattern, re.ASCII)
