from datetime import date, timedelta

import pytest

from core import phone
from records import people, personal_id, provinces
from records.errors import TooManyPeopleError
from records.personal_id import MADE_UP_PROVINCE, Doubt
from records.register import Status
from tests.records.people import TODAY

MANY = list(people.generate(5_000, 1, TODAY))


def test_the_same_seed_makes_the_same_people() -> None:
    again = list(people.generate(5_000, 1, TODAY))

    assert again == MANY
    assert list(people.generate(10, 1, TODAY)) == MANY[:10]


def test_another_seed_makes_other_people() -> None:
    assert not set(MANY) & set(people.generate(5_000, 2, TODAY))


def test_nobody_shares_a_number_or_a_telephone() -> None:
    assert len({person.personal_id for person in MANY}) == len(MANY)
    assert len({person.phone for person in MANY}) == len(MANY)


def test_every_telephone_is_a_mobile_number_as_it_is_written() -> None:
    assert all(person.phone and phone.parse(person.phone) == person.phone for person in MANY)


def test_numbers_agree_with_their_bearers_but_for_the_province() -> None:
    for person in MANY:
        assert person.personal_id.startswith(MADE_UP_PROVINCE)
        assert personal_id.doubts(person.personal_id, person.sex, person.date_of_birth) == (
            Doubt.PROVINCE_UNKNOWN,
        )


def test_everybody_is_marked_and_can_look_themselves_up() -> None:
    for person in MANY:
        assert person.is_test
        assert person.status is Status.ACTIVE
        assert person.phone_verified_on is not None
        assert timedelta(days=30) <= TODAY - person.phone_verified_on < timedelta(days=600)
        assert person.card_expires_on is None or person.card_expires_on > TODAY


def test_they_live_in_the_provinces_of_today() -> None:
    today = {province.name for province in provinces.NEW.values()}

    assert {person.province for person in MANY} == today
    assert all(person.commune.startswith(("Phường ", "Xã ")) for person in MANY)
    assert len({person.commune for person in MANY}) > 200


def test_names_come_as_often_as_in_life() -> None:
    nguyen = sum(person.full_name.startswith("Nguyễn ") for person in MANY)

    assert 0.25 < nguyen / len(MANY) < 0.40


def test_no_more_are_promised_than_there_are_numbers() -> None:
    with pytest.raises(TooManyPeopleError):
        people.generate(10**9, 1, date(2026, 1, 1))
