import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import ratchet
from core.ratchet import Chain

PURPOSE = "journal-lookup-act"
START = 202601
LAST = 203112
MONTHS = list(ratchet.months(START, LAST))
a_month = st.sampled_from(MONTHS)
some_months = st.sets(a_month, max_size=20)


def chain() -> Chain:
    return Chain(START, b"\x07" * 32, {})


def expand(key: bytes, info: bytes) -> bytes:
    """HKDF-Expand as RFC 5869, 2.3, writes it, for one block."""
    return hmac.new(key, info + b"\x01", hashlib.sha256).digest()


def readable(of: Chain) -> dict[int, bytes]:
    found = {}
    for month in MONTHS:
        try:
            found[month] = of.data_key(PURPOSE, month)
        except KeyError:
            continue
    return found


WHOLE = readable(chain())


def test_a_months_key_is_derived_as_the_format_says() -> None:
    second = expand(b"\x07" * 32, b"tradan journal month v1\x00next")

    found = chain().data_key(PURPOSE, 202602)

    assert found == expand(second, b"tradan journal month v1\x00journal-lookup-act/202602")


def test_no_two_months_and_no_two_purposes_share_a_key() -> None:
    other = chain().data_key("journal-lookup-identity", START)

    assert len({*WHOLE.values(), other}) == len(MONTHS) + 1


@given(some_months)
def test_what_is_destroyed_is_gone_and_nothing_else(gone: set[int]) -> None:
    after = chain().without(PURPOSE, gone)

    assert readable(after) == {month: key for month, key in WHOLE.items() if month not in gone}
    assert after.readable(LAST) == WHOLE.keys() - gone


@given(some_months, some_months)
def test_it_is_the_same_whether_months_go_together_or_one_after_the_other(
    some: set[int], others: set[int]
) -> None:
    together = chain().without(PURPOSE, some | others)

    one_by_one = chain().without(PURPOSE, some).without(PURPOSE, others)

    assert readable(one_by_one) == readable(together)


@given(a_month)
def test_what_is_left_holds_no_key_that_leads_back(passed: int) -> None:
    gone = set(ratchet.months(START, passed))

    after = chain().without(PURPOSE, gone)

    on_the_way = {chain()._key_at(month) for month in gone}
    assert after.kept == {}
    assert after.start == ratchet.following(passed)
    assert after.key not in on_the_way | {WHOLE[month] for month in gone}


def test_a_month_that_is_kept_lies_alone_beside_the_chain() -> None:
    after = chain().without(PURPOSE, {202601, 202603})

    assert (after.start, after.kept) == (202604, {202602: WHOLE[202602]})
    assert after.without(PURPOSE, {202602}).kept == {}


def test_a_chain_prints_no_key() -> None:
    assert repr(chain().without(PURPOSE, {202602})) == "Chain(start=202603)"


@pytest.mark.parametrize(("month", "after"), [(202601, 202602), (202611, 202612), (202612, 202701)])
def test_months_follow_one_another(month: int, after: int) -> None:
    assert ratchet.following(month) == after
    assert ratchet.earlier(after, 1) == month


def test_months_are_counted_back_over_years() -> None:
    assert ratchet.earlier(202804, 25) == 202603
    assert ratchet.earlier(202601, 61) == 202012
    assert list(ratchet.months(202611, 202702)) == [202611, 202612, 202701, 202702]
    assert list(ratchet.months(202602, 202601)) == []


def test_an_instant_lies_in_the_month_of_utc() -> None:
    assert ratchet.month_of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == 202612


@pytest.mark.parametrize("number", [0, 202600, 202613, 12, 1_000_001])
def test_not_every_number_is_a_month(number: int) -> None:
    assert not ratchet.is_month(number)
