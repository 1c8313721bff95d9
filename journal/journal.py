"""The journal as the rest of the service sees it: prepare, append, seal, prove."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import keys
from core.clock import Clock, SystemClock
from core.db import Database, dialect_of, upsert
from core.errors import KeysError
from core.keyring import Keyring
from core.leadership import Leadership
from journal import entries, held, log_keys
from journal.author import Author, key_draft
from journal.entries import Draft, Entry
from journal.errors import Fault, JournalFault, UnsealedError
from journal.held import HeldKeys
from journal.log_keys import LogKeys
from journal.memory import Memory
from journal.note import Verifier
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
        held_keys: HeldKeys,
        known: LogKeys,
        memory_path: Path,
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._author = Author(keyring, held_keys, known.origin, clock)
        first = known.first or Verifier(known.origin, log_keys.public_of(held_keys.own()))
        self._signer = Signer(known, held_keys, Memory(memory_path, str(first).encode()))
        self._sealing = Sealing(self._signer, Writers(), clock, self._follow)
        self._seen = known
        self._inline = database.dialect == "sqlite"
        self._quorum = None
        if policy is not None and policy.quorum is not None:
            self._quorum = Quorum(policy, known.origin)
        self._obstacles = Obstacles(self.oldest_unsealed, self._quorum, clock.monotonic)
        self.origin = known.origin
        self.policy = policy
        self.held = held_keys

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
        """Open the journal.

        The first opening makes the log and names it *origin*; later ones keep that name.
        Raises: JournalFault if the database's tree is not what this signer signed; KeysError.
        """
        keys.load(keys_dir)  # whatever is wrong with any of them is said at once
        known = database.read(_known) or database.write(lambda session: _found(session, origin))
        memory_path, clock = state_dir / MEMORY_FILE, clock or SystemClock()
        journal = cls(database, keyring, HeldKeys(keys_dir), known, memory_path, clock, policy)
        journal._follow()
        if not journal._signer.known.signing:
            database.write(lambda session: journal.change(session, journal._first))
            journal._follow()
        if not database.read(journal.holds_newest_key):
            raise KeysError([held.MISSING])
        return journal

    def prepare(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Turn drafts into entries, outside any transaction.

        The first that a process prepares are preceded by the entry that announces its key.
        Raises: DraftError if one cannot be committed to; JournalFault; UnavailableError.
        """
        if drafts and not self._author.is_settled:
            self._author.announce(self._database, lambda session: self.write(session, []))
        made = self._author.prepare(drafts)
        if not self._inline:
            self._sealing.expect([entry.leaf_hash for entry in made])
        return made

    def write(self, session: Session, drafts: Sequence[Draft]) -> list[Entry]:
        """Prepare and store what only the caller's transaction knows, the last drafted last.

        Raises: as `prepare` and `append` do.
        """
        made = self._author.introduce(session, drafts, self.log_keys(session))
        if not self._inline:
            self._sealing.expect([entry.leaf_hash for entry in made])
        self.append(session, made)
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

    def change(self, session: Session, drafts_of: Callable[[LogKeys], Sequence[Draft]]) -> LogKeys:
        """Append entries that change the log's keys, and seal them in this very transaction.

        *drafts_of* makes them of what holds until then; what holds after them is returned.
        Raises: JournalFault if the database's tree is not what this signer signed, or the machine
        lacks the newest key.
        """
        stored = StoredTree(session)
        head = stored.claim_in_turn()
        if not self._inline:
            head = self._sealing.seal_all(session, head)
        found = self._signer.keys_at(head, stored)
        drafts = drafts_of(found)
        if not drafts:
            return found
        made = self._author.introduce(session, drafts, found)
        entries.store(session, made)
        leaves = [(seq, entry.leaf) for seq, entry in enumerate(made, start=head.size)]
        changed = found.after(leaves, head.size + len(made))
        self._sealing.seal(session, head, [(e.id, e.leaf_hash) for e in made], changed)
        return changed

    def log_keys(self, session: Session) -> LogKeys:
        """Return the log's name and keys, as the database has them."""
        stored = StoredTree(session)
        self._seen = stored.log_keys(self._seen, stored.head().size)
        return self._seen

    def holds_newest_key(self, session: Session) -> bool:
        """Tell whether this machine may sign."""
        return self.held.seed(self.log_keys(session).newest.public) is not None

    @property
    def verifier_key(self) -> str:
        """The written form of the log's newest key, as far as this process has seen."""
        return self.verifier_keys[-1]

    @property
    def verifier_keys(self) -> tuple[str, ...]:
        """The written forms of the log's keys in force, the newest last."""
        found = max(self._seen, self._signer.known, key=lambda known: known.size)
        return tuple(str(key) for key in found.verifiers)

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

    def _first(self, found: LogKeys) -> list[Draft]:
        """Announce the first key of the log, unless another process was faster."""
        public = log_keys.public_of(self.held.own())
        return [] if found.signing else [key_draft("log", public, log_keys.announce_first(public))]


def _known(session: Session) -> LogKeys | None:
    return StoredTree(session).all_log_keys()


def _found(session: Session, origin: str) -> LogKeys:
    """Make the log unless another process was faster, and return its name and keys."""
    statement = upsert(dialect_of(session), TREE_STATE).on_conflict_do_nothing()
    session.execute(statement, {"id": 1, "origin": origin, "size": EMPTY.size, "root": EMPTY.root})
    return _known(session) or LogKeys(origin)
