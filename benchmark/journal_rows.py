"""What a journal's figures are: loads, and what was measured at each size."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from benchmark.tally import Percentiles

_MICRO = 1_000_000


class Verification(StrEnum):
    """What is verified of every entry, each time more."""

    TREE = "tree"  # form, leaf hash, tiles, checkpoints, ids
    OPENED = "opened"  # and what every leaf commits to, decrypted
    ALL = "all"  # and every writer's signature
    EXPORT = "export"  # by the one file that a third party runs on an export


@dataclass(frozen=True, slots=True)
class Round:
    """One round of load, as it was told.

    Units: seconds; *resident* in bytes; *others* is the share of the machine that others took.
    """

    entries: int
    seconds: float
    cpu: float
    database_cpu: float
    latency: Percentiles
    resident: int
    others: float


@dataclass(frozen=True, slots=True)
class Load:
    """The rounds with so many clients: medians over them.

    Units: CPU in microseconds for each entry, latency in milliseconds.
    """

    clients: int
    rounds: int
    entries: int
    per_second: float
    slowest_round: float
    fastest_round: float
    cpu: float
    database_cpu: float
    latency: Percentiles
    resident: int
    others: float


@dataclass(frozen=True, slots=True)
class Verified:
    """One verification of everything.

    Units: seconds, bytes.
    """

    seconds: float
    cpu: float
    resident: int
    findings: int


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured with so many entries in the journal.

    Units: *filled* in entries a second, in batches as large as a sealer takes.
    """

    entries: int
    filled: float
    proof: Percentiles
    verifications: dict[Verification, Verified]


def summed(clients: int, rounds: Sequence[Round]) -> Load:
    """Sum up the rounds with so many clients.

    Raises: ValueError if there is none.
    """
    if not rounds:
        raise ValueError("no round was run")
    speeds = [one.entries / one.seconds for one in rounds]
    latencies = [one.latency for one in rounds]
    return Load(
        clients=clients,
        rounds=len(rounds),
        entries=sum(one.entries for one in rounds),
        per_second=round(median(speeds), 1),
        slowest_round=round(min(speeds), 1),
        fastest_round=round(max(speeds), 1),
        cpu=round(median(one.cpu / one.entries for one in rounds) * _MICRO, 1),
        database_cpu=round(median(one.database_cpu / one.entries for one in rounds) * _MICRO, 1),
        latency=Percentiles(
            count=sum(one.count for one in latencies),
            p50=round(median(one.p50 for one in latencies), 2),
            p95=round(median(one.p95 for one in latencies), 2),
            p99=round(median(one.p99 for one in latencies), 2),
            longest=max(one.longest for one in latencies),
        ),
        resident=max(one.resident for one in rounds),
        others=round(median(one.others for one in rounds), 3),
    )
