"""How long work tells that it goes on: a bar on a terminal, else a plain line now and then."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from core.clock import Clock

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

EVERY_SECONDS = 10.0
_PROGRAM_EVERY_SECONDS = 1.0


class Progress:
    """Tells on standard error how much of some work is done, and how fast.

    Units: `total` and `done` are parts of the work, `count` is what people count it in. A program
    that listens is told `done` and `total` alone.
    """

    def __init__(
        self, noun: str, total: int, clock: Clock, *, is_for_program: bool = False
    ) -> None:
        self._is_for_program = is_for_program
        self._noun = noun
        self._total = max(total, 1)
        self._clock = clock
        self._began = self._told = clock.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._is_for_program:
            self._bar = _bar(self._noun)
            self._bar.add_task("", total=self._total, count=0, rate=0)
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def tell(self, done: int, count: int) -> None:
        """Say how far the work is."""
        now = self._clock.monotonic()
        rate = int(count / max(now - self._began, 0.001))
        if self._is_for_program:
            if now - self._told >= _PROGRAM_EVERY_SECONDS:
                self._told = now
                click.echo(f"{done} {self._total}", err=True)
        elif self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, count=count, rate=rate)
        elif now - self._told >= EVERY_SECONDS:
            self._told = now
            seconds = int((now - self._began) * (self._total - done) / max(done, 1))
            share = 100 * done // self._total
            click.echo(
                f"{share} %, {count} {self._noun}, {rate} a second, some {seconds} s left", err=True
            )


def _bar(noun: str) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    return Bar(
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]:,} " + noun),
        TextColumn("{task.fields[rate]:,}/s"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
