"""What a round of load saw: how many, how long, and what went wrong."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

_MILLI = 1000


class Span(StrEnum):
    """The stretches of time that are measured."""

    PIN = "accepted-to-pin"
    RESULT = "accepted-to-result"
    ANSWER = "accepted-to-answer"  # the two above together: what the bars speak of
    ACCEPT = "posted-to-accepted"
    LOOKUP = "asked-to-result"
    LATE = "due-to-posted"


@dataclass(frozen=True, slots=True)
class Order:
    """A round to be run: a closed loop, or as many conversations a second as *rate* says.

    Units: *seconds* of load, before what is still under way comes to its end; *patience*, the
    seconds after which a message without an end is given up as a fault.
    """

    clients: int
    seconds: float
    rate: float | None = None
    patience: float = 30.0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long something took.

    Units: milliseconds.
    """

    count: int
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished round.

    Units: seconds; *in_time* are the lookups whose RESULT came while the load lasted.
    """

    clients: int
    seconds: float
    rate: float | None
    lookups: int
    in_time: int
    messages: int
    replies: dict[str, int]
    faults: dict[str, int]
    spans: dict[str, Percentiles]
    operator_cpu: float
    used_up: bool

    @property
    def lookups_per_second(self) -> float:
        """Lookups that came to their end in each second of load."""
        return self.in_time / self.seconds

    def span(self, span: Span) -> Percentiles:
        """Return how long this stretch took; nothing measured is a count of none."""
        return self.spans.get(span, Percentiles(0, 0.0, 0.0, 0.0, 0.0))


@dataclass(slots=True)
class Tally:
    """Counts a round while it runs."""

    lookups: int = 0
    in_time: int = 0
    messages: int = 0
    replies: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    times: dict[Span, list[float]] = field(default_factory=lambda: {span: [] for span in Span})

    def took(self, span: Span, seconds: float) -> None:
        """Note one stretch of time; a reply that overtook its acknowledgement took none."""
        self.times[span].append(max(0.0, seconds))

    def outcome(
        self, order: Order, *, seconds: float, operator_cpu: float, used_up: bool
    ) -> Outcome:
        """Sum the round up."""
        return Outcome(
            clients=order.clients,
            seconds=seconds,
            rate=order.rate,
            lookups=self.lookups,
            in_time=self.in_time,
            messages=self.messages,
            replies=dict(sorted(self.replies.items())),
            faults=dict(sorted(self.faults.items())),
            spans={span: percentiles(times) for span, times in self.times.items() if times},
            operator_cpu=operator_cpu,
            used_up=used_up,
        )


def percentiles(times: Sequence[float]) -> Percentiles:
    """Sum up durations given in seconds; a percentile is the nearest one that was measured.

    Raises: ValueError if nothing was measured.
    """
    if not times:
        raise ValueError("nothing was measured")
    ordered = sorted(times)

    def at(share: float) -> float:
        return round(ordered[ceil(share * len(ordered)) - 1] * _MILLI, 3)

    return Percentiles(len(ordered), at(0.50), at(0.95), at(0.99), at(1))
