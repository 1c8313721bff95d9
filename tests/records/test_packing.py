from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import packing
from records.register import Record
from tests.records.people import PHUONG
from tests.records.strategies import records


@given(records)
def test_what_is_packed_is_what_is_unpacked(record: Record) -> None:
    assert packing.unpack(packing.pack(record)) == record


@given(records, records)
def test_records_are_equal_if_and_only_if_their_bytes_are(one: Record, other: Record) -> None:
    assert (packing.pack(one) == packing.pack(other)) == (one == other)


@given(st.binary(max_size=100))
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    try:
        record = packing.unpack(data)
    except ValueError:
        return

    assert isinstance(record, Record)


def test_bytes_of_another_version_are_refused() -> None:
    packed = packing.pack(PHUONG)

    with pytest.raises(ValueError, match="another version"):
        packing.unpack(b"\x09" + packed[1:])


def test_most_people_take_less_than_a_hundred_bytes() -> None:
    assert len(packing.pack(replace(PHUONG, is_test=True))) < 100


def test_a_record_prints_nothing_of_itself() -> None:
    assert repr(PHUONG) == "Record(is_test=False)"
