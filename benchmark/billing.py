"""Measures the reconciliation of a month of an operator against our usage."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import processes
from benchmark.bars import Bar, Verdict
from benchmark.billing_month import Expected, Month
from benchmark.errors import ServiceError
from benchmark.lookup import Say
from benchmark.machine import Machine, describe, scratch, yardstick
from billing.reconciliation.summary import Count, Kind, Reason

if TYPE_CHECKING:
    import resource

_HOUSE = Path(__file__).resolve().parents[1]
_GIBIBYTE = 2**30
BARS = (
    Bar("seconds", "a month taken in, compared and listed", "s", 15),
    Bar("memory", "largest memory meanwhile", "GiB", 2),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One month: what was to be found, what was found, and what that took.

    Units: *seconds* of each part, *memory* in bytes at its largest, *cpu* in seconds, *others* is
    the share of the machine that went to other processes, *yardstick* in milliseconds.
    """

    month: Month
    file_size: int
    expected: Expected
    found: Expected
    verdict: str
    seconds: dict[str, float]
    cpu: float
    memory: int
    others: float
    yardstick: float

    @property
    def sound(self) -> bool:
        """Whether exactly what was planted was found, and the totals are right."""
        return self.found == self.expected and (self.verdict == "same") is (not self.month.faults)

    @property
    def whole(self) -> float:
        """Return how long all of it took, in seconds."""
        return round(sum(self.seconds.values()), 3)

    @property
    def verdicts(self) -> list[Verdict]:
        """Hold it against the bars."""
        seconds, memory = BARS
        return [Verdict(seconds, self.whole), Verdict(memory, round(self.memory / _GIBIBYTE, 2))]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run of the benchmark: a month with faults, and one without."""

    machine: Machine
    started_at: datetime
    runs: tuple[Run, ...]


def measure(records: int, *, now: datetime, say: Say) -> Report:
    """Reconcile a month with faults and one without. Raises: MachineError, ServiceError."""
    folder = scratch()
    machine = describe(folder)
    months = (Month.of(records, is_faulty=is_faulty) for is_faulty in (True, False))
    return Report(machine, now, tuple(_run(month, folder, say) for month in months))


def _run(month: Month, parent: Path, say: Say) -> Run:
    with tempfile.TemporaryDirectory(prefix="tradan-bench-", dir=parent) as name:
        folder = Path(name)
        say(f"making {month.records:,} records a side, {month.faults:,} faults of each class")
        files = month.write(folder)
        size, hash_time, before = files.theirs.stat().st_size, yardstick(), processes.machine()
        said, used = _process(folder, say)
        busy, whole = (
            late - early for late, early in zip(processes.machine(), before, strict=True)
        )
        cpu = used.ru_utime + used.ru_stime
        return Run(
            month=month,
            file_size=size,
            expected=month.expected(),
            found=_found(said["summary"]),
            verdict=said["summary"]["verdict"],
            seconds=said["seconds"],
            cpu=round(cpu, 2),
            memory=said["memory"],
            others=round(max(0.0, busy - cpu) / whole, 3) if whole else 0.0,
            yardstick=hash_time,
        )


def _process(folder: Path, say: Say) -> "tuple[dict[str, Any], resource.struct_rusage]":
    with subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, "-m", "benchmark.billing_process", str(folder)],
        cwd=_HOUSE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stderr or ():
            say(line.rstrip())
        said = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ServiceError(f"the reconciliation ended {process.returncode}")
    return json.loads(said), used


def _found(summary: dict[str, Any]) -> Expected:
    classes: Counter[tuple[Kind, Reason | None]] = Counter()
    for each in summary["differences"]:
        reason = Reason(each["reason"]) if each["reason"] else None
        classes[Kind(each["class"]), reason] += each["records"]
    return Expected(_count(summary["ours"]), _count(summary["theirs"]), classes)


def _count(told: dict[str, int]) -> Count:
    return Count(told["records"], told["parts"], told["amount_hundredths"])
