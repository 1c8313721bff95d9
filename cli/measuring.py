"""What the benchmarks share on the command line: lists of numbers, and an end in any case."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

import click

from cli.exits import INTERRUPTED, UNAVAILABLE, UsageFault

T = TypeVar("T")


class Numbers(click.ParamType[tuple[int, ...]]):
    """A list of whole numbers, as 1,16,64."""

    name = "numbers"

    def __init__(self, fewest: int, most: int) -> None:
        self._fewest, self._most = fewest, most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read the list."""
        words = str(value).split(",")
        if not all(word.isdecimal() and self._fewest <= int(word) <= self._most for word in words):
            said = f"give numbers from {self._fewest} to {self._most}, parted by commas"
            self.fail(said, param, ctx)
        return tuple(int(word) for word in words)


def measured(measure: Callable[[Callable[[str], None]], T]) -> T:
    """Run a benchmark that tells how far it is; whatever ends it, what it started ends too."""
    from benchmark.errors import BenchmarkError

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return measure(lambda words: click.echo(words, err=True))
    except BenchmarkError as error:
        raise UsageFault(str(error), UNAVAILABLE) from error
    except KeyboardInterrupt:
        click.echo("benchmark: interrupted; what it started has ended", err=True)
        sys.exit(INTERRUPTED)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
