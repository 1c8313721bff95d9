"""What many rounds of one kind come to: medians, and the figures of every span beside them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from benchmark.tally import Outcome, Percentiles, Span

_MILLI = 1000


class Mode(StrEnum):
    """How the load comes."""

    IDLE = "idle"  # one client now and then
    CLOSED = "closed"  # so many clients, each asking again as soon as it is told
    OPEN = "open"  # so many lookups begun each second, told or not


@dataclass(frozen=True, slots=True)
class Measured:
    """One round: what the operator saw, and what the kernel and the service counted meanwhile.

    Units: seconds, *yardstick* (one PIN hash) in milliseconds; *others* is the share of the machine
    that went to processes which are no part of this; *resident* is the most seen, in bytes.
    """

    mode: Mode
    outcome: Outcome
    server_cpu: float
    database_cpu: float
    threads: Mapping[str, float]
    stages: Mapping[str, float]
    yardstick: float
    others: float
    resident: int


@dataclass(frozen=True, slots=True)
class Row:
    """The rounds of one kind of load, as they are told.

    Units: milliseconds, but *rate* and *lookups_per_second* a second, *resident* in bytes.
    *others* is a share of the machine.
    """

    mode: Mode
    clients: int
    rate: float | None
    rounds: int
    lookups: int
    lookups_per_second: float
    slowest_round: float
    fastest_round: float
    server_cpu: float
    database_cpu: float
    operator_cpu: float
    threads: dict[str, float]
    stages: dict[str, float]
    yardstick: float
    others: float
    spans: dict[str, Percentiles]
    replies: dict[str, int]
    faults: dict[str, int]
    resident: int
    used_up: bool


def row(rounds: Sequence[Measured]) -> Row:
    """Sum up the rounds of one kind of load; figures are medians over the rounds.

    Raises: ValueError if there is none.
    """
    if not rounds:
        raise ValueError("no round was run")
    outcomes = [one.outcome for one in rounds]
    speeds = [outcome.lookups_per_second for outcome in outcomes]
    return Row(
        mode=rounds[0].mode,
        clients=outcomes[0].clients,
        rate=outcomes[0].rate,
        rounds=len(rounds),
        lookups=sum(outcome.lookups for outcome in outcomes),
        lookups_per_second=round(median(speeds), 1),
        slowest_round=round(min(speeds), 1),
        fastest_round=round(max(speeds), 1),
        server_cpu=_each_lookup(rounds, lambda one: one.server_cpu),
        database_cpu=_each_lookup(rounds, lambda one: one.database_cpu),
        operator_cpu=_each_lookup(rounds, lambda one: one.outcome.operator_cpu),
        threads=_parts(rounds, lambda one: one.threads),
        stages=_parts(rounds, lambda one: one.stages),
        yardstick=round(median(one.yardstick for one in rounds), 3),
        others=round(median(one.others for one in rounds), 3),
        spans={span: together(outcomes, span) for span in Span},
        replies=added(outcome.replies for outcome in outcomes),
        faults=added(outcome.faults for outcome in outcomes),
        resident=max(one.resident for one in rounds),
        used_up=any(outcome.used_up for outcome in outcomes),
    )


def added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up counts of the same things."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


def _each_lookup(rounds: Sequence[Measured], seconds: Callable[[Measured], float]) -> float:
    shares = [seconds(one) / one.outcome.lookups for one in rounds if one.outcome.lookups]
    return round(median(shares) * _MILLI, 3) if shares else 0.0


def _parts(
    rounds: Sequence[Measured], parts: Callable[[Measured], Mapping[str, float]]
) -> dict[str, float]:
    names = sorted({name for one in rounds for name in parts(one)})
    told = {
        name: _each_lookup(rounds, lambda one, name=name: parts(one).get(name, 0.0))  # type: ignore[misc]  # the default binds the loop's name
        for name in names
    }
    return {name: share for name, share in told.items() if share}


def together(outcomes: Sequence[Outcome], span: Span) -> Percentiles:
    """Sum up one span of several rounds: medians of their percentiles, and the longest of all."""
    return medians([found for outcome in outcomes if (found := outcome.span(span)).count])


def medians(seen: Sequence[Percentiles]) -> Percentiles:
    """Sum up what several rounds measured; of none it is a count of none."""
    if not seen:
        return Percentiles(0, 0.0, 0.0, 0.0, 0.0)
    return Percentiles(
        count=sum(one.count for one in seen),
        p50=round(median(one.p50 for one in seen), 2),
        p95=round(median(one.p95 for one in seen), 2),
        p99=round(median(one.p99 for one in seen), 2),
        longest=round(max(one.longest for one in seen), 2),
    )
