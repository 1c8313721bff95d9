"""The signer: signs a tree head only if it continues the last one that it remembers.

A restored backup or an edited database therefore cannot get a signature. What it signs inside a
transaction it remembers only after COMMIT: until then a head is a *branch* that may come to
nothing, and several may be open at once, each known by its size and root. ADR 0004.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core import log
from journal import checkpoint, note
from journal.errors import Fault, JournalFault, NoteError
from journal.frontier import NOTHING, Frontier
from journal.held import HeldKeys
from journal.log_keys import LogKeys
from journal.memory import Memory, refusal
from journal.proofs import verify_consistency
from journal.tree import EMPTY, TreeHead

_logger = log.get_logger(__name__)

# Branches that never committed; dropping all costs one proof from the database.
_MOST_BRANCHES = 512


class Evidence(Protocol):
    """What the database has to show for a tree head."""

    def checkpoint(self, size: int) -> str | None:
        """Return the note signed at *size*."""
        ...

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that leads from one size to another."""
        ...

    def peaks(self, size: int) -> tuple[bytes, ...]:
        """Return the roots of the perfect trees under *size* leaves, the widest first."""
        ...

    def log_keys(self, known: LogKeys, size: int) -> LogKeys:
        """Return what holds at *size*, from what is *known* to hold at a smaller one."""
        ...


@dataclass(frozen=True, slots=True)
class Branch:
    """A head that continues the memory: by what, with which frontier, under which keys."""

    head: TreeHead
    frontier: Frontier
    keys: LogKeys
    parent: "Branch | None"

    def line(self) -> list[TreeHead]:
        """Return the heads it grew from, since the last one remembered."""
        heads, branch = [], self.parent
        while branch is not None:
            heads.append(branch.head)
            branch = branch.parent
        return heads


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed checkpoint, and the branch to remember once it is committed."""

    note: str
    branch: Branch


class Signer:
    """Holds the log's keys and the memory of what it signed."""

    def __init__(self, known: LogKeys, held: HeldKeys, memory: Memory) -> None:
        self._held = held
        self._memory = memory
        self._known = known
        self._mutex = threading.Lock()
        self._remembered: TreeHead | None = None
        self._branches: dict[TreeHead, Branch] = {}
        self._fault: JournalFault | None = None

    @property
    def known(self) -> LogKeys:
        """The log's keys at the newest head that this process saw committed."""
        return self._known

    def keys_at(self, head: TreeHead, evidence: Evidence) -> LogKeys:
        """Return the log's keys at a head that the database claims.

        Raises: JournalFault if *head* does not continue the memory.
        """
        with self._mutex:
            return self._branch(head, evidence).keys

    def sign(
        self,
        base: TreeHead,
        leaf_hashes: Sequence[bytes],
        root: bytes,
        evidence: Evidence,
        announced: LogKeys | None = None,
    ) -> Signed:
        """Sign the head that *leaf_hashes* lead to from *base*, which the database claims.

        Where the leaves change the keys, *announced* is what holds after them.
        Raises: JournalFault if *base* does not continue the memory, or *root*, which the tiles
        gave, is not what the signer computes by itself, or the newest key is not here.
        """
        with self._mutex:
            branch = self._branch(base, evidence)
            frontier = branch.frontier.extended(leaf_hashes)
            head = TreeHead(frontier.size, frontier.root())
            if head.root != root:
                raise JournalFault(
                    Fault.TREE_MISMATCH,
                    "the root by the tiles is not the root by the signer: stop, keep the database "
                    "as it is, and run `journal verify`",
                )
            log_keys = announced or branch.keys
            text = checkpoint.text_of(log_keys.origin, head)
            signed = note.sign(text, self._held.signers(log_keys))
            grown = self._branches[head] = Branch(head, frontier, log_keys, branch)
            return Signed(signed, grown)

    def remember(self, branch: Branch) -> None:
        """Advance the memory to what was committed; a failure shows at the next signing."""
        with self._mutex:
            try:
                self._memory.advance(branch.head, branch.line())
            except JournalFault as fault:
                self._fault = fault
            except OSError as error:
                _logger.error("journal.memory_not_written", **log.failure(error))  # noqa: TRY400 (names no path)
                self._fault = JournalFault(
                    Fault.MEMORY_UNREADABLE,
                    "the signer's memory cannot be written: make room in the state folder, or make "
                    "it writable, and start again",
                )
            self._keep_descendants(branch)

    def follow(self, head: TreeHead, evidence: Evidence, since: TreeHead | None) -> None:
        """Take the memory forward to a committed head, read after the memory was at *since*.

        Raises: JournalFault if *head* does not continue the memory.
        """
        with self._mutex:
            known = self._memory.read()
            if known is not None and known != since and known.size >= head.size:
                return  # others have committed, and the memory has moved on, since *head* was read
            branch = self._branch(head, evidence)
            if head != EMPTY:
                self._memory.advance(branch.head, branch.line())
                self._keep_descendants(branch)

    def remembered(self) -> TreeHead | None:
        """Return the newest head that was signed and committed."""
        return self._memory.read()

    def sync(self) -> None:
        """Have the memory outlive a power failure."""
        self._memory.sync()

    def close(self) -> None:
        """Let go of the memory's file."""
        self._memory.close()

    def _branch(self, head: TreeHead, evidence: Evidence) -> Branch:
        """Return the branch of *head*, learning it from the database if it is not known."""
        if self._fault is not None:
            raise self._fault
        remembered = self._memory.read()
        if remembered != self._remembered or len(self._branches) > _MOST_BRANCHES:
            # Another process signed: what had grown from the older memory may be on no line now.
            self._branches.clear()
            self._remembered = remembered
        known = self._branches.get(head)
        if known is None:
            known = self._learn(head, remembered, evidence)
            self._branches[head] = known
        return known

    def _learn(self, head: TreeHead, remembered: TreeHead | None, evidence: Evidence) -> Branch:
        start = remembered or EMPTY
        if head.size < start.size:
            raise refusal()
        if head.size == 0:
            return Branch(head, NOTHING, self._known, None)
        log_keys = evidence.log_keys(self._known, head.size)
        _require_signed(head, log_keys, evidence)
        proof = evidence.consistency(start.size, head.size)
        if not verify_consistency(start.size, start.root, head.size, head.root, proof):
            raise refusal()
        frontier = Frontier(head.size, evidence.peaks(head.size))
        if frontier.root() != head.root:
            raise refusal()
        if remembered is None:
            _logger.warning("journal.memory_adopted", size=head.size, root=head.root.hex())
        parent = None
        if remembered is not None and remembered != head:
            parent = Branch(start, NOTHING, self._known, None)
        return Branch(head, frontier, log_keys, parent)

    def _keep_descendants(self, branch: Branch) -> None:
        """Drop every branch that has not grown from *branch*, which is the memory now."""
        kept = {
            head: other for head, other in self._branches.items() if branch.head in other.line()
        }
        self._known = replace(branch.keys, size=branch.head.size)
        kept[branch.head] = Branch(branch.head, branch.frontier, self._known, None)
        self._branches = kept
        self._remembered = branch.head


def _require_signed(head: TreeHead, log_keys: LogKeys, evidence: Evidence) -> None:
    """Refuse a head that this log never signed, however well it continues the memory."""
    if not log_keys.signing:
        raise _unsigned()
    signed = evidence.checkpoint(head.size)
    try:
        text = note.open_note(signed or "", log_keys.newest)
        if checkpoint.parse(text, log_keys.origin) == head:
            return
    except NoteError as error:
        raise _unsigned() from error
    raise _unsigned()


def _unsigned() -> JournalFault:
    return JournalFault(
        Fault.CHECKPOINT_INVALID,
        "the database's tree head is not under a checkpoint that this log signed: somebody wrote "
        "to the journal's tables; keep the database as it is and run `journal verify`",
    )
