"""Whose phones may be held."""

from dataclasses import replace
from datetime import date

import pytest

from core.db import Database
from core.keyring import Keyring
from core.phone import Msisdn
from phone import subscribers
from records import citizens, people
from records.personal_id import PersonalId
from records.register import Record, Status

TODAY = date(2026, 3, 2)
MADE_UP = tuple(people.generate(40, 5, TODAY))
REAL = replace(
    MADE_UP[0], personal_id=PersonalId("001185123456"), phone=Msisdn("+84912345678"), is_test=False
)


def store(database: Database, keyring: Keyring, *records: Record) -> None:
    citizens.store(database, keyring, records)


def test_a_dozen_made_up_people_are_shown_and_always_the_same(
    database: Database, keyring: Keyring
) -> None:
    store(database, keyring, *MADE_UP)

    first, again = (database.read(lambda s: subscribers.invented(s, keyring)) for _ in range(2))

    assert len(first) == 12
    assert first == again
    known = {(record.full_name, record.phone, record.personal_id) for record in MADE_UP}
    assert {(each.full_name, each.number, each.personal_id) for each in first} <= known


def test_nobody_who_exists_is_shown_or_found(database: Database, keyring: Keyring) -> None:
    store(database, keyring, REAL)

    assert database.read(lambda s: subscribers.invented(s, keyring)) == ()
    assert database.read(lambda s: subscribers.by_number(s, keyring, "0912345678")) is None


def test_the_dead_and_who_has_no_telephone_hold_none(database: Database, keyring: Keyring) -> None:
    dead = replace(MADE_UP[0], status=Status.DECEASED)
    without = replace(MADE_UP[1], phone=None, phone_verified_on=None)

    store(database, keyring, dead, without)

    assert database.read(lambda s: subscribers.invented(s, keyring)) == ()


@pytest.mark.parametrize("written", ["{0}", "0{1}", "84{1}", "0{1:.3}.{1:.9}"])
def test_a_phone_is_found_however_its_number_is_written(
    database: Database, keyring: Keyring, written: str
) -> None:
    store(database, keyring, *MADE_UP)
    wanted = str(MADE_UP[7].phone)
    local = wanted.removeprefix("+84")
    number = {"0{1:.3}.{1:.9}": f"0{local[:2]} {local[2:5]}.{local[5:]}"}.get(
        written, written.format(wanted, local)
    )

    found = database.read(lambda s: subscribers.by_number(s, keyring, number))

    assert found is not None
    assert found.personal_id == MADE_UP[7].personal_id


@pytest.mark.parametrize("number", ["", "113", "+14155550100", "0912345678", "no number"])
def test_no_phone_is_found_that_nobody_made_up_has(
    database: Database, keyring: Keyring, number: str
) -> None:
    store(database, keyring, *MADE_UP)

    assert database.read(lambda s: subscribers.by_number(s, keyring, number)) is None


def test_a_name_and_a_number_are_written_as_people_do() -> None:
    two = subscribers.Subscriber("Đặng Ngọc Ánh", "+84912345680", "999301000303")
    one = subscribers.Subscriber("ánh", "+84912345680", "999301000303")

    assert (two.initials, one.initials) == ("ĐÁ", "Á")
    assert two.written_phone == "0912 345 680"
