"""What this process did lately and which faults it met, for diagnostics.

Names and figures: nothing here is about a person.
"""

import os
import socket
import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_LONGEST = 100


class Kind(StrEnum):
    """What a note is about."""

    CHORE = "chore"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Note:
    """A chore that ran or a fault that was logged: how often, when last, and what was wrong."""

    kind: Kind
    name: str
    at: datetime
    count: int = 1
    detail: str = ""


class Diary:
    """The notes of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: dict[tuple[Kind, str], Note] = {}

    def note(self, kind: Kind, name: str, at: datetime, detail: str = "") -> None:
        """Note that something was done, or went wrong, once more."""
        key = kind, name[:_LONGEST]
        with self._lock:
            before = self._notes.get(key)
            count = 1 if before is None else before.count + 1
            self._notes[key] = Note(kind, key[1], at, count, detail[:_LONGEST])

    def notes(self) -> list[Note]:
        """Return them, in the order of their names."""
        with self._lock:
            return sorted(self._notes.values(), key=lambda note: (note.kind, note.name))


# A process has one, as it has one log.
OURS = Diary()


def process() -> str:
    """Name this process among all of the deployment."""
    return f"{socket.gethostname()}:{os.getpid()}"[:_LONGEST]
