"""Verifies the journal of a live database: every leaf, every tile, every checkpoint, every opening.

It shares no code with what writes the journal, not even a hash, and believes nothing in the
database but the log's signature. Entries are read in pages, so memory does not grow with them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from journal.verifier_leaf import Leaf, Opened, read_leaf, read_opening
from journal.verifier_log import LogKey, Remembered, holds
from journal.verifier_rows import EntryRow, Reader, Rows, Top
from journal.verifier_tree import Levels, hash_of_leaf

_PAGE = 4096
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


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found; `counts` tells how often, `findings` lists the first of each."""

    entries: int
    size: int
    root_hex: str
    checkpoints: int
    writers: list[str]
    signatures: Signatures
    findings: list[Finding]
    counts: dict[str, int]
    incomplete: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing was found; what was skipped stands in `incomplete`."""
        return not self.findings


@dataclass(slots=True)
class _Run:
    """One verification under way."""

    rows: Rows
    key: LogKey
    now: datetime
    openings: Openings | None
    signatures: Signatures
    top: Top
    remembered: Remembered | None
    levels: Levels = field(default_factory=Levels)
    writers: dict[str, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    checkpoints: int = 0

    def find(self, code: str, seq: int | None, detail: str) -> None:
        self.counts[code] += 1
        if self.counts[code] <= _LISTED_OF_A_CODE:
            self.findings.append(Finding(code, seq, detail))


def verify(
    read: Reader,
    log_key: bytes,
    *,
    now: datetime,
    remembered: Remembered | None = None,
    openings: Openings | None = None,
    signatures: Signatures = Signatures.ALL,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Verify the journal behind *read* (`database.read`) against the log's public key.

    *remembered* is a tree head from outside the database; without one, a cut tail is not seen.
    """
    rows = Rows(read)
    top = rows.top()
    key = LogKey(top.origin, log_key)
    run = _Run(rows, key, now, openings, signatures, top, remembered)
    following = 0
    while page := rows.entries(following, top.size, _PAGE):
        _verify_page(run, following, page)
        following = page[-1].seq + 1
        progress(run.levels.size, top.size)
    if following < top.size:
        run.find("sequence-broken", following, f"leaves from {following} on are missing")
    _compare_tiles(run, list(run.levels.unfinished()))
    _verify_top(run)
    _verify_outside(run)
    return Report(
        entries=run.levels.size,
        size=top.size,
        root_hex=run.levels.root().hex(),
        checkpoints=run.checkpoints,
        writers=[public.hex() for public in run.writers.values()],
        signatures=signatures,
        findings=run.findings,
        counts=dict(run.counts),
        incomplete=_left_out(run),
    )


def _left_out(run: _Run) -> list[str]:
    """Say what was not verified, for want of what it takes."""
    incomplete = []
    if run.signatures is not Signatures.ALL:
        incomplete.append(f"writers' signatures: {run.signatures}")
    if run.openings is None and run.top.size:
        incomplete.append("openings: no keys to open them were given")
    if run.remembered is None:
        incomplete.append("cut tail: no remembered checkpoint was given")
    return incomplete


def _verify_page(run: _Run, expected: int, page: Sequence[EntryRow]) -> None:
    size = run.levels.size
    notes = dict(run.rows.checkpoints(size + 1, min(size + len(page), run.top.size - 1)))
    run.checkpoints += len(notes)
    for row in page:
        if row.seq != expected:
            run.find("sequence-broken", expected, f"leaf {expected} is missing")
        expected = row.seq + 1
        _verify_entry(run, row)
        if run.levels.size in notes:
            _verify_checkpoint(run, notes[run.levels.size])
        if run.remembered is not None and run.remembered.size == run.levels.size:
            _verify_remembered(run, run.remembered)
    _compare_tiles(run, run.levels.take_finished())


def _verify_checkpoint(run: _Run, note: str) -> None:
    size, head = run.levels.size, run.key.head_of(note)
    if head is None:
        run.find("checkpoint-invalid", size, "the checkpoint is not as this log signed it")
    elif head != Remembered(size, run.levels.root()):
        run.find("checkpoint-differs", size, "the checkpoint is not over these leaves")


def _verify_remembered(run: _Run, remembered: Remembered) -> None:
    if remembered.root != run.levels.root():
        run.find("history-rewritten", remembered.size, "what is remembered has another root")


def _verify_entry(run: _Run, row: EntryRow) -> None:
    if row.leaf is None:
        run.find("entry-missing", row.seq, "the entry of this leaf is not there")
        run.levels.add(row.sealed_hash)
        return
    computed = hash_of_leaf(row.leaf)
    run.levels.add(computed)
    if computed not in (row.leaf_hash, row.sealed_hash) or row.leaf_hash != row.sealed_hash:
        run.find("leaf-edited", row.seq, "the leaf's bytes are not those that were hashed")
    leaf = read_leaf(row.leaf)
    if leaf is None:
        run.find("leaf-malformed", row.seq, "the leaf is not in canonical form")
        return
    if leaf.word("id").replace("-", "") != row.entry_id:
        run.find("leaf-misplaced", row.seq, "the leaf is that of another entry")
    if (leaf.word("kind"), leaf.at) != (row.kind, row.created_at):
        run.find("columns-differ", row.seq, "kind or time beside the leaf are not the leaf's")
    wanted = run.signatures is Signatures.ALL or (
        run.signatures is Signatures.SAMPLE and row.seq % _SAMPLE == 0
    )
    if (wanted or leaf.word("kind") == "key") and not _signed(run, leaf):
        run.find("writer-signature", row.seq, "no announced writer signed this leaf")
    _verify_opening(run, row, leaf)


def _signed(run: _Run, leaf: Leaf) -> bool:
    signer, origin = leaf.word("signer"), run.key.origin
    public = run.writers.get(signer)
    if leaf.word("kind") == "key" and leaf.word("writer"):
        public = run.key.announced_writer(leaf.word("writer"), leaf.word("endorsement"), signer)
    if public is None:
        return False
    context = f"tradan journal entry v1\n{origin}\n".encode()
    if not holds(public, context + leaf.text, leaf.signature):
        return False
    run.writers[signer] = public
    return True


def _verify_opening(run: _Run, row: EntryRow, leaf: Leaf) -> None:
    said = _open(run, row, leaf)
    for fault in said.faults(leaf):
        run.find("opening-differs", row.seq, f"the {fault} is not what the leaf commits to")
    if run.openings is None:
        return
    stored = {"subject": row.subject_index, "actor": row.actor_index}
    for role, of, value in said.people():
        if stored[role] not in run.openings.indexes(of, value):
            run.find("index-differs", row.seq, f"the entry is not found again by its {role}")


def _open(run: _Run, row: EntryRow, leaf: Leaf) -> Opened:
    opened, openings = [], run.openings
    openers: tuple[_Opener | None, _Opener | None] = (None, None)
    if openings is not None:
        openers = (openings.identity, openings.act)
    parts = zip(("identity", "act"), row.sealed(), openers, leaf.expired(run.now), strict=True)
    for name, (key_id, blob), opener, is_expired in parts:
        plain = None
        if key_id is None or blob is None:
            if not is_expired:
                run.find("opening-missing", row.seq, f"the {name} is gone before its time")
        elif opener is not None:
            plain = opener(bytes.fromhex(row.entry_id), key_id, blob)
            if plain is None and not is_expired:
                run.find("opening-unreadable", row.seq, f"the {name} does not open")
        opened.append(read_opening(plain))
    return Opened(*opened)


def _compare_tiles(run: _Run, computed: list[tuple[int, int, bytes]]) -> None:
    stored = run.rows.tiles([(level, n) for level, n, _ in computed])
    for level, n, hashes in computed:
        if stored.get((level, n), b"")[: len(hashes)] != hashes:
            run.find("tile-differs", None, f"tile {n} of level {level} is not over these leaves")


def _verify_top(run: _Run) -> None:
    top, size = run.top, run.levels.size
    if top.root != run.levels.root():
        run.find("root-differs", size, "the stored root is not the root of these leaves")
    if top.size != top.leaves:
        run.find("size-differs", size, f"the tree's size is {top.size}, it has {top.leaves} leaves")
    if top.note is not None:
        run.checkpoints += 1
        _verify_checkpoint(run, top.note)
    elif top.size:
        run.find("checkpoint-missing", size, "the newest tree head is under no checkpoint")
    if (top.highest_checkpoint or 0) > top.size:
        run.find("checkpoint-ahead", size, f"{top.highest_checkpoint} leaves are vouched for")
    remembered = run.remembered
    if remembered is not None and remembered.size > top.size:
        detail = f"a checkpoint over {remembered.size} leaves is remembered, {top.size} are here"
        run.find("tail-cut", size, detail)


def _verify_outside(run: _Run) -> None:
    """Look for what lies beside the tree and claims to belong to it."""
    for code, entry_id in run.rows.strays():
        run.find(code, None, f"entry {entry_id}")
    for announcement in run.rows.later_keys(run.top.size):
        later = read_leaf(announcement)
        if later is not None:
            _signed(run, later)
    for row in run.rows.waiting():
        leaf = read_leaf(row.leaf or b"")
        if row.sealed_hash:
            run.find("pending-replayed", None, f"entry {row.entry_id} is sealed and waits again")
        elif (
            leaf is None
            or leaf.word("id").replace("-", "") != row.entry_id
            or leaf.word("kind") != row.kind
            or hash_of_leaf(row.leaf or b"") != row.leaf_hash
            or not _signed(run, leaf)
        ):
            run.find("pending-forged", None, f"entry {row.entry_id} waits and no writer wrote it")
