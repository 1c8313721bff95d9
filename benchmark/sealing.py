"""Clients that append to the journal, each waiting until its entry is sealed.

They append as HANDLE does: what waits is prepared as one batch and stored in one commit.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from uuid import UUID

from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring, row_id
from core.together import Together, Turn
from journal.entries import Draft, Kind, Retention
from journal.errors import JournalFault
from journal.journal import Journal

_LOOK_SECONDS = 0.002
_PATIENCE_SECONDS = 30.0


def drafts(keyring: Keyring, count: int) -> list[Draft]:
    """Make the drafts of lookups by *count* made-up citizens."""
    made = []
    for number in range(count):
        person, phone = f"{number:012d}", f"+8490{number:07d}"
        made.append(
            Draft(
                kind=Kind.LOOKUP,
                retention=Retention.LOOKUP,
                actor=f"phone:{phone}",
                actor_index=row_id(keyring.index("phone", phone)),
                subject=f"person:{person}",
                subject_index=row_id(keyring.index("personal_id", person)),
                payload={
                    "command": "DC", "group": "default", "fields": ("name", "sex", "birth_year"),
                    "link": "bench", "outcome": "told", "segments": 1,
                },
            )
        )  # fmt: skip
    return made


class _Batch:
    """Entries that were stored together, and whether all of them are sealed."""

    def __init__(self, last: UUID) -> None:
        self.last = last
        self.sealed = threading.Event()


class _Asking(Turn):
    """One client's entry, and the batch it came into."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft
        self.batch: _Batch


class Sealing:
    """Appends for whoever waits, and tells each when its entry is sealed."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal
        self._together: Together[_Asking] = Together(self._append, broken_off=_broken_off)
        self._waiting: deque[_Batch] = deque()
        self._stop = threading.Event()
        self._sealed = threading.Event()
        self._sealer = None if database.dialect == "sqlite" else journal.sealer()

    @contextmanager
    def running(self) -> Iterator["Sealing"]:
        """Run the sealer for as long as this lasts, where it is a thread of its own."""
        if self._sealer is None:
            yield self
            return
        threads = [threading.Thread(target=self._seal), threading.Thread(target=self._watch)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._sealer.wake()
            self._sealed.set()
            for thread in threads:
                thread.join()

    def append(self, draft: Draft) -> None:
        """Append an entry and return once it is sealed.

        Raises: UnavailableError if that takes too long.
        """
        asking = _Asking(draft)
        self._together.do(asking)
        if not asking.batch.sealed.wait(_PATIENCE_SECONDS):
            raise UnavailableError("an entry was not sealed in time")

    def _append(self, asking: list[_Asking]) -> None:
        made = self._journal.prepare([each.draft for each in asking])
        self._database.write(lambda session: self._journal.append(session, made))
        batch = _Batch(made[-1].id)
        for each in asking:
            each.batch = batch
        if self._sealer is None:
            batch.sealed.set()
        else:
            self._waiting.append(batch)
            self._sealer.wake()
        for each in asking:
            each.finish()

    def _seal(self) -> None:
        if self._sealer is not None:
            self._sealer.run(
                self._stop, on_sealed=lambda _count: self._sealed.set(), on_fault=_raise
            )

    def _watch(self) -> None:
        """Look for the batches that are sealed; one is when its last entry is."""
        while not self._stop.is_set():
            # Another process's sealer rings no bell here.
            self._sealed.wait(_LOOK_SECONDS if self._waiting else None)
            self._sealed.clear()
            while self._waiting and self._is_sealed(self._waiting[0].last):
                self._waiting.popleft().sealed.set()

    def _is_sealed(self, entry_id: UUID) -> bool:
        place = self._database.read(lambda s: self._journal.index_of(s, entry_id))
        return place is not None


def load(sealing: Sealing, made: Sequence[Draft], clients: int, seconds: float) -> list[float]:
    """Have *clients* append again and again for so long; return how long each entry took.

    Units: seconds.
    """
    until = time.monotonic() + seconds
    times: list[list[float]] = [[] for _ in range(clients)]

    def client(number: int) -> None:
        for draft in cycle(made[number::clients]):
            began = time.monotonic()
            if began >= until:
                return
            sealing.append(draft)
            times[number].append(time.monotonic() - began)

    _together([lambda number=number: client(number) for number in range(clients)])  # type: ignore[misc]  # the default binds the loop's number
    return [each for mine in times for each in mine]


def _together(works: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _raise(fault: JournalFault) -> None:
    raise fault


def _broken_off() -> UnavailableError:
    return UnavailableError("the batch was broken off")
