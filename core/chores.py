"""Chores: work that a running process does again and again, each at its own interval."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core import diary, log, metrics
from core.clock import Clock
from core.diary import Kind
from core.threads import name_thread

_TICK_SECONDS = 1.0
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done at the start and then every so often; a fault in it ends this time."""

    every: timedelta
    work: Callable[[], None]


class Keeper:
    """A thread that does chores one after another; what takes long gets a keeper of its own."""

    def __init__(self, name: str, chores: Sequence[Chore], clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._due = {chore: clock.now() for chore in chores}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, a tick from now."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the chore that is under way."""
        self._thread.join(seconds)

    def _run(self) -> None:
        name_thread(self._name)
        while not self._stop.wait(_TICK_SECONDS):
            for chore, due_at in self._due.items():
                if self._clock.now() >= due_at and not self._stop.is_set():
                    self._due[chore] = self._clock.now() + chore.every
                    self._do(chore)

    def _do(self, chore: Chore) -> None:
        name, failed = f"{self._name}/{getattr(chore.work, '__name__', '')}", ""
        try:
            chore.work()
        except Exception as error:  # noqa: BLE001 (one chore's fault must not stop the others)
            failed = type(error).__name__
            _log.error("housekeeping.failed", **log.failure(error))
            metrics.ALARMS.labels("housekeeping-failed").inc()
        diary.OURS.note(Kind.CHORE, name, self._clock.now(), failed)


class LastKeeper(Keeper):
    """A keeper that goes on while the others end, and does its chores once more after them."""

    def stop(self) -> None:
        """Go on: what the others still bring about is to be looked after too."""

    def join(self, seconds: float) -> None:
        """Have the chores done once more, and wait for that."""
        super().stop()
        super().join(seconds)

    def _run(self) -> None:
        super()._run()
        for chore in self._due:
            self._do(chore)
