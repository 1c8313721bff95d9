"""Reads the kernel's and the service's own counters around a round of load."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from benchmark import processes
from benchmark.machine import yardstick
from benchmark.service import Service
from benchmark.summary import Measured, Mode
from benchmark.tally import Outcome

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures one service and, where it is a process of its own, its database."""

    service: Service
    server: int
    database: int | None

    def measure(self, mode: Mode, run: Callable[[], Outcome]) -> Measured:
        """Run a round and tell what it used, until all that it began had ended."""
        hash_time = yardstick()
        before = self._read()
        with _Watch(self.server) as watch:
            outcome = run()
        after = self._read()
        return Measured(
            mode=mode,
            outcome=outcome,
            server_cpu=after.server - before.server,
            database_cpu=after.database - before.database,
            threads=_grown(before.threads, after.threads),
            stages=_grown(before.stages, after.stages),
            yardstick=hash_time,
            others=_others(before, after, outcome),
            resident=watch.most,
        )

    def _read(self) -> "_Reading":
        return _Reading(
            stages=self.service.stages(),
            server=processes.usage(self.server).cpu,
            threads=processes.threads(self.server),
            database=processes.usage(self.database).cpu if self.database else 0.0,
            machine=processes.machine(),
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The counters at one moment, in seconds; *machine* at work, and in all."""

    stages: Mapping[str, float]
    server: float
    threads: Mapping[str, float]
    database: float
    machine: tuple[float, float]


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


def _others(before: _Reading, after: _Reading, outcome: Outcome) -> float:
    """Return the share of the machine that went to processes which are no part of this."""
    busy, whole = (late - early for early, late in zip(before.machine, after.machine, strict=True))
    ours = after.server - before.server + after.database - before.database + outcome.operator_cpu
    return max(0.0, busy - ours) / whole if whole else 0.0


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
