"""The machine that was measured on: what it is made of, and how long its disk takes to flush."""

import os
import platform
import re
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from argon2.low_level import Type, hash_secret_raw

from benchmark.errors import MachineError

_FLUSHES = 200
_HASHES = 21
_PAGE = bytes(4096)
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Machine:
    """What a figure must be read beside.

    Units: memory in bytes, *flush* in milliseconds (the median of one page written and flushed).
    """

    cpu: str
    cores: int
    memory: int
    kernel: str
    system: str
    file_system: str
    flush: float
    python: str
    sqlite: str


def describe(folder: Path) -> Machine:
    """Describe this machine, and the disk under *folder*."""
    return Machine(
        cpu=_line("/proc/cpuinfo", "model name") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=f"{platform.system()} {platform.release()}",
        system=platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        file_system=file_system(folder),
        flush=flush_time(folder),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
    )


def scratch() -> Path:
    """Return a folder for what is thrown away, on a real disk.

    Raises: MachineError if there is none, or this is not Linux.
    """
    if sys.platform != "linux":
        raise MachineError("the benchmark reads /proc and so needs Linux")
    for folder in (Path(tempfile.gettempdir()), Path("/var/tmp")):  # noqa: S108 (only a fresh private folder is made there)
        if os.access(folder, os.W_OK) and file_system(folder) not in _IN_MEMORY:
            return folder
    raise MachineError("no writable folder on a disk: set TMPDIR to one, so that flushing is real")


def file_system(folder: Path) -> str:
    """Return the kind of file system that *folder* lies on."""
    best, kind = Path("/"), "unknown"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        point = Path(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), before.split()[4]))
        if folder.resolve().is_relative_to(point) and point.is_relative_to(best):
            best, kind = point, after.split()[0]
    return kind


def flush_time(folder: Path) -> float:
    """Measure how long the disk under *folder* takes to write and flush a page.

    Units: milliseconds, the median.
    """
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_FLUSHES):
            began = time.perf_counter()
            os.write(file.fileno(), _PAGE)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return round(median(times) * 1000, 3)


def yardstick() -> float:
    """Measure one PIN hash of the standard profile, which tells how fast the cores are just now.

    Units: milliseconds of CPU, the median. Source: docs/performance.md has what it took when the
    bars were set.
    """
    times = []
    for _ in range(_HASHES):
        began = time.thread_time()
        hash_secret_raw(_PAGE[:32], _PAGE[:16], 1, 1024, 1, 32, Type.ID)
        times.append(time.thread_time() - began)
    return round(median(times) * 1000, 3)


def _line(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
