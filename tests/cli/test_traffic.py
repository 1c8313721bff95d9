"""What `simulate traffic` makes of its rounds, without a service."""

import pytest

from benchmark.tally import Outcome, Percentiles, Span
from cli import traffic
from cli.traffic import Plan, Seen


def outcome(lookups: int, faults: dict[str, int], *, used_up: bool = False) -> Outcome:
    return Outcome(
        clients=16, seconds=5.0, rate=2.0, lookups=lookups, in_time=lookups, messages=2 * lookups,
        replies={"PIN": lookups, "RESULT": lookups}, faults=faults,
        spans={Span.ANSWER: Percentiles(2 * lookups, 10.0, 20.0, 30.0, 40.0 + lookups)},
        operator_cpu=0.1, used_up=used_up,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gateway", "port"),
    [
        ("http://127.0.0.1:8000", 8000),
        ("http://[::1]:8001/", 8001),
        ("http://localhost", 80),
        ("https://127.0.0.1:8000", None),
        ("http://10.0.0.1:8000", None),
        ("http://sms.example.vn", None),
        ("127.0.0.1:8000", None),
    ],
)
def test_only_a_service_on_this_machine_is_played_at(gateway: str, port: int | None) -> None:
    assert traffic.port_of(gateway) == port


@pytest.mark.parametrize("seconds", [1, 5, 9.5, 10, 60, 61.5])
def test_the_time_is_parted_without_a_scrap(seconds: float) -> None:
    parts = list(traffic._slices(seconds))

    assert sum(parts) == pytest.approx(seconds)
    assert min(parts) >= min(seconds, 5)
    assert max(parts) < 10


def test_rounds_are_told_together() -> None:
    seen = Seen(
        Plan(2.0, 10, 7), 100, (outcome(9, {}), outcome(10, {"QUOTA-instead-of-PIN": 1})),
        is_interrupted=False,
    )  # fmt: skip

    told = "\n".join(seen.lines())

    assert "10 s at 2 turns a second, 100 made-up people (--seed 7)" in told
    assert "replies            PIN 19, RESULT 19" in told
    assert "answered after     10 ms (p95 20, longest 50)" in told
    assert "not as was due     QUOTA-instead-of-PIN 1" in told
    assert seen.as_json()["lookups"] == 19


def test_what_ended_early_says_why() -> None:
    seen = Seen(Plan(2.0, 10, 7), 1, (outcome(1, {}, used_up=True),), is_interrupted=True)
    nothing = Seen(Plan(2.0, 10, 7), 1, (), is_interrupted=True)

    assert seen.lines()[-2:] == [
        "  nobody was left to ask: add people with `demo people`", "  interrupted",
    ]  # fmt: skip
    assert "  acknowledged after nothing measured" in nothing.lines()
