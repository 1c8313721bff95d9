"""What receipts make of a reply: forward only, whatever order they come in and however often."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.deliveries import NOTHING, Delivery, News, advance, advance_all
from tests.fakes import NOON

SECOND = timedelta(seconds=1)
states = st.sampled_from(list(Delivery))
news = st.builds(
    News,
    states,
    st.integers(0, 3).map(lambda seconds: NOON + seconds * SECOND),
    st.none() | st.integers(1, 4),
    st.none() | st.sampled_from(("30003", "30007")),
)


@given(st.lists(news, max_size=5), st.integers(1, 3), st.randoms())
def test_any_order_and_any_repeat_lead_to_the_same_state(
    told: list[News], of: int, chance: object
) -> None:
    shuffled = [*told, *told[:2]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis's own random.Random

    assert advance_all(NOTHING, shuffled, of=of).state == advance_all(NOTHING, told, of=of).state


@given(st.lists(news.map(lambda n: News(n.state, n.at, None, n.error)), max_size=4), st.randoms())
def test_about_the_whole_text_time_and_error_are_the_same_too(
    told: list[News], chance: object
) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis's own random.Random

    assert advance_all(NOTHING, shuffled, of=1) == advance_all(NOTHING, told, of=1)


@given(st.lists(news, max_size=6), news, st.integers(1, 3))
def test_nothing_moves_back(told: list[News], last: News, of: int) -> None:
    order = [None, *Delivery]
    before = advance_all(NOTHING, told, of=of)

    after = advance(before, last, of=of)

    assert order.index(after.state) >= order.index(before.state)


@pytest.mark.parametrize("later", list(Delivery))
def test_what_arrived_has_arrived(later: Delivery) -> None:
    arrived = advance(NOTHING, News(Delivery.DELIVERED, NOON), of=1)

    assert advance(arrived, News(later, NOON + SECOND, error="30003"), of=1) == arrived


def test_the_first_copy_of_a_reply_arrives_though_the_second_does_not() -> None:
    copies = (News(Delivery.EXPIRED, NOON), News(Delivery.DELIVERED, NOON + SECOND))

    for each in permutations(copies):
        assert advance_all(NOTHING, each, of=1).state is Delivery.DELIVERED


def test_a_text_in_parts_has_arrived_when_each_part_has() -> None:
    parts = [News(Delivery.DELIVERED, NOON + part * SECOND, part) for part in (1, 2, 3)]

    for each in permutations(parts):
        some = advance_all(NOTHING, [*each[:2], each[0]], of=3)
        assert some.state is Delivery.SENT
        assert advance(some, each[2], of=3).state is Delivery.DELIVERED


def test_one_part_that_is_lost_loses_the_text() -> None:
    lost = [News(Delivery.DELIVERED, NOON, 1), News(Delivery.UNDELIVERED, NOON, 2, "30003")]

    for each in permutations(lost):
        assert advance_all(NOTHING, each, of=2).state is Delivery.UNDELIVERED


def test_a_receipt_for_all_of_a_long_text_is_one_for_each_part() -> None:
    assert advance(NOTHING, News(Delivery.DELIVERED, NOON), of=3).state is Delivery.DELIVERED


def test_a_part_that_there_is_not_counts_as_the_whole_of_a_text_of_one() -> None:
    assert advance(NOTHING, News(Delivery.DELIVERED, NOON, 1), of=1).state is Delivery.DELIVERED
