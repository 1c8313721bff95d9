"""Percentiles are times that were measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.tally import Order, Span, Tally, percentiles

TIMES = st.lists(st.floats(min_value=0, max_value=60), min_size=1)


def test_the_percentiles_of_a_hundred_are_the_nearest_ranks() -> None:
    found = percentiles([number / 1000 for number in range(100, 0, -1)])

    assert (found.count, found.p50, found.p95, found.p99, found.longest) == (100, 50, 95, 99, 100)


@given(TIMES)
def test_percentiles_are_measured_times_in_order(times: list[float]) -> None:
    found = percentiles(times)

    told = [found.p50, found.p95, found.p99, found.longest]
    assert told == sorted(told)
    assert set(told) <= {round(time * 1000, 3) for time in times}


def test_nothing_measured_has_no_percentiles() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentiles([])


def test_a_reply_that_overtakes_its_acknowledgement_took_no_time() -> None:
    tally = Tally()

    tally.took(Span.PIN, -0.001)
    outcome = tally.outcome(Order(1, 1.0), seconds=1.0, operator_cpu=0.0, used_up=False)

    assert outcome.span(Span.PIN).longest == 0
    assert outcome.span(Span.RESULT).count == 0
