"""What many rounds come to."""

import pytest

from benchmark.summary import Mode, added, row
from benchmark.tally import Span
from tests.benchmark.rounds import a_round


def test_figures_are_medians_over_the_rounds() -> None:
    rounds = [a_round(lookups=lookups, server_cpu=0.5) for lookups in (50, 100, 500)]

    told = row(rounds)

    assert (told.rounds, told.lookups) == (3, 650)
    assert (told.slowest_round, told.lookups_per_second, told.fastest_round) == (50, 100, 500)
    assert told.server_cpu == 5.0
    assert told.spans[Span.ANSWER].count == 1300


def test_percentiles_are_medians_and_the_longest_is_the_longest_of_all() -> None:
    told = row([a_round(milliseconds=took) for took in (10, 20, 90)])

    assert told.spans[Span.ANSWER].p50 == 20
    assert told.spans[Span.ANSWER].longest == 90
    assert told.spans[Span.PIN].count == 0


def test_threads_that_used_nothing_are_left_out() -> None:
    told = row([a_round()])

    assert told.threads == {"handle": 2.0}
    assert told.stages == {"seal": 1.0}
    assert (told.yardstick, told.others) == (0.5, 0.25)


def test_a_round_without_lookups_costs_none_of_them_anything() -> None:
    told = row([a_round(lookups=0)])

    assert (told.lookups_per_second, told.server_cpu, told.threads) == (0, 0, {})


def test_faults_are_added_up() -> None:
    told = row([a_round(fault="no-reply"), a_round(fault="no-reply"), a_round(fault="status-503")])

    assert told.faults == {"no-reply": 2, "status-503": 1}
    assert added([told.faults, {"no-reply": 1}]) == {"no-reply": 3, "status-503": 1}


def test_no_rounds_have_no_row() -> None:
    with pytest.raises(ValueError, match="no round"):
        row([])


def test_a_mode_is_that_of_its_rounds() -> None:
    assert row([a_round(Mode.IDLE, clients=1)]).mode is Mode.IDLE
