"""Verifies entries one by one: form, signature, commitments, what stands beside them.

What becomes of a page depends on no other page, so pages may be verified side by side.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from journal.verifier_leaf import Leaf, Opened, read_leaf, read_opening
from journal.verifier_log import LogKey, holds
from journal.verifier_rows import EntryRow
from journal.verifier_tree import hash_of_leaf

_LISTED_OF_A_CODE = 20
_SAMPLE = 64
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
class Finding:
    """Something that is not as it was written; `seq` is the leaf or size it shows at."""

    code: str
    seq: int | None
    detail: str


@dataclass(slots=True)
class Found:
    """What was found so far: how often each code, and the first of each."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, code: str, seq: int | None, detail: str) -> None:
        """Note a finding."""
        self.counts[code] += 1
        if self.counts[code] <= _LISTED_OF_A_CODE:
            self.findings.append(Finding(code, seq, detail))

    def take(self, other: "Found") -> None:
        """Add what was found elsewhere."""
        listed = Counter(finding.code for finding in self.findings)
        for finding in other.findings:
            listed[finding.code] += 1
            if listed[finding.code] <= _LISTED_OF_A_CODE:
                self.findings.append(finding)
        self.counts += other.counts


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
    following: int


@dataclass(frozen=True, slots=True)
class Checker:
    """Verifies entries of one log."""

    key: LogKey
    now: datetime
    openings: Openings | None
    signatures: Signatures
    writers: dict[str, Announced] = field(default_factory=dict)

    def check(self, expected: int, page: Sequence[EntryRow]) -> Checked:
        """Verify entries that stand one after another, the first of them at *expected*."""
        start, found, hashes = expected, Found(), []
        for row in page:
            if row.seq != expected:
                found.add("sequence-broken", expected, f"leaf {expected} is missing")
            expected = row.seq + 1
            hashes.append(self._check(row, found))
        return Checked(start, hashes, found, expected)

    def learn(self, announcements: Sequence[tuple[int, bytes]]) -> None:
        """Learn the writers that these leaves announce, each from its place on."""
        for seq, leaf in announcements:
            read = read_leaf(leaf)
            if read is not None:
                self.is_signed(read, seq)

    def is_signed(self, leaf: Leaf, seq: int) -> bool:
        """Tell whether a writer that was announced before signed the leaf at *seq*.

        A leaf that announces a writer is signed by that writer, and makes it known.
        """
        signer = leaf.word("signer")
        known = self.writers.get(signer)
        if leaf.word("kind") == "key" and leaf.word("writer"):
            public = self.key.announced_writer(
                leaf.word("writer"), leaf.word("endorsement"), signer
            )
            announced = None if public is None else Announced(seq, public)
        else:
            announced = known
        if announced is None or announced.seq > seq:
            return False
        context = f"tradan journal entry v1\n{self.key.origin}\n".encode()
        if not holds(announced.public, context + leaf.text, leaf.signature):
            return False
        if known is None or known.seq > seq:
            self.writers[signer] = announced
        return True

    def _check(self, row: EntryRow, found: Found) -> bytes:
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
        if leaf.word("id").replace("-", "") != row.entry_id:
            found.add("leaf-misplaced", row.seq, "the leaf is that of another entry")
        if (leaf.word("kind"), leaf.at) != (row.kind, row.created_at):
            found.add("columns-differ", row.seq, "kind or time beside the leaf are not the leaf's")
        if self._wants(row.seq, leaf) and not self.is_signed(leaf, row.seq):
            found.add("writer-signature", row.seq, "no announced writer signed this leaf")
        self._check_opening(row, leaf, found)
        return computed

    def _wants(self, seq: int, leaf: Leaf) -> bool:
        match self.signatures:
            case Signatures.ALL:
                return True
            case Signatures.SAMPLE:
                return seq % _SAMPLE == 0 or leaf.word("kind") == "key"
            case Signatures.NONE:
                return leaf.word("kind") == "key"

    def _check_opening(self, row: EntryRow, leaf: Leaf, found: Found) -> None:
        openers: tuple[_Opener | None, _Opener | None] = (None, None)
        if self.openings is not None:
            openers = (self.openings.identity, self.openings.act)
        elif row.enc_identity is not None and row.enc_act is not None:
            return
        opened = Opened(
            *(self._open(number, row, leaf, opener, found) for number, opener in enumerate(openers))
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
        self, number: int, row: EntryRow, leaf: Leaf, opener: _Opener | None, found: Found
    ) -> dict[str, str]:
        name, (key_id, blob), plain = ("identity", "act")[number], row.sealed()[number], None
        if key_id is None or blob is None:
            if not leaf.expired(self.now)[number]:
                found.add("opening-missing", row.seq, f"the {name} is gone before its time")
        elif opener is not None:
            plain = opener(bytes.fromhex(row.entry_id), key_id, blob)
            if plain is None and not leaf.expired(self.now)[number]:
                found.add("opening-unreadable", row.seq, f"the {name} does not open")
        return read_opening(plain)
