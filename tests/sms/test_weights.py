"""How replies are shared: points go from what fails to what does not, and come back slowly."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.weights import BETWEEN, QUIET, RESTING, STEP, Share, draw, rebalance

TICK, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)
points = st.integers(0, 100)
times = st.integers(0, 40).map(lambda minutes: minutes * MINUTE)


@st.composite
def several(drawing: st.DrawFn) -> list[Share]:
    return [
        Share(
            link_id=link_id,
            weight=drawing(points),
            resting=drawing(points),
            tried=(tried := drawing(st.integers(0, 50))),
            failed=drawing(st.integers(0, tried)),
            may_carry=drawing(st.booleans()),
        )
        for link_id in range(drawing(st.integers(1, 5)))
    ]


def pair(first: int = RESTING, second: int = RESTING, failed: int = 0) -> list[Share]:
    return [
        Share(link_id=1, weight=first, resting=RESTING, tried=20, failed=failed),
        Share(link_id=2, weight=second, resting=RESTING, tried=20),
    ]


@given(several(), times)
def test_no_point_is_lost_or_made_and_none_goes_below_nothing(
    shares: list[Share], since: timedelta
) -> None:
    after = rebalance(shares, since)

    assert sum(after.values()) == sum(share.weight for share in shares)
    assert min(after.values()) >= 0


@given(several(), times)
def test_what_fails_gains_nothing_and_loses_one_step_at_most(
    shares: list[Share], since: timedelta
) -> None:
    after = rebalance(shares, since)

    for share in shares:
        if share.may_carry and share.is_failing:
            assert share.weight - STEP <= after[share.link_id] <= share.weight


@given(several(), st.integers(0, 59).map(lambda seconds: timedelta(seconds=seconds)))
def test_within_a_minute_of_the_last_shift_nothing_moves(
    shares: list[Share], since: timedelta
) -> None:
    assert rebalance(shares, since) == {share.link_id: share.weight for share in shares}


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_what_was_taken_comes_back_after_a_quarter_of_an_hour_unless_the_other_fails(
    minutes: list[tuple[bool, bool]],
) -> None:
    """Whichever of two links fails in whichever minute, there is no flapping."""
    shares, shifted_at, lost_at = pair(), -QUIET, -QUIET
    for minute, fails in enumerate(minutes):
        now = minute * MINUTE
        judged = [
            replace(share, failed=20 * has_failed)
            for share, has_failed in zip(shares, fails, strict=True)
        ]
        after = rebalance(judged, now - shifted_at)
        gained = after[1] - shares[0].weight
        assert gained <= 0 or fails[1] or now - lost_at >= QUIET
        if gained:
            shifted_at, lost_at = now, now if gained < 0 else lost_at
        shares = [replace(share, weight=after[share.link_id]) for share in shares]


def test_a_link_that_goes_on_failing_is_empty_after_five_shifts_and_stays_so() -> None:
    seen, shares = [], pair(failed=20)
    for _ in range(8):
        after = rebalance(shares, BETWEEN)
        seen.append(after[1])
        shares = [replace(share, weight=after[share.link_id]) for share in shares]

    assert seen == [40, 30, 20, 10, 0, 0, 0, 0]


def test_after_a_quiet_quarter_the_points_come_back_by_steps_and_then_rest() -> None:
    seen, shares = [], pair(15, 85)
    for _ in range(6):
        after = rebalance(shares, QUIET)
        seen.append(after[1])
        shares = [replace(share, weight=after[share.link_id]) for share in shares]

    assert seen == [25, 35, 45, 50, 50, 50]
    assert rebalance(pair(15, 85), QUIET - TICK) == {1: 15, 2: 85}


@pytest.mark.parametrize(("tried", "failed"), [(20, 4), (60, 5), (0, 0)])
def test_few_failures_move_nothing(tried: int, failed: int) -> None:
    first, second = pair()

    assert rebalance([replace(first, tried=tried, failed=failed), second], QUIET) == {1: 50, 2: 50}


def test_where_all_fail_nothing_moves() -> None:
    shares = [replace(share, failed=20) for share in pair(30, 70)]

    assert rebalance(shares, 2 * QUIET) == {1: 30, 2: 70}


def test_what_may_not_carry_is_given_nothing() -> None:
    first, second = pair(failed=20)
    third = replace(second, link_id=3, may_carry=False)

    assert rebalance([first, second, third], BETWEEN) == {1: 40, 2: 60, 3: 50}


def test_a_link_is_drawn_as_often_as_it_weighs() -> None:
    drawn = Counter(draw({1: 40, 2: 0, 3: 60}, at.__mod__) for at in range(100))

    assert drawn == {1: 40, 3: 60}


def test_where_none_weighs_anything_any_is_drawn() -> None:
    assert {draw({1: 0, 2: 0}, at.__mod__) for at in range(2)} == {1, 2}
