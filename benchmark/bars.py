"""The bars that the service is to clear, and whether it did.

Source: docs/performance.md. They hold for two cores that the load shares, the `standard` PIN
profile, replies really handed over, entries sealed before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.summary import Mode, Row
from benchmark.tally import Span

_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what is measured, where it lies, and on which side of it is good."""

    name: str
    what: str
    unit: str
    limit: float
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar and what was measured; nothing measured is not met."""

    bar: Bar
    measured: float | None

    @property
    def met(self) -> bool:
        """Whether the measured figure lies on the good side."""
        if self.measured is None:
            return False
        if self.bar.at_least:
            return self.measured >= self.bar.limit
        return self.measured <= self.bar.limit


_LATENCY = "accepted → handed over at half the top rate"
_COMMON = (
    Bar("answer_p50", f"{_LATENCY}, p50", "ms", 150),
    Bar("answer_p99", f"{_LATENCY}, p99", "ms", 500),
    Bar("idle_p50", "accepted → handed over to one idle client, p50", "ms", 60),
)
BARS = {
    "sqlite": (
        Bar("lookups_per_second", "lookups a second", "/s", 300, at_least=True),
        Bar("cpu", "server CPU a lookup", "ms", 5),
        *_COMMON,
        Bar("memory", "memory of `run` under load", "MiB", 400),
    ),
    "postgresql": (
        Bar("lookups_per_second", "lookups a second", "/s", 200, at_least=True),
        Bar("cpu", "server and database CPU a lookup", "ms", 7),
        *_COMMON,
    ),
}


def top(rows: Sequence[Row]) -> Row | None:
    """Return the closed loop that reached the most lookups a second."""
    closed = [row for row in rows if row.mode is Mode.CLOSED]
    return max(closed, key=lambda row: row.lookups_per_second, default=None)


def verdicts(database: str, rows: Sequence[Row]) -> list[Verdict]:
    """Hold the rows of one database against its bars."""
    figures: dict[str, float] = {}
    if (best := top(rows)) and best.lookups:
        figures["lookups_per_second"] = best.lookups_per_second
        figures["cpu"] = round(best.server_cpu + best.database_cpu, 2)
    for row in rows:
        answer = row.spans[Span.ANSWER]
        if row.mode is Mode.OPEN and answer.count:
            figures |= {"answer_p50": answer.p50, "answer_p99": answer.p99}
        if row.mode is Mode.IDLE and answer.count:
            figures["idle_p50"] = answer.p50
    if rows:
        figures["memory"] = round(max(row.resident for row in rows) / _MEBIBYTE)
    return [Verdict(bar, figures.get(bar.name)) for bar in BARS[database]]
