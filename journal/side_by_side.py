"""Verifies pages of a journal in processes of their own, as many at a time as there are cores.

Each reads and opens for itself; what it found goes to the one process that grows the tree.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace

from core.db import Database
from journal.verifier import Spans, one_by_one
from journal.verifier_entries import Checked, Checker, Openings
from journal.verifier_rows import Rows

# Pages that are verified or ready, for each process: enough to keep it busy, little to remember.
_AHEAD = 3

Opener = Callable[[], tuple[Database, Openings | None]]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Pages verified by *count* processes, each of which *opens* database and keys for itself."""

    opens: Opener
    count: int

    def __call__(self, checker: Checker, rows: Rows, spans: Spans) -> Iterator[Checked]:  # noqa: ARG002 (each process reads rows of its own)
        """Verify pages, in their order."""
        context = multiprocessing.get_context("spawn")
        bare = replace(checker, openings=None)
        waiting: deque[Future[Checked]] = deque()
        with ProcessPoolExecutor(self.count, context, _begin, (self.opens, bare)) as pool:
            for span in spans:
                waiting.append(pool.submit(_check, span))
                if len(waiting) >= _AHEAD * self.count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


class _Here:
    """What a process verifies with."""

    rows: Rows
    checker: Checker


def _begin(opens: Opener, checker: Checker) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this one ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    database, openings = opens()
    _Here.rows = Rows(database.read)
    _Here.checker = replace(checker, openings=openings)


def _check(span: tuple[int, int]) -> Checked:
    (checked,) = one_by_one(_Here.checker, _Here.rows, iter((span,)))
    return checked


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
    os._exit(1)
