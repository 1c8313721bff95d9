"""The journal as the rest of the service sees it: prepare, append, seal, prove."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import keys
from core.clock import Clock, SystemClock
from core.db import Database, dialect_of, upsert
from core.keyring import Keyring
from core.leadership import Leadership
from journal import entries, writers
from journal.entries import Draft, Entry, Kind, Retention
from journal.errors import Fault, JournalFault, UnsealedError
from journal.leaf import Announcement, Writer
from journal.obstacle import Obstacle, Obstacles
from journal.policy import Policy
from journal.quorum import Quorum, Witnessed
from journal.sealer import Sealer, Sealing
from journal.signer import Signer
from journal.stored import StoredTree
from journal.tables import JOURNAL_CHECKPOINT, JOURNAL_LEAF, TREE_STATE
from journal.tree import EMPTY
from journal.writers import Writers

MEMORY_FILE = "signer-memory"


@dataclass(frozen=True, slots=True)
class Head:
    """The newest tree head and the note it is signed by; the note of an empty tree is empty."""

    size: int
    root: bytes
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The proof that an entry is in the tree under a checkpoint."""

    index: int
    size: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    root: bytes
    checkpoint: str


class Journal:
    """The exchange journal of one deployment."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        material: keys.Keys,
        memory_path: Path,
        origin: str,
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._log_seed = material.log
        self._writer = Writer(material.writer, origin)
        self._signer = Signer(origin, material.log, memory_path)
        self._writers = Writers(origin, self._signer.verifier.public)
        self._sealing = Sealing(self._signer, self._writers, clock, self._follow)
        self._inline = database.dialect == "sqlite"
        self._quorum = None
        if policy is not None and policy.quorum is not None:
            self._quorum = Quorum(policy, origin)
        self._obstacles = Obstacles(self.oldest_unsealed, self._quorum, clock.monotonic)
        self.origin = origin
        self.policy = policy
        self.verifier_key = str(self._signer.verifier)

    @classmethod
    def open(
        cls,
        database: Database,
        keyring: Keyring,
        keys_dir: Path,
        state_dir: Path,
        origin: str,
        clock: Clock | None = None,
        policy: Policy | None = None,
    ) -> "Journal":
        """Open the journal, announcing this process's key if it is new.

        The first opening makes the log and names it *origin*; later ones keep that name.
        Raises: JournalFault if the database's tree is not what this signer signed; KeysError.
        """
        material = keys.load(keys_dir)
        name = database.write(lambda session: _found(session, origin))
        memory_path = state_dir / MEMORY_FILE
        clock = clock or SystemClock()
        journal = cls(database, keyring, material, memory_path, name, clock, policy)
        journal._follow()
        journal._announce()
        return journal

    def prepare(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Turn drafts into entries, outside any transaction.

        Raises: DraftError if one cannot be committed to.
        """
        made = entries.prepare(drafts, self._writer, self._keyring, self._clock.now())
        if not self._inline:
            self._sealing.expect([entry.leaf_hash for entry in made])
        return made

    def append(self, session: Session, made: Sequence[Entry]) -> None:
        """Store entries in the caller's transaction; on SQLite they are sealed in it too.

        Raises: JournalFault if the database's tree is not what this signer signed.
        """
        if not made:
            return
        entries.store(session, made)
        if self._inline:
            head = StoredTree(session).head()
            self._sealing.seal(session, head, [(entry.id, entry.leaf_hash) for entry in made])
        else:
            entries.await_sealing(session, made)

    def seal_once(self) -> int:
        """Do one round of the sealer on PostgreSQL and return how many entries it sealed.

        Raises: JournalFault on anything that is not as it must be.
        """
        return self._database.write(self._sealing.seal_waiting)

    def sealer(self) -> Sealer:
        """Return what runs these rounds in a thread, in whichever process leads."""
        return Sealer(self.seal_once, Leadership(self._database.url, "sealing"))

    def oldest_unsealed(self, session: Session) -> datetime | None:
        """Return when the oldest entry that waits for sealing was made; None if none waits."""
        return None if self._inline else entries.oldest_waiting(session)

    def obstacle(self, session: Session, now: datetime) -> Obstacle | None:
        """Say why nothing may be disclosed now; None if it may."""
        return self._obstacles.reason(session, now)

    def witnessed(self, session: Session) -> Witnessed | None:
        """Return the newest checkpoint that a quorum stands behind; None if none is demanded."""
        return None if self._quorum is None else self._quorum.last(session, self._clock.now())

    def head(self, session: Session) -> Head:
        """Return the newest tree head and its checkpoint.

        Raises: JournalFault if there is no checkpoint for it.
        """
        found, stored = StoredTree(session).newest()
        if stored.note is None and found != EMPTY:
            raise JournalFault(
                Fault.CHECKPOINT_INVALID,
                "the newest tree head has no checkpoint: run `journal verify`",
            )
        return Head(found.size, found.root, stored.note or "")

    def signed_at(self, session: Session, size: int) -> datetime | None:
        """Return when the checkpoint of *size* was signed, by the clock of who signed it."""
        wanted = sa.select(JOURNAL_CHECKPOINT.c.signed_at).where(JOURNAL_CHECKPOINT.c.size == size)
        return session.execute(wanted).scalar()

    def index_of(self, session: Session, entry_id: UUID) -> int | None:
        """Return the place of an entry in the tree; None if it is not sealed."""
        wanted = sa.select(JOURNAL_LEAF.c.seq).where(JOURNAL_LEAF.c.entry_id == entry_id)
        return session.execute(wanted).scalar()

    def indexes_of(self, session: Session, entry_ids: Collection[UUID]) -> dict[UUID, int]:
        """Return the places of those entries that are sealed."""
        wanted = sa.select(JOURNAL_LEAF.c.entry_id, JOURNAL_LEAF.c.seq)
        rows = session.execute(wanted.where(JOURNAL_LEAF.c.entry_id.in_(entry_ids)))
        return {row.entry_id: row.seq for row in rows}

    def inclusion(self, session: Session, entry_id: UUID) -> Inclusion:
        """Prove that an entry is in the tree.

        Raises: UnsealedError if it is not.
        """
        wanted = sa.select(JOURNAL_LEAF).where(JOURNAL_LEAF.c.entry_id == entry_id)
        leaf = session.execute(wanted).one_or_none()
        if leaf is None:
            raise UnsealedError
        head = self.head(session)
        path = StoredTree(session).inclusion(leaf.seq, head.size)
        return Inclusion(leaf.seq, head.size, leaf.leaf_hash, path, head.root, head.checkpoint)

    def keep_memory(self) -> None:
        """Bring the signer's memory up to the database and have it outlive a power failure.

        Raises: JournalFault if the database's tree does not continue it.
        """
        self._follow()
        self._signer.sync()

    def close(self) -> None:
        """Let go of the signer's memory."""
        self._signer.close()

    def _follow(self) -> None:
        since = self._signer.remembered()

        def follow(session: Session) -> None:
            head, stored = StoredTree(session).newest()
            self._signer.follow(head, stored, since)

        self._database.read(follow)

    def _announce(self) -> None:
        self._database.read(self._writers.load)
        if self._writers.knows(self._writer.public):
            return
        self._database.write(self._append_announcements)
        if not self._inline:
            self.seal_once()
        self._database.read(self._writers.load)

    def _append_announcements(self, session: Session) -> None:
        self._writers.load(session)
        if self._writers.knows(self._writer.public):
            return  # another process of the same key was faster
        verifier = self._signer.verifier
        endorsed = writers.announce_writer(self.origin, self._log_seed, self._writer.public)
        drafts = [_announcement("writer", self._writer.public, endorsed)]
        if StoredTree(session).head() == EMPTY:
            drafts.append(
                _announcement("log", verifier.public, writers.announce_log(verifier.public))
            )
        self.append(session, self.prepare(drafts))


def _found(session: Session, origin: str) -> str:
    """Make the log if there is none, and return its name."""
    statement = upsert(dialect_of(session), TREE_STATE).on_conflict_do_nothing()
    session.execute(statement, {"id": 1, "origin": origin, "size": EMPTY.size, "root": EMPTY.root})
    name: str = session.execute(sa.select(TREE_STATE.c.origin)).scalar_one()
    return name


def _announcement(role: str, public: bytes, announcement: Announcement) -> Draft:
    return Draft(
        kind=Kind.KEY,
        retention=Retention.ACT,
        actor="system",
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"role": role, "key": hashlib.sha256(public).hexdigest()},
        announcement=announcement,
    )
