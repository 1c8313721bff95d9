"""How the service stands, for the head of every page: as it was seen a moment ago."""

import threading
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.errors import CoreError
from journal.errors import JournalError
from journal.journal import Journal
from records import stop_file, stops
from records.stops import Scope

# Shorter than a stop takes to return: whoever has stopped the service sees it stopped.
_FRESH = 1.0


class PillState(StrEnum):
    """How the service stands, in one word."""

    RUNNING = "running"
    PARTLY = "partly"
    UNDISCLOSED = "undisclosed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class Pill:
    """How the service stands, read again when a second old."""

    def __init__(self, database: Database, journal: Journal, state_dir: Path, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._state_dir = state_dir
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[float, PillState] | None = None

    def look(self, *, at_once: bool = False) -> PillState:
        """Say how the service stands; *at_once* for a page that says so itself."""
        now, seen = self._clock.monotonic(), self._seen
        if seen is not None and not at_once and now - seen[0] < _FRESH:
            return seen[1]
        with self._lock:
            state = self._read()
            self._seen = now, state
        return state

    def _read(self) -> PillState:
        try:
            return self._database.read(self._state)
        except (CoreError, JournalError, sa.exc.SQLAlchemyError):
            return PillState.UNKNOWN

    def _state(self, session: Session) -> PillState:
        pairs = stops.in_force(session).pairs
        if (Scope.SERVICE, "") in pairs:
            return PillState.STOPPED
        if (
            (Scope.DISCLOSURE, "") in pairs
            or stop_file.is_there(self._state_dir)
            or self._journal.obstacle(session, self._clock.now()) is not None
        ):
            return PillState.UNDISCLOSED
        return PillState.PARTLY if pairs else PillState.RUNNING
