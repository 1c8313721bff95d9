"""Bars are met on their good side, and nothing measured meets none."""

import pytest

from benchmark.bars import BARS, top, verdicts
from benchmark.summary import Mode, row
from tests.benchmark.rounds import a_round


def _met(database: str, **figures: float) -> dict[str, bool]:
    rows = [
        row([a_round(clients=1, lookups=10)]),
        row([a_round(lookups=int(figures.get("speed", 300)), server_cpu=figures.get("cpu", 1.0))]),
        row([a_round(Mode.OPEN, milliseconds=figures.get("answer", 100))]),
        row([a_round(Mode.IDLE, clients=1, milliseconds=figures.get("idle", 60))]),
    ]
    return {verdict.bar.name: verdict.met for verdict in verdicts(database, rows)}


def test_a_service_that_is_good_enough_meets_every_bar() -> None:
    assert _met("sqlite") == {bar.name: True for bar in BARS["sqlite"]}
    assert _met("postgresql") == {bar.name: True for bar in BARS["postgresql"]}


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        ({"speed": 299}, {"lookups_per_second"}),
        ({"cpu": 1.5}, {"cpu"}),
        ({"answer": 151}, {"answer_p50"}),
        ({"answer": 501}, {"answer_p50", "answer_p99"}),
        ({"idle": 61}, {"idle_p50"}),
    ],
)
def test_a_figure_on_the_other_side_misses_its_bar(
    figures: dict[str, float], missed: set[str]
) -> None:
    met = _met("sqlite", **figures)

    assert {name for name, good in met.items() if not good} == missed


def test_memory_has_a_bar_on_sqlite_alone() -> None:
    rows = [row([a_round(resident=401 * 2**20)])]

    met = {verdict.bar.name: verdict.met for verdict in verdicts("sqlite", rows)}

    assert not met["memory"]
    assert "memory" not in {bar.name for bar in BARS["postgresql"]}


def test_nothing_measured_meets_nothing() -> None:
    found = verdicts("sqlite", [])

    assert [verdict.measured for verdict in found] == [None] * len(BARS["sqlite"])
    assert not any(verdict.met for verdict in found)
    assert top([]) is None
