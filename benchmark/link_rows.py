"""What rounds over an SMPP link saw, and what many of one kind come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from benchmark.meter import Used
from benchmark.summary import added, medians
from benchmark.tally import Percentiles

_MILLI = 1000
_NONE = Percentiles(0, 0.0, 0.0, 0.0, 0.0)


class Side(StrEnum):
    """Who is measured, by the name that each binds under."""

    OURS = "tradan"
    KANNEL = "kannel"


class Load(StrEnum):
    """What subscribers send."""

    INGEST = "ingest"  # HD, and nobody waits for the reply before the next message
    HELP = "help"  # HD, which is answered without a PIN
    LOOKUP = "lookup"  # DC, and with the PIN of its reply XN


class Span(StrEnum):
    """The stretches of time that are measured, each from a message's first octet on its way."""

    ACCEPT = "accept"  # to deliver_sm_resp
    TRIP = "trip"  # to its reply's submit_sm
    LOOKUP = "lookup"  # from DC to the RESULT


@dataclass(frozen=True, slots=True)
class Order:
    """A round to be run.

    Units: *seconds* of load; *at_once*, the messages that wait for a reply at most; *window*, those
    that wait for a deliver_sm_resp; *patience*, the seconds of silence after which what is still
    open is given up as a fault.
    """

    who: Side
    load: Load
    seconds: float
    at_once: int
    window: int
    patience: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished round, as the SMSC saw it.

    Units: seconds, spans in milliseconds; *accepted* are the messages answered OK, *in_time* the
    replies, and *lookups_in_time* the RESULTs, that came while the load lasted.
    """

    seconds: float
    accepted: int
    accepted_in_time: int
    in_time: int
    lookups_in_time: int
    replies: dict[str, int]
    faults: dict[str, int]
    spans: dict[str, Percentiles]
    cpu: float
    used_up: bool

    @property
    def trips(self) -> int:
        """Messages that were answered and got their reply, in time or later."""
        return self.span(Span.TRIP).count

    def span(self, span: Span) -> Percentiles:
        """Return how long this stretch took; nothing measured is a count of none."""
        return self.spans.get(span, _NONE)


@dataclass(frozen=True, slots=True)
class Round:
    """A round, and what the side that was measured used meanwhile."""

    order: Order
    outcome: Outcome
    used: Used

    @property
    def per_second(self) -> float:
        """Messages in each second of load: those answered OK, or those that got their reply."""
        seen, is_ingest = self.outcome, self.order.load is Load.INGEST
        count = seen.accepted_in_time if is_ingest else seen.in_time
        return count / seen.seconds if seen.seconds else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The rounds of one kind of load on one side, as they are told; medians over the rounds.

    Units: milliseconds, CPU for each message and its reply; but *per_second*, *slowest_round*,
    *fastest_round* and *lookups_per_second* a second, *resident* in bytes. *others* is a share of
    the machine.
    """

    who: Side
    load: Load
    rounds: int
    trips: int
    per_second: float
    slowest_round: float
    fastest_round: float
    lookups_per_second: float
    server_cpu: float
    database_cpu: float
    smsc_cpu: float
    threads: dict[str, float]
    spans: dict[str, Percentiles]
    yardstick: float
    others: float
    resident: int
    faults: dict[str, int]
    used_up: bool


def row(rounds: Sequence[Round]) -> Row:
    """Sum up the rounds of one kind.

    Raises: ValueError if there is none.
    """
    if not rounds:
        raise ValueError("no round was run")
    first, outcomes = rounds[0].order, [one.outcome for one in rounds]
    speeds = [one.per_second for one in rounds]
    names = sorted({name for one in rounds for name in one.used.threads})
    threads = {
        name: _each(rounds, lambda one, name=name: one.used.threads.get(name, 0.0))  # type: ignore[misc]  # the default binds the loop's name
        for name in names
    }
    return Row(
        who=first.who,
        load=first.load,
        rounds=len(rounds),
        trips=sum(outcome.trips for outcome in outcomes),
        per_second=round(median(speeds), 1),
        slowest_round=round(min(speeds), 1),
        fastest_round=round(max(speeds), 1),
        lookups_per_second=round(median(o.lookups_in_time / o.seconds for o in outcomes), 1),
        server_cpu=_each(rounds, lambda one: one.used.server_cpu),
        database_cpu=_each(rounds, lambda one: one.used.database_cpu),
        smsc_cpu=_each(rounds, lambda one: one.outcome.cpu),
        threads={name: share for name, share in threads.items() if share},
        spans={span: _together(outcomes, span) for span in Span},
        yardstick=round(median(one.used.yardstick for one in rounds), 3),
        others=round(median(one.used.others(one.outcome.cpu) for one in rounds), 3),
        resident=max(one.used.resident for one in rounds),
        faults=added(outcome.faults for outcome in outcomes),
        used_up=any(outcome.used_up for outcome in outcomes),
    )


def _each(rounds: Sequence[Round], seconds: Callable[[Round], float]) -> float:
    shares = [seconds(one) / one.outcome.trips for one in rounds if one.outcome.trips]
    return round(median(shares) * _MILLI, 3) if shares else 0.0


def _together(outcomes: Sequence[Outcome], span: Span) -> Percentiles:
    return medians([found for outcome in outcomes if (found := outcome.span(span)).count])
