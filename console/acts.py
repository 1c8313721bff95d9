"""Acts: what an officer does or sees, in the journal before it is done or shown."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from console.access.officers import Officer
from core.clock import Clock
from core.db import Database
from core.keyring import Keyring, row_id
from journal.entries import Draft, Entry, Kind, Retention
from journal.errors import UnsealedError
from journal.journal import Journal
from journal.leaf import PayloadValue

T = TypeVar("T")

# What is not in the tree by then is not shown.
_SEALED_WITHIN = timedelta(seconds=5)
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What an officer does or sees.

    Shape: *subject* is the 12 digits of whose record it is about; *said* names, and holds no values
    of anybody's record.
    """

    name: str
    said: Mapping[str, PayloadValue] = field(default_factory=dict)
    subject: str | None = None
    kind: Kind = Kind.ADMIN


class Acts:
    """Writes what officers do; nothing is shown or done that could not be written."""

    def __init__(
        self, database: Database, journal: Journal, keyring: Keyring, clock: Clock
    ) -> None:
        self._database = database
        self._journal = journal
        self._keyring = keyring
        self._clock = clock

    def perform(self, officer: Officer, act: Act, work: Callable[[Session], T]) -> tuple[T, Entry]:
        """Do *work* together with the entry that tells of it, and return once that is sealed.

        Raises: JournalError, UnavailableError; what *work* raises leaves no entry.
        """
        return self.enter(officer, act, lambda session, _entry: work(session))

    def enter(
        self, officer: Officer, act: Act, work: Callable[[Session, Entry], T]
    ) -> tuple[T, Entry]:
        """Do as `perform` does what needs to know its own entry."""
        (entry,) = self._journal.prepare([self._draft(officer, act)])

        def together(session: Session) -> T:
            done = work(session, entry)
            self._journal.append(session, [entry])
            return done

        done = self._database.write(together)
        self._await_seal(entry.id)
        return done, entry

    def perform_told(self, officer: Officer, work: Callable[[Session], tuple[T, Act | None]]) -> T:
        """Do as `perform` does what tells by itself what it did; None where that is nothing.

        Raises: as `perform` does.
        """

        def together(session: Session) -> tuple[T, list[Entry]]:
            done, act = work(session)
            drafts = [] if act is None else [self._draft(officer, act)]
            return done, self._journal.write(session, drafts) if drafts else []

        done, written = self._database.write(together)
        if written:
            self._await_seal(written[-1].id)
        return done

    def record(self, officer: Officer, act: Act) -> Entry:
        """Write an act that changes nothing, and return once its entry is sealed.

        Raises: JournalError, UnavailableError.
        """
        _, entry = self.perform(officer, act, lambda _session: None)
        return entry

    def _draft(self, officer: Officer, act: Act) -> Draft:
        subject = act.subject
        index = None if subject is None else row_id(self._keyring.index("personal_id", subject))
        return Draft(
            kind=act.kind,
            retention=Retention.ACT,
            actor=officer.actor,
            actor_index=None,
            subject=None if subject is None else f"person:{subject}",
            subject_index=index,
            payload={"act": act.name, **act.said},
        )

    def _await_seal(self, entry_id: UUID) -> None:
        until = self._clock.monotonic() + _SEALED_WITHIN.total_seconds()
        pause = threading.Event()
        while self._database.read(lambda s: self._journal.index_of(s, entry_id)) is None:
            if self._clock.monotonic() >= until:
                raise UnsealedError
            pause.wait(_LOOK_SECONDS)
