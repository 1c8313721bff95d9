from dataclasses import fields

from records import catalogue
from records.catalogue import FIELDS, Group, Sensitivity
from records.people_csv import HEADER
from records.register import Record


def test_every_item_of_the_law_is_there() -> None:
    assert {field.item for field in FIELDS} == set(catalogue.ITEMS)
    assert len(catalogue.ITEMS) == 26


def test_no_field_stands_there_twice() -> None:
    assert len(catalogue.BY_CODE) == len(FIELDS)


def test_the_columns_that_an_import_must_have_are_the_published_ones() -> None:
    assert set(catalogue.REQUIRED) == set(HEADER)


def test_what_is_kept_is_what_a_record_holds() -> None:
    kept = {field.code for field in FIELDS if field.kept}

    assert kept == {field.name for field in fields(Record)} - {"is_test"}


def test_nothing_sensitive_and_nothing_of_the_family_goes_by_sms() -> None:
    by_sms = [field for field in FIELDS if field.by_sms]

    assert all(field.sensitivity is Sensitivity.BASIC for field in by_sms)
    assert not {9, 10, 12, 15, 21, 22, 23, 25} & {field.item for field in by_sms}


def test_whatever_goes_by_sms_is_in_a_group_and_kept() -> None:
    for field in FIELDS:
        assert field.by_sms == bool(field.groups)
        assert field.kept or not field.by_sms


def test_the_groups_hold_what_is_published() -> None:
    assert {field.code for field in catalogue.group(Group.DEFAULT)} == {
        "full_name", "sex", "date_of_birth", "personal_id", "card_expires_on", "commune",
        "province",
    }  # fmt: skip
    assert {field.code for field in catalogue.group(Group.RESIDENCE)} == {
        "commune", "province", "current_commune", "current_province",
    }  # fmt: skip
    assert {field.code for field in catalogue.group(Group.CARD)} == {
        "card_issued_on", "card_expires_on", "status",
    }  # fmt: skip
