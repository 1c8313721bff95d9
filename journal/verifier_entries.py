"""Verifies entries one by one: form, signature, commitments, what stands beside them.

What becomes of a page depends on no other page, so pages may be verified side by side.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from journal.verifier_cover import PARTS, Covered, Gaps
from journal.verifier_keys import KeyChain
from journal.verifier_leaf import Leaf, Opened, oldest_kept, read_leaf, read_opening
from journal.verifier_log import holds
from journal.verifier_report import Found
from journal.verifier_rows import EntryRow
from journal.verifier_tree import hash_of_leaf, number_of_receipt

_SAMPLE = 64
_EVER = 2**62
# Every name by which a leaf announces keys begins so; in other leaves only a signature might.
_OF_KEYS = b',"k'
# What these kinds say decides about other leaves.
_ALWAYS_SIGNED = ("key", "erase")
_Opener = Callable[[bytes, int, bytes], bytes | None]


class Signatures(StrEnum):
    """Which writers' signatures are checked; those that announce keys always are."""

    ALL = "all"
    SAMPLE = "sample"
    NONE = "none"


class Openings(Protocol):
    """Opens what is encrypted beside the leaves."""

    def identity(self, entry_id: bytes, key_id: int, blob: bytes) -> bytes | None:
        """Return the opened identity, None if it does not open."""
        ...

    def act(self, entry_id: bytes, key_id: int, blob: bytes) -> bytes | None:
        """Return the opened act, None if it does not open."""
        ...

    def indexes(self, of: str, value: str) -> Collection[int]:
        """Return the numbers by which entries about a person are found again."""
        ...


@dataclass(frozen=True, slots=True)
class Announced:
    """A writer's public key, and the leaf that announced it."""

    seq: int
    public: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a page: the hashes of its leaves in order, what was found, where it ended."""

    start: int
    hashes: list[bytes]
    found: Found
    gaps: Gaps
    following: int


@dataclass(frozen=True, slots=True)
class Checker:
    """Verifies entries of one log."""

    keys: KeyChain
    now: datetime
    openings: Openings | None
    signatures: Signatures
    writers: dict[str, Announced] = field(default_factory=dict)
    erased: Covered = field(default_factory=Covered)

    def check(self, expected: int, page: Sequence[EntryRow]) -> Checked:
        """Verify entries that stand one after another, the first of them at *expected*."""
        start, found, gaps, hashes = expected, Found(), Gaps(), []
        # What is older than this is looked at closely: all of it, if there is reason to.
        looks_closely = self.openings is not None or bool(self.erased)
        oldest = _EVER if looks_closely else oldest_kept(self.now)
        for row in page:
            if row.seq != expected:
                found.add("sequence-broken", expected, f"leaf {expected} is missing")
            expected = row.seq + 1
            hashes.append(self._check(row, oldest, found, gaps))
        return Checked(start, hashes, found, gaps, expected)

    def learn(self, announcements: Sequence[tuple[int, bytes]]) -> None:
        """Learn the keys that these leaves announce, of log and writers, each from its place on."""
        read = [(seq, found) for seq, leaf in announcements if (found := read_leaf(leaf))]
        self.keys.learn(read)
        for seq, found in read:
            self.is_signed(found, seq)

    def is_signed(self, leaf: Leaf, seq: int) -> bool:
        """Tell whether a writer that was announced before signed the leaf at *seq*.

        A leaf that announces a writer is signed by that writer, and makes it known.
        """
        signer = leaf.word("signer")
        known = self.writers.get(signer)
        if leaf.word("kind") == "key" and leaf.word("writer"):
            public = self.keys.writer(leaf, seq)
            announced = None if public is None else Announced(seq, public)
        else:
            announced = known
        if announced is None or announced.seq > seq:
            return False
        context = f"tradan journal entry v1\n{self.keys.at(seq).origin}\n".encode()
        if not holds(announced.public, context + leaf.text, leaf.signature):
            return False
        if known is None or known.seq > seq:
            self.writers[signer] = announced
        return True

    def _check(self, row: EntryRow, oldest: int, found: Found, gaps: Gaps) -> bytes:
        """Verify an entry and return the hash of its leaf."""
        if row.leaf is None:
            found.add("entry-missing", row.seq, "the entry of this leaf is not there")
            return row.sealed_hash
        computed = hash_of_leaf(row.leaf)
        if not computed == row.leaf_hash == row.sealed_hash:
            found.add("leaf-edited", row.seq, "the leaf's bytes are not those that were hashed")
        leaf = read_leaf(row.leaf)
        if leaf is None:
            found.add("leaf-malformed", row.seq, "the leaf is not in canonical form")
            return computed
        kind, at = _check_columns(row, leaf, found)
        if self._wants(row.seq, kind) and not self.is_signed(leaf, row.seq):
            found.add("writer-signature", row.seq, "no announced writer signed this leaf")
        elif (kind == "key" or _OF_KEYS in row.leaf) and not self.keys.is_proper(leaf, row.seq):
            found.add("key-announcement", row.seq, "no key of the log signed for what it announces")
        elif kind == "erase" and leaf.covered:
            self._take_cover(row.seq, leaf, found, gaps)
        if at < oldest or row.is_short():
            self._check_opening(row, leaf, found, gaps)
        return computed

    def _take_cover(self, seq: int, leaf: Leaf, found: Found, gaps: Gaps) -> None:
        if leaf.covered[-1][1] < seq:
            gaps.covers.append(leaf)
        else:
            found.add("cover-ahead", seq, "the leaf covers itself, or what came after it")

    def _wants(self, seq: int, kind: str) -> bool:
        match self.signatures:
            case Signatures.ALL:
                return True
            case Signatures.SAMPLE:
                return seq % _SAMPLE == 0 or kind in _ALWAYS_SIGNED
            case Signatures.NONE:
                return kind in _ALWAYS_SIGNED

    def _check_opening(self, row: EntryRow, leaf: Leaf, found: Found, gaps: Gaps) -> None:
        if row.enc_identity is None and (row.subject_index, row.actor_index) != (None, None):
            found.add("index-left", row.seq, "the identity is gone, and what finds it is not")
        if leaf.at < oldest_kept(self.now):
            gaps.overdue += sum(
                blob is not None and is_expired
                for (_, blob), is_expired in zip(row.sealed(), leaf.expired(self.now), strict=True)
            )
        openers: tuple[_Opener | None, _Opener | None] = (None, None)
        if self.openings is not None:
            openers = (self.openings.identity, self.openings.act)
        opened = Opened(
            *(
                self._open(part, row, leaf, opener, found, gaps)
                for part, opener in enumerate(openers)
            )
        )
        for fault in opened.faults(leaf):
            found.add("opening-differs", row.seq, f"the {fault} is not what the leaf commits to")
        if self.openings is None:
            return
        stored = {"subject": row.subject_index, "actor": row.actor_index}
        for role, of, value in opened.people():
            if stored[role] not in self.openings.indexes(of, value):
                found.add("index-differs", row.seq, f"the entry is not found again by its {role}")

    def _open(
        self,
        part: int,
        row: EntryRow,
        leaf: Leaf,
        opener: _Opener | None,
        found: Found,
        gaps: Gaps,
    ) -> dict[str, str]:
        (key_id, blob), plain = row.sealed()[part], None
        is_there = key_id is not None and blob is not None
        if blob is not None and self.erased.has(row.seq, part):
            found.add("erased-present", row.seq, f"the {PARTS[part]} was erased and is here again")
        if key_id is not None and blob is not None and opener is not None:
            plain = opener(bytes.fromhex(row.entry_id), key_id, blob)
        is_gone = plain is None and (opener is not None or not is_there)
        if is_gone and not leaf.expired(self.now)[part]:
            gaps.note(row.seq, part, is_there=is_there)
        return read_opening(plain)


def _check_columns(row: EntryRow, leaf: Leaf, found: Found) -> tuple[str, int]:
    """See that what stands beside a leaf is the leaf's own, and return its kind and time."""
    entry_id, kind, at = leaf.beside()
    if entry_id != row.entry_id:
        found.add("leaf-misplaced", row.seq, "the leaf is that of another entry")
    if (kind, at) != (row.kind, row.created_at):
        found.add("columns-differ", row.seq, "kind or time beside the leaf are not the leaf's")
    if row.receipt != number_of_receipt(row.sealed_hash):
        found.add("receipt-differs", row.seq, "the entry is not found again by its receipt")
    return kind, at
