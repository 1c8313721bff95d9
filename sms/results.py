"""What a citizen is told of their record, cut down in a fixed order until it fits one segment."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from anyascii import anyascii

from records import provinces
from records.catalogue import Group
from sms.commands import Language
from sms.segments import measure
from sms.templates import TEXTS, TemplateId

_ROOM = 160  # GSM-7 septets in one segment


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFields:
    """The fields of a record that a RESULT may draw on; printed, it shows none of them."""

    full_name: str | None = field(default=None, repr=False)
    sex: str | None = field(default=None, repr=False)
    birth_year: int | None = field(default=None, repr=False)
    id_last3: str | None = field(default=None, repr=False)
    card_issued_on: date | None = field(default=None, repr=False)
    card_expires_on: date | None = field(default=None, repr=False)
    status: str | None = field(default=None, repr=False)
    commune: str | None = field(default=None, repr=False)
    province: str | None = field(default=None, repr=False)
    current_commune: str | None = field(default=None, repr=False)
    current_province: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A RESULT's text, and the catalogue codes of the fields that are really in it."""

    text: str = field(repr=False)
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Words:
    sexes: dict[str, str]
    statuses: dict[str, str]
    born: str
    number: str
    card_issued: str
    card_expires: str
    expires: str
    status: str
    resides: str
    residence: str
    current: str
    nothing: str


_WORDS = {
    Language.VI: _Words(
        sexes={"M": "nam", "F": "nu"},
        statuses={"active": "dang hoat dong", "deceased": "da mat", "missing": "mat tich"},
        born="sinh",
        number="so",
        card_issued="the cap ngay",
        card_expires="the het han",
        expires="het han",
        status="trang thai:",
        resides="thuong tru",
        residence="thuong tru:",
        current="noi o hien tai:",
        nothing="khong co du lieu",
    ),
    Language.EN: _Words(
        sexes={"M": "male", "F": "female"},
        statuses={"active": "active", "deceased": "deceased", "missing": "missing"},
        born="born",
        number="no.",
        card_issued="card issued on",
        card_expires="card until",
        expires="expires",
        status="status:",
        resides="resident in",
        residence="registered in:",
        current="lives now in:",
        nothing="no data",
    ),
}

_LONG_DIGITS = re.compile(r"[0-9]{6,}")
_OUTSIDE_GSM7 = str.maketrans(
    {"`": "'", **{chr(code): " " for code in (*range(ord(" ")), ord("\x7f"))}}
)
_KINDS_OF_PLACE = (
    ("phuong ", "P. "),
    ("xa ", "X. "),
    ("thi tran ", "TT. "),
    ("thi xa ", "TX "),
    ("dac khu ", "DK "),
    ("thanh pho ", "TP "),
    ("tinh ", ""),
)
_SHORT_KINDS = frozenset(short.strip() for _, short in _KINDS_OF_PLACE)


def compose(fields: ResultFields, group: Group, code: str, language: Language) -> Told:
    """Write a RESULT that fits one GSM-7 segment.

    Shape: too long, it gives up the card's expiry, the sex, the birth year, the middle names but
    for their initials, the last words of communes; what no real record needs comes after that.
    """
    template, words = TEXTS[language][TemplateId.RESULT], _WORDS[language]
    values = _values(fields, group, words)
    for shorter in _shortened(values, group):
        values = shorter
        text = template.format(told=_joined(values, group, words), code=code)
        if measure(text).units <= _ROOM:
            return Told(text, tuple(values))
    return _forced(values, group, code, language)


def unaccented(text: str) -> str:
    """Write *text* in GSM-7 letters, without six digits in a row that could pass for a PIN."""
    plain = " ".join(anyascii(text).translate(_OUTSIDE_GSM7).split())
    return _LONG_DIGITS.sub(lambda run: re.sub(r"(?<=.)(?=(?:...)+$)", " ", run[0]), plain)


def _values(fields: ResultFields, group: Group, words: _Words) -> dict[str, str]:
    found = {
        Group.DEFAULT: _default_values,
        Group.RESIDENCE: _residence_values,
        Group.CARD: _card_values,
    }[group](fields, words)
    return {code: value for code, value in found.items() if value}


def _default_values(fields: ResultFields, words: _Words) -> dict[str, str | None]:
    born = fields.birth_year
    return {
        "full_name": unaccented(fields.full_name or "").upper(),
        "sex": words.sexes.get(fields.sex or ""),
        "date_of_birth": None if born is None else f"{words.born} {unaccented(str(born))}",
        "personal_id": fields.id_last3 and f"{words.number} ...{unaccented(fields.id_last3)}",
        "card_expires_on": _dated(words.card_expires, fields.card_expires_on),
        "commune": _place(fields.commune or ""),
        "province": _province(fields.province or ""),
    }


def _residence_values(fields: ResultFields, _: _Words) -> dict[str, str | None]:
    return {
        "commune": _place(fields.commune or ""),
        "province": _province(fields.province or ""),
        "current_commune": _place(fields.current_commune or ""),
        "current_province": _province(fields.current_province or ""),
    }


def _card_values(fields: ResultFields, words: _Words) -> dict[str, str | None]:
    status = fields.status
    return {
        "card_issued_on": _dated(words.card_issued, fields.card_issued_on, day=True),
        "card_expires_on": _dated(words.expires, fields.card_expires_on),
        "status": status and f"{words.status} {words.statuses.get(status, unaccented(status))}",
    }


def _dated(label: str, on: date | None, *, day: bool = False) -> str | None:
    if on is None:
        return None
    return f"{label} {f'{on.day:02}/' if day else ''}{on.month:02}/{on.year:04}"


def _province(name: str) -> str:
    found = provinces.find(name)
    return _place(found.short if found else name)


def _place(name: str) -> str:
    plain = unaccented(name)
    for kind, short in _KINDS_OF_PLACE:
        if plain.lower().startswith(kind):
            return short + plain[len(kind) :]
    return plain


def _joined(values: dict[str, str], group: Group, words: _Words) -> str:
    def place(label: str, *codes: str) -> list[str]:
        parts = [values[code] for code in codes if code in values]
        return [f"{label} {', '.join(parts)}"] if parts else []

    if group is Group.RESIDENCE:
        phrases = place(words.residence, "commune", "province")
        phrases += place(words.current, "current_commune", "current_province")
        told = "; ".join(phrases)
    else:
        phrases = [value for code, value in values.items() if code not in ("commune", "province")]
        phrases += place(words.resides, "commune", "province")
        told = ", ".join(phrases)
    return told or words.nothing


def _shortened(values: dict[str, str], group: Group) -> Iterator[dict[str, str]]:
    """Yield *values* as they are, then ever shorter, in the order that citizens lose least."""
    yield values
    if group is Group.DEFAULT:
        for code in ("card_expires_on", "sex", "date_of_birth"):
            values = {kept: value for kept, value in values.items() if kept != code}
            yield values
    for name in _initialled(values.get("full_name", "")):
        values = {**values, "full_name": name}
        yield values
    for code in ("commune", "current_commune"):
        for place in _ever_shorter(values.get(code, "")):
            values = {kept: place if kept == code else value for kept, value in values.items()}
            values = {kept: value for kept, value in values.items() if value}
            yield values
    if "full_name" in values:
        first, *_, last = values["full_name"].split() * 2
        yield {**values, "full_name": f"{first} {last}"}


def _initialled(name: str) -> Iterator[str]:
    """Yield *name* with ever more of its middle names as initials."""
    words = name.split()
    for position in range(1, len(words) - 1):
        words[position] = words[position][0]
        yield " ".join(words)


def _ever_shorter(place: str) -> Iterator[str]:
    words = place.split()
    while words:
        words.pop()
        left = " ".join(words)
        yield "" if left in _SHORT_KINDS else left


def _forced(values: dict[str, str], group: Group, code: str, language: Language) -> Told:
    """Cut within words, the longest first: whatever a register holds, the text fits."""
    template, words = TEXTS[language][TemplateId.RESULT], _WORDS[language]
    text, longest = "", _ROOM
    while not text or measure(text).units > _ROOM:
        longest -= 1
        values = {kept: value[:longest].rstrip() for kept, value in values.items()}
        text = template.format(told=_joined(values, group, words), code=code)
    return Told(text, tuple(values))
