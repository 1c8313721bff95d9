"""Wakes the next stage as soon as there is work; what the bell does not reach, polling finds."""

import socket
import threading
from contextlib import suppress
from os import getpid
from pathlib import Path
from typing import Protocol

from core.clock import Clock

_BELLS = "bell-*"
_LOOK_AGAIN_SECONDS = 1.0
_MOST_BYTES = 16
_BUSY_SECONDS = 0.05
_QUIET_SECONDS = 0.25
_QUIET_AFTER_SECONDS = 2.0


class Bell(Protocol):
    """What is rung by whoever made work."""

    def ring(self) -> None:
        """Tell the waiting stage that there is work."""
        ...


class Signal:
    """A bell within one process."""

    def __init__(self) -> None:
        self._bell = threading.Event()

    def ring(self) -> None:
        """Tell the waiting stage that there is work."""
        self._bell.set()

    def wait(self, seconds: float) -> None:
        """Wait until rung, at most so long, and be ready to be rung again."""
        self._bell.wait(seconds)
        self._bell.clear()


class Pace:
    """How long a stage waits between looks: not long after work, longer when all is quiet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._busy_at = clock.monotonic()

    def worked(self) -> None:
        """Note that there was work just now."""
        self._busy_at = self._clock.monotonic()

    def seconds(self) -> float:
        """Return how long to wait for the bell before looking without it."""
        is_quiet = self._clock.monotonic() - self._busy_at > _QUIET_AFTER_SECONDS
        return _QUIET_SECONDS if is_quiet else _BUSY_SECONDS


class NeighbourBell:
    """Rings the worker processes of this machine that share a state folder.

    A datagram may be lost, or the folder's name be too long for a socket: then they poll.
    """

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)
        self._looked_at: float | None = None
        self._neighbours: list[str] = []

    def ring(self) -> None:
        """Tell every worker beside this process that there is work."""
        now = self._clock.monotonic()
        if self._looked_at is None or now - self._looked_at >= _LOOK_AGAIN_SECONDS:
            self._looked_at = now
            self._neighbours = [str(path) for path in self._state_dir.glob(_BELLS)]
        for neighbour in self._neighbours:
            with suppress(OSError):
                self._socket.sendto(b"!", neighbour)


def hear(state_dir: Path, signal: Signal) -> None:
    """Let processes that share *state_dir* ring *signal* for as long as this one lives."""
    path = state_dir / _BELLS.replace("*", str(getpid()))
    for old in state_dir.glob(_BELLS):
        if not Path(f"/proc/{old.name.rpartition('-')[2]}").exists():
            old.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        listening.bind(str(path))
    except OSError:
        listening.close()
        return

    def listen() -> None:
        while listening.recv(_MOST_BYTES):
            signal.ring()

    threading.Thread(target=listen, name="hear", daemon=True).start()
