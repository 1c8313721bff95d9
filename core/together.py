"""Whoever comes first works for all who wait: one leader at a time, the rest follow.

What arrives while a leader is at work waits, and is the next leader's; so the busier it is, the
more is done at once, and nobody is overtaken.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

WITHIN = "asked from within the work: do it before, or as part of the same work"


class Turn:
    """One thing to be done, and the thread that waits for it."""

    def __init__(self) -> None:
        self.done = False
        self.error: BaseException | None = None
        self._gate = threading.Lock()
        self._gate.acquire()

    def finish(self, error: BaseException | None = None) -> None:
        """Note that it is done, or what went wrong."""
        self.error = error or self.error
        self.done = True

    def wait(self) -> None:
        """Wait until it is done, or until this thread is to lead."""
        self._gate.acquire()

    def wake(self) -> None:
        """Let the thread that waits go on."""
        self._gate.release()


T = TypeVar("T", bound=Turn)


class Together(Generic[T]):
    """Gathers turns and has the thread of the first work for all of them.

    *work* finishes every turn it is given; a turn it leaves unfinished gets *broken_off*'s error.
    """

    def __init__(
        self, work: Callable[[list[T]], None], *, broken_off: Callable[[], BaseException]
    ) -> None:
        self._work = work
        self._broken_off = broken_off
        self._mutex = threading.Lock()
        self._waiting: list[T] = []
        self._busy = False
        self._leader: int | None = None

    def do(self, turn: T) -> None:
        """Return once *turn* is done, by this thread or another.

        Raises: what went wrong with it; RuntimeError if asked for from within the work, which
        would wait for itself.
        """
        if self._leader == threading.get_ident():
            raise RuntimeError(WITHIN)
        with self._mutex:
            self._waiting.append(turn)
            leads, self._busy = not self._busy, True
        if not leads:
            turn.wait()
        if not turn.done:
            self._lead()
        if turn.error is not None:
            raise turn.error

    def _lead(self) -> None:
        with self._mutex:
            batch, self._waiting = self._waiting, []
        try:
            self._leader = threading.get_ident()
            self._work(batch)
        finally:
            self._leader = None
            for turn in batch:
                if not turn.done:
                    # An interrupt came down on the leader: nobody else may take it for their turn.
                    turn.finish(self._broken_off())
            with self._mutex:
                successor = self._waiting[0] if self._waiting else None
                self._busy = successor is not None
            if successor is not None:
                successor.wake()
            for turn in batch[1:]:
                turn.wake()
