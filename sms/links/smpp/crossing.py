"""Carries work into the thread of an event loop, with one waking for all that came meanwhile.

asyncio wakes a loop anew for every call from another thread: a write to a socket, which gives the
interpreter's lock away and, in a busy process, has it back up to five milliseconds later.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Crossing:
    """The way into one loop, from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[Callable[[], object]] = deque()
        self._is_called = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def post(self, work: Callable[[], object]) -> None:
        """Have this done there soon, after what was posted before.

        Raises: RuntimeError if the loop has ended.
        """
        self._waiting.append(work)
        if self._is_called:
            return
        self._is_called = True
        try:
            self.loop.call_soon_threadsafe(self._take_over)
        except RuntimeError:
            self._is_called = False
            raise

    def fetch(
        self, work: Callable[[], Coroutine[Any, Any, T]], home: "Crossing"
    ) -> "asyncio.Future[T]":
        """Have this done there, and its outcome brought *home*, into the loop that runs now.

        Raises: RuntimeError if the loop has ended.
        """
        outcome: asyncio.Future[T] = home.loop.create_future()

        def ended(task: "asyncio.Task[T]") -> None:
            self._tasks.discard(task)
            with suppress(RuntimeError):  # nobody waits for it any more
                home.post(lambda: _tell(task, outcome))

        def begin() -> None:
            task = self.loop.create_task(work())
            self._tasks.add(task)
            task.add_done_callback(ended)

        self.post(begin)
        return outcome

    def _take_over(self) -> None:
        # First: whoever posts from here on calls again.
        self._is_called = False
        while self._waiting:
            # Each by itself: what breaks one must not keep the others from being done.
            self.loop.call_soon(self._waiting.popleft())


def _tell(task: "asyncio.Task[T]", outcome: "asyncio.Future[T]") -> None:
    if outcome.cancelled():
        return
    if task.cancelled():
        outcome.cancel()
    elif (error := task.exception()) is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(task.result())
