"""Waiting for another process: by looking again until a deadline, never for a fixed time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0  # seconds; a machine that does other things too is slow, not wrong
_LOOK_AGAIN = 0.05


class NeverError(AssertionError):
    """What was waited for did not come."""


def until(look: Callable[[], T], what: str, *, within: float = PATIENCE) -> T:
    """Call *look* until it returns something true, and return that.

    Raises: NeverError after *within* seconds.
    """
    gives_up_at = time.monotonic() + within
    while True:
        if found := look():
            return found
        if time.monotonic() > gives_up_at:
            raise NeverError(f"not within {within:g} s: {what}")
        time.sleep(_LOOK_AGAIN)


def until_past(instant: datetime) -> None:
    """Wait until the clock has passed *instant*."""
    left = (instant - datetime.now(UTC)).total_seconds()
    until(lambda: datetime.now(UTC) > instant, f"{instant} is past", within=max(left, 0) + PATIENCE)
