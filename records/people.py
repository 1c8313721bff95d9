"""Made-up people, for demonstrations, tests and benchmarks.

Who comes out depends on the seed, the day and the place in the row alone, so the same call makes
the same people. Their personal numbers begin with a code that no province and no country has.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta

from core.phone import Msisdn
from records import names, provinces
from records.errors import TooManyPeopleError
from records.personal_id import MADE_UP_PROVINCE, PersonalId, Sex
from records.register import Record, Status

_BIRTH_YEARS = range(1950, 2010)
_SERIALS = 10**6
_NUMBERS = 2 * len(_BIRTH_YEARS) * _SERIALS
# Prefixes in which every seven digits make a valid mobile number.
_PREFIXES = (
    "32", "33", "34", "35", "36", "37", "38", "39", "70", "76", "77", "78", "79",
    "81", "82", "83", "84", "85", "86", "88", "90", "91", "93", "94", "96", "97", "98",
)  # fmt: skip
_SUBSCRIBERS = 10**7
_PHONES = len(_PREFIXES) * _SUBSCRIBERS
# Golden sections, coprime to what they step through: every number comes once before any comes
# again, and the first few lie far apart.
_NUMBER_STEP, _PHONE_STEP = 74_164_079, 166_869_179
_PROVINCES = tuple(provinces.NEW.values())
# A card lasts to the next of these birthdays, then for life. Source: Luật Căn cước 2023, điều 21.
_CARD_AGES = (25, 40, 60)


def generate(count: int, seed: int, today: date) -> Iterator[Record]:
    """Make up *count* people who can look themselves up on *today*.

    Raises: TooManyPeopleError if there are not that many numbers.
    """
    if count > _NUMBERS:
        raise TooManyPeopleError(f"at most {_NUMBERS} people can be made up")
    start = int.from_bytes(hashlib.sha256(f"people/{seed}".encode()).digest()[:8], "big")
    return (_person(start, seed, place, today) for place in range(count))


class _Chance:
    """Draws from the digest of a seed and a place; the same ones are drawn each time."""

    def __init__(self, seed: int, place: int) -> None:
        digest = hashlib.blake2b(f"{seed}/{place}".encode()).digest()
        self._left = int.from_bytes(digest, "big")

    def below(self, bound: int) -> int:
        self._left, drawn = divmod(self._left, bound)
        return drawn

    def one_of(self, words: tuple[str, ...]) -> str:
        return words[self.below(len(words))]


def _person(start: int, seed: int, place: int, today: date) -> Record:
    chance = _Chance(seed, place)
    kind, serial = divmod((start + place * _NUMBER_STEP) % _NUMBERS, _SERIALS)
    year = _BIRTH_YEARS[kind // 2]
    sex = Sex.FEMALE if kind % 2 else Sex.MALE
    born_on = date(year, 1 + chance.below(12), 1 + chance.below(28))
    prefix, subscriber = divmod((start + place * _PHONE_STEP) % _PHONES, _SUBSCRIBERS)
    issued_on = today - timedelta(days=60 + chance.below(1500))
    commune, province = _home(chance)
    return Record(
        personal_id=_number(sex, year, serial),
        full_name=_name(sex, chance),
        sex=sex,
        date_of_birth=born_on,
        phone=Msisdn(f"+84{_PREFIXES[prefix]}{subscriber:07}"),
        phone_verified_on=today - timedelta(days=30 + chance.below(500)),
        commune=commune,
        province=province,
        card_issued_on=issued_on,
        card_expires_on=_expiry(born_on, today),
        status=Status.ACTIVE,
        is_test=True,
    )


def _number(sex: Sex, year: int, serial: int) -> PersonalId:
    century = 2 * (year // 100 - 19) + (sex is Sex.FEMALE)
    return PersonalId(f"{MADE_UP_PROVINCE}{century}{year % 100:02}{serial:06}")


def _name(sex: Sex, chance: _Chance) -> str:
    bounds = names.FAMILY_BOUNDS
    family = names.FAMILY_NAMES[bisect_right(bounds, chance.below(bounds[-1]))]
    if sex is Sex.FEMALE:
        middle = chance.one_of(names.MIDDLE_NAMES_OF_WOMEN)
        given = chance.one_of(names.GIVEN_NAMES_OF_WOMEN)
    else:
        middle = chance.one_of(names.MIDDLE_NAMES_OF_MEN)
        given = chance.one_of(names.GIVEN_NAMES_OF_MEN)
    return f"{family} {middle} {given}"


def _home(chance: _Chance) -> tuple[str, str]:
    province = _PROVINCES[chance.below(len(_PROVINCES))]
    # Cities have mostly wards, provinces mostly rural communes.
    is_ward = chance.below(10) < (7 if province.is_city else 3)
    kind = "Phường" if is_ward else "Xã"
    return f"{kind} {chance.one_of(names.COMMUNES)}", province.name


def _expiry(born_on: date, today: date) -> date | None:
    birthdays = (born_on.replace(year=born_on.year + age) for age in _CARD_AGES)
    return next((birthday for birthday in birthdays if birthday > today), None)
