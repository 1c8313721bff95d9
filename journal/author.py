"""The process that writes: its key, drawn for it and kept nowhere, and the entry that announces it.

Whoever takes the key files cannot write as a process that ran, and what one process wrote is told
from what any other did. ADR 0018.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import keys
from core.clock import Clock
from core.db import Database, after_commit
from core.errors import UnavailableError
from core.keyring import Keyring
from journal import entries, held, log_keys
from journal.entries import Draft, Entry, Kind, Retention
from journal.held import HeldKeys
from journal.leaf import Announcement, PayloadValue, Writer
from journal.log_keys import LogKeys
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF

_SEALED = sa.select(JOURNAL_LEAF.c.seq).where(JOURNAL_LEAF.c.entry_id == sa.bindparam("entry"))
_STORED = sa.select(JOURNAL_ENTRY.c.id).where(JOURNAL_ENTRY.c.id == sa.bindparam("entry"))


class Author:
    """Turns drafts into entries signed by this process."""

    def __init__(self, keyring: Keyring, held_keys: HeldKeys, origin: str, clock: Clock) -> None:
        self._keyring = keyring
        self._held = held_keys
        self._clock = clock
        self._writer = Writer(secrets.token_bytes(keys.KEY_BYTES), origin)
        self._mutex = threading.Lock()
        self._announced_by: UUID | None = None
        self._is_settled = False

    @property
    def is_announced(self) -> bool:
        """Whether the entry that announces this process is committed."""
        return self._announced_by is not None

    @property
    def is_settled(self) -> bool:
        """Whether that entry was seen in the tree: a database without it gets no signature."""
        return self._is_settled

    def see_announced(self, entry_id: UUID) -> None:
        """Note that the entry that announces this process is committed."""
        self._announced_by = entry_id

    def look(self, session: Session) -> None:
        """See that the entry is there still: a failover may lose what was only just committed."""
        entry_id = self._announced_by
        if entry_id is None or self._is_settled:
            return
        if session.execute(_SEALED, {"entry": entry_id}).scalar() is not None:
            self._is_settled = True
        elif session.execute(_STORED, {"entry": entry_id}).scalar() is None:
            self._announced_by = None

    def announce(self, database: Database, work: Callable[[Session], object]) -> None:
        """Have *work* announce this process, unless that was done and stands."""
        if self.is_announced:
            database.read(self.look)
        with self._mutex:
            if not self.is_announced:
                database.write(work)

    def prepare(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Turn drafts into entries.

        Raises: DraftError if one cannot be committed to.
        """
        return entries.prepare(drafts, self._writer, self._keyring, self._clock.now())

    def introduce(self, session: Session, drafts: Sequence[Draft], found: LogKeys) -> list[Entry]:
        """Turn drafts into entries of this transaction, after the one that announces the process.

        Raises: DraftError if one cannot be committed to; UnavailableError if this machine lacks
        the newest of the log's keys: others have it, and this work is theirs.
        """
        self.look(session)
        if self.is_announced:
            return self.prepare(drafts)
        made = self.prepare([self._announcement(found), *drafts])
        after_commit(session, lambda: self.see_announced(made[0].id))
        return made

    def _announcement(self, found: LogKeys) -> Draft:
        seed = self._held.seed(found.newest.public) if found.signing else self._held.own()
        if seed is None:
            raise UnavailableError(held.MISSING)
        announced = log_keys.announce_writer(found.origin, seed, self._writer.public)
        return key_draft("writer", self._writer.public, announced)


def key_draft(
    role: str,
    public: bytes,
    announcement: Announcement,
    *,
    by: str = "system",
    **said: PayloadValue,
) -> Draft:
    """Draft the entry that announces a key."""
    return Draft(
        kind=Kind.KEY,
        retention=Retention.ACT,
        actor=by,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"role": role, "key": hashlib.sha256(public).hexdigest(), **said},
        announcement=announcement,
    )
