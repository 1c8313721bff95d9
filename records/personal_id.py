"""The twelve-digit personal number, and what its digits say about whoever bears it.

Shape: PPP G YY SSSSSS: province or country of birth registration; century and sex; year; six drawn
by lot. There is no check digit.
Source: Nghị định 137/2015, điều 13; Thông tư 07/2016, điều 7.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NewType

from records import provinces

PersonalId = NewType("PersonalId", str)

# No province and no country has it: numbers that begin with it belong to made-up people.
MADE_UP_PROVINCE = "999"

_DIGITS = re.compile(r"[0-9]{12}")
_FIRST_CENTURY = 1900


class Sex(StrEnum):
    """A person's sex, in the letters of the import."""

    MALE = "M"
    FEMALE = "F"


class Doubt(StrEnum):
    """What about a number does not agree; none of it makes a record unusable."""

    PROVINCE_UNKNOWN = "personal_id begins with a code that no province has"
    SEX_DISAGREES = "personal_id says another sex"
    BIRTH_YEAR_DISAGREES = "personal_id says another birth year"


@dataclass(frozen=True, slots=True)
class Digits:
    """What a personal number says by itself."""

    province_code: str
    sex: Sex
    birth_year: int


def parse(text: str) -> PersonalId | None:
    """Read a personal number: exactly twelve digits 0 to 9, nothing around or between them."""
    return PersonalId(text) if _DIGITS.fullmatch(text) else None


def read(personal_id: PersonalId) -> Digits:
    """Say what the digits of a number mean."""
    centuries, is_female = divmod(int(personal_id[3]), 2)
    return Digits(
        province_code=personal_id[:3],
        sex=Sex.FEMALE if is_female else Sex.MALE,
        birth_year=_FIRST_CENTURY + 100 * centuries + int(personal_id[4:6]),
    )


def doubts(personal_id: PersonalId, sex: Sex, born_on: date) -> tuple[Doubt, ...]:
    """Tell where a number disagrees with the province table, or with its bearer's record."""
    says = read(personal_id)
    found = []
    if says.province_code not in provinces.OLD:
        found.append(Doubt.PROVINCE_UNKNOWN)
    if says.sex is not sex:
        found.append(Doubt.SEX_DISAGREES)
    if says.birth_year != born_on.year:
        found.append(Doubt.BIRTH_YEAR_DISAGREES)
    return tuple(found)
