"""The process that writes: its key, drawn for it and kept nowhere, and the entry that announces it.

Whoever takes the key files cannot write as a process that ran, and what one process wrote is told
from what any other did. ADR 0018.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from core import keys
from core.clock import Clock
from core.db import after_commit
from core.errors import UnavailableError
from core.keyring import Keyring
from journal import entries, held, log_keys
from journal.entries import Draft, Entry, Kind, Retention
from journal.held import HeldKeys
from journal.leaf import Announcement, PayloadValue, Writer
from journal.log_keys import LogKeys


class Author:
    """Turns drafts into entries signed by this process."""

    def __init__(self, keyring: Keyring, held_keys: HeldKeys, origin: str, clock: Clock) -> None:
        self._keyring = keyring
        self._held = held_keys
        self._clock = clock
        self._writer = Writer(secrets.token_bytes(keys.KEY_BYTES), origin)
        self._mutex = threading.Lock()
        self._announced = threading.Event()

    @property
    def is_announced(self) -> bool:
        """Whether the entry that announces this process is committed."""
        return self._announced.is_set()

    def see_announced(self) -> None:
        """Note that the entry that announces this process is committed."""
        self._announced.set()

    def announce(self, commit: Callable[[], object]) -> None:
        """Have *commit* announce this process, unless another thread did meanwhile."""
        with self._mutex:
            if not self.is_announced:
                commit()
                self.see_announced()

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
        if not self.is_announced:
            after_commit(session, self.see_announced)
            drafts = [self._announcement(found), *drafts]
        return self.prepare(drafts)

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
