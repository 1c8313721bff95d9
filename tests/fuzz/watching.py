"""Counts the lines of the service that an input has run, and notes which came after which.

So that no input takes more work than its size allows is said by counting and not by a clock; and
whatever runs lines in a new order is worth being changed further.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from tests.e2e.harness import ROOT

_OURS = tuple(f"{ROOT / package}/" for package in ("core", "records", "journal", "sms"))
Arc = tuple[str, int, int]
_is_ours: dict[str, bool] = {}


class Watcher:
    """What one input has run so far."""

    def __init__(self) -> None:
        self.lines = 0
        self.arcs: set[Arc] = set()
        self._last = 0

    def run(self, check: Callable[[bytes], None], octets: bytes) -> None:
        """Check one input, watched."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            check(octets)
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:  # noqa: ANN401 (as sys.settrace has it)
        name = frame.f_code.co_filename
        if name not in _is_ours:
            _is_ours[name] = name.startswith(_OURS)
        return self._step if _is_ours[name] else None

    def _step(self, frame: FrameType, event: str, _argument: Any) -> Any:  # noqa: ANN401 (as sys.settrace has it)
        if event == "line":
            self.lines += 1
            self.arcs.add((frame.f_code.co_filename, self._last, frame.f_lineno))
            self._last = frame.f_lineno
        return self._step
