"""What processes use, as the kernel counts it: CPU and memory of a tree, CPU by thread.

Source: proc(5).
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/PID/stat, counted from the state, which follows the name in brackets.
_PARENT, _USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM, _PAGES = 1, 11, 12, 13, 14, 21
# Fields of the first line of /proc/stat.
_IDLE, _WAITING = 3, 4
_NUMBER = re.compile(r"[-_ ]*[0-9]+$")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree of processes has used until now.

    Units: CPU seconds, bytes that are resident.
    """

    cpu: float
    resident: int


def usage(root: int) -> Usage:
    """Sum up *root* and all that descend from it; who has gone counts for its parent."""
    cpu, resident = 0, 0
    for pid in tree(root):
        with suppress(OSError):
            stat = _stat(_PROC / str(pid) / "stat")
            cpu += sum(int(stat[at]) for at in (_USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM))
            resident += int(stat[_PAGES]) * _PAGE
    return Usage(cpu / _TICKS, resident)


def threads(root: int) -> dict[str, float]:
    """Sum up the CPU seconds of the threads of a tree by their names, numbers left off."""
    used: defaultdict[str, float] = defaultdict(float)
    for pid in tree(root):
        with suppress(OSError):
            for task in (_PROC / str(pid) / "task").iterdir():
                stat = _stat(task / "stat")
                name = _NUMBER.sub("", (task / "comm").read_text().strip())
                used[name] += (int(stat[_USER]) + int(stat[_SYSTEM])) / _TICKS
    return used


def machine() -> tuple[float, float]:
    """Return the CPU seconds that this machine has spent at work, and those it has had in all."""
    first = (_PROC / "stat").read_text().partition("\n")[0]
    spent = [
        int(ticks) / _TICKS for ticks in first.split()[1:9]
    ]  # what guests get is in it already
    return sum(spent) - spent[_IDLE] - spent[_WAITING], sum(spent)


def tree(root: int) -> list[int]:
    """Return *root* and all that descend from it."""
    children = defaultdict(list)
    for pid, parent in _parents():
        children[parent].append(pid)
    found = [root]
    for pid in found:
        found.extend(children[pid])
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                yield int(folder.name), int(_stat(folder / "stat")[_PARENT])


def _stat(path: Path) -> list[str]:
    return path.read_text().rpartition(")")[2].split()
