"""Reads the kernel's and the service's own counters around a round of load."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from benchmark import processes
from benchmark.machine import yardstick
from benchmark.service import Service
from benchmark.summary import Measured, Mode
from benchmark.tally import Outcome

_LOOK_SECONDS = 0.5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Used:
    """What a tree of processes, and its database's, used while something ran.

    Units: CPU seconds; *yardstick*, one PIN hash just before, in milliseconds; *machine*, what was
    at work in all and what there was; *resident*, the most seen, in bytes.
    """

    server_cpu: float
    database_cpu: float
    threads: Mapping[str, float]
    yardstick: float
    machine: tuple[float, float]
    resident: int

    def others(self, load_cpu: float) -> float:
        """Return the share of the machine that went to processes which are no part of this."""
        busy, whole = self.machine
        ours = self.server_cpu + self.database_cpu + load_cpu
        return max(0.0, busy - ours) / whole if whole else 0.0


def metered(server: int, database: int | None, run: Callable[[], T]) -> tuple[T, Used]:
    """Run something and tell what the trees of *server* and *database* used meanwhile."""
    hash_time = yardstick()
    before = _Reading.of(server, database)
    with _Watch(server) as watch:
        came_to = run()
    after = _Reading.of(server, database)
    (busy, whole), (busy_before, whole_before) = after.machine, before.machine
    return came_to, Used(
        server_cpu=after.server - before.server,
        database_cpu=after.database - before.database,
        threads=_grown(before.threads, after.threads),
        yardstick=hash_time,
        machine=(busy - busy_before, whole - whole_before),
        resident=watch.most,
    )


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures one service and, where it is a process of its own, its database."""

    service: Service
    server: int
    database: int | None

    def measure(self, mode: Mode, run: Callable[[], Outcome]) -> Measured:
        """Run a round and tell what it used, until all that it began had ended."""
        stages = self.service.stages()
        outcome, used = metered(self.server, self.database, run)
        return Measured(
            mode=mode,
            outcome=outcome,
            server_cpu=used.server_cpu,
            database_cpu=used.database_cpu,
            threads=used.threads,
            stages=_grown(stages, self.service.stages()),
            yardstick=used.yardstick,
            others=used.others(outcome.operator_cpu),
            resident=used.resident,
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The counters at one moment, in seconds; *machine* at work, and in all."""

    server: float
    threads: Mapping[str, float]
    database: float
    machine: tuple[float, float]

    @classmethod
    def of(cls, server: int, database: int | None) -> Self:
        return cls(
            server=processes.usage(server).cpu,
            threads=processes.threads(server),
            database=processes.usage(database).cpu if database else 0.0,
            machine=processes.machine(),
        )


class _Watch:
    """Looks at a tree's memory now and then, and keeps the most it saw."""

    def __init__(self, root: int) -> None:
        self.most = 0
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.most = max(self.most, processes.usage(self._root).resident)
            if self._over.wait(_LOOK_SECONDS):
                return


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
