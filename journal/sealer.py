"""Sealing: committed entries into the tree, the tree under a signed checkpoint.

On SQLite that happens in the transaction that stores the entries. On PostgreSQL one sealer does it
for all writers: who leads is decided by an advisory lock, that there is one tree by the row of the
tree's state and by the signer's memory, so that two sealers would cost speed and nothing else.
"""

import threading
from collections.abc import Callable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import log, metrics
from core.clock import Clock
from core.db import after_commit
from core.errors import UnavailableError
from core.leadership import Leadership
from core.prepared import among, prepared
from journal import tree
from journal.errors import Fault, JournalFault
from journal.log_keys import LogKeys
from journal.signer import Signer
from journal.stored import Edges, StoredTree
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF, JOURNAL_PENDING
from journal.tree import TreeHead
from journal.writers import Writers

_logger = log.get_logger(__name__)

ROUND_SECONDS = 0.02
IDLE_SECONDS = 0.05
_TROUBLE_SECONDS = 1.0
_WITHOUT_KEY_SECONDS = 10.0
MOST_A_ROUND = 2048


class Sealing:
    """Puts entries into the tree within a transaction that the caller commits."""

    def __init__(
        self, signer: Signer, writers: Writers, clock: Clock, follow: Callable[[], None]
    ) -> None:
        self._signer = signer
        self._writers = writers
        self._clock = clock
        self._follow = follow
        self._edges = Edges()
        self._own: dict[bytes, None] = {}
        self._mutex = threading.Lock()

    def seal(
        self,
        session: Session,
        head: TreeHead,
        leaves: Sequence[tuple[UUID, bytes]],
        announced: LogKeys | None = None,
    ) -> TreeHead:
        """Grow the tree from *head* by leaves (entry id and leaf hash) and sign the outcome.

        Where the leaves change the log's keys, *announced* is what holds after them.
        Raises: JournalFault if the database's tree is not the one that was signed before.
        """
        stored = StoredTree(session)
        hashes = [leaf_hash for _, leaf_hash in leaves]
        growth = tree.grow(head.size, self._edges.of(head, stored), hashes)
        grown = TreeHead(growth.size, tree.root(growth.edge))
        signed = self._signer.sign(head, hashes, grown.root, stored, announced)
        stored.grow(head, grown, leaves, growth.tiles, signed.branch.keys.origin)
        stored.publish(head, grown, signed.note, self._clock.now())
        self._edges.keep(grown, growth.edge)
        if session.in_nested_transaction():
            # A savepoint may yet take this back, and then the commit is not of this head.
            after_commit(session, self._remember_what_stands)
        else:
            after_commit(session, lambda: self._signer.remember(signed.branch))
        after_commit(session, lambda: metrics.SEALED.inc(len(leaves)))
        return grown

    def seal_waiting(self, session: Session) -> int:
        """Seal what waits on PostgreSQL; 0 if nothing does, or another sealer is at it.

        Raises: JournalFault if a row that waits is not an entry as an announced writer left it.
        """
        head = StoredTree(session).claim()
        return 0 if head is None else self.seal_round(session, head).size - head.size

    def seal_all(self, session: Session, head: TreeHead) -> TreeHead:
        """Seal all that waits behind *head*, which nobody else may grow; return the new head.

        Raises: JournalFault.
        """
        while (grown := self.seal_round(session, head)) != head:
            head = grown
        return head

    def seal_round(self, session: Session, head: TreeHead) -> TreeHead:
        """Seal some of what waits behind *head*, which nobody else may grow; return the new head.

        Raises: JournalFault if a row that waits is not an entry as an announced writer left it.
        """
        rows = session.execute(_WAITING).all()
        if not rows:
            return head
        stored = StoredTree(session)
        leaves = [(row.entry_id, self._checked(row, head, stored)) for row in rows]
        grown = self.seal(session, head, leaves)
        ids = [entry_id for entry_id, _ in leaves]
        session.execute(_WAIT_NO_MORE, {"ids": ids})
        return grown

    def expect(self, leaf_hashes: Sequence[bytes]) -> None:
        """Note leaves that this process signed itself: their signatures need no check."""
        with self._mutex:
            self._own.update(dict.fromkeys(leaf_hashes))
            while len(self._own) > 4 * MOST_A_ROUND:
                del self._own[next(iter(self._own))]

    def _remember_what_stands(self) -> None:
        try:
            self._follow()
        except (JournalFault, UnavailableError) as error:
            # The commit stands all the same; what is wrong shows at the next signing.
            _logger.warning("journal.memory_behind", **log.failure(error))

    def _checked(
        self, row: sa.Row[UUID, bytes, bytes, str, int], head: TreeHead, stored: StoredTree
    ) -> bytes:
        """Return the hash of a waiting entry's leaf, computed from its bytes."""
        if row.seq is not None:
            raise JournalFault(
                Fault.ENTRY_REPLAYED,
                f"entry {row.entry_id} is sealed and waits again: somebody wrote to "
                "journal_pending; delete that row and run `journal verify`",
            )
        leaf_hash = tree.leaf_hash(row.leaf or b"")
        # What announces a writer is read in any case: it makes the writer known.
        if leaf_hash == row.leaf_hash and leaf_hash in self._own and row.kind != "key":
            return leaf_hash
        log_keys = self._signer.keys_at(head, stored)
        read = self._writers.read(row.leaf or b"", stored, log_keys)
        if (
            read is None
            or (read.id, read.kind) != (str(row.entry_id), row.kind)
            or leaf_hash != row.leaf_hash
        ):
            raise JournalFault(
                Fault.ENTRY_FORGED,
                f"entry {row.entry_id} waits to be sealed and is not as any announced writer "
                "left it: delete it from journal_pending and find out who wrote it",
            )
        return leaf_hash


class Sealer:
    """The thread that seals on PostgreSQL, in whichever process leads."""

    def __init__(self, seal_once: Callable[[], int], leadership: Leadership) -> None:
        self._seal_once = seal_once
        self._leadership = leadership
        self._awake = threading.Event()

    def wake(self) -> None:
        """Start a round at once."""
        self._awake.set()

    def run(
        self,
        stop: threading.Event,
        *,
        on_sealed: Callable[[int], None],
        on_fault: Callable[[JournalFault], None],
    ) -> None:
        """Seal until *stop* is set, and then once more; `wake` shortens the wait for a stop too."""
        try:
            while not stop.is_set():
                self._awake.wait(self._round(on_sealed, on_fault))
                self._awake.clear()
            self._round(on_sealed, on_fault)
        finally:
            self._leadership.resign()

    def _round(
        self, on_sealed: Callable[[int], None], on_fault: Callable[[JournalFault], None]
    ) -> float:
        """Do one round and return how long the next may wait."""
        try:
            if not self._leadership.held():
                return _TROUBLE_SECONDS
            sealed = self._seal_once()
        except UnavailableError as error:
            _logger.warning("journal.sealer_waits", **log.failure(error))
            return _TROUBLE_SECONDS
        except JournalFault as fault:
            if fault.code is Fault.KEY_MISSING:
                return self._leave_to_others()
            on_fault(fault)
            return _TROUBLE_SECONDS
        if sealed:
            on_sealed(sealed)
        if sealed == MOST_A_ROUND:
            return 0
        return ROUND_SECONDS if sealed else IDLE_SECONDS

    def _leave_to_others(self) -> float:
        """Let a machine lead that has the log's newest key, as the one has that announced it."""
        self._leadership.resign()
        _logger.error("journal.key_missing")
        metrics.ALARMS.labels("journal-key-missing").inc()
        return _WITHOUT_KEY_SECONDS


# Each one that waits is looked up by itself: how many wait no statistics know, and a planner that
# takes them for many would read the whole journal in each round.
_FIRST = (
    sa.select(JOURNAL_PENDING.c.entry_id)
    .order_by(JOURNAL_PENDING.c.entry_id)
    .limit(MOST_A_ROUND)
    .subquery("waiting")
)
_ITS_ENTRY = (
    sa.select(JOURNAL_ENTRY.c.leaf, JOURNAL_ENTRY.c.leaf_hash, JOURNAL_ENTRY.c.kind)
    .where(JOURNAL_ENTRY.c.id == _FIRST.c.entry_id)
    .limit(1)
    .lateral("entry")
)
_ITS_LEAF = (
    sa.select(JOURNAL_LEAF.c.seq)
    .where(JOURNAL_LEAF.c.entry_id == _FIRST.c.entry_id)
    .limit(1)
    .lateral("leaf")
)
_WAITING = prepared(
    sa.select(
        _FIRST.c.entry_id,
        _ITS_ENTRY.c.leaf,
        _ITS_ENTRY.c.leaf_hash,
        _ITS_ENTRY.c.kind,
        _ITS_LEAF.c.seq,
    )
    .select_from(_FIRST.outerjoin(_ITS_ENTRY, sa.true()).outerjoin(_ITS_LEAF, sa.true()))
    .order_by(_FIRST.c.entry_id)
)
_WAIT_NO_MORE = prepared(sa.delete(JOURNAL_PENDING).where(among(JOURNAL_PENDING.c.entry_id, "ids")))
