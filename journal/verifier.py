"""Verifies the journal of a live database: every leaf, every tile, every checkpoint, every opening.

It shares no code with what writes the journal, not even a hash, and believes nothing in the
database but the log's signature. Entries are read in pages, so memory does not grow with them.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from journal.verifier_cover import Covered, Gaps
from journal.verifier_entries import Checked, Checker, Openings, Signatures
from journal.verifier_keys import KeyChain
from journal.verifier_leaf import Leaf, read_leaf
from journal.verifier_log import Remembered
from journal.verifier_report import Finding, Found
from journal.verifier_rows import Reader, Rows, Top
from journal.verifier_tree import HASH_BYTES, Levels, edge_places, hash_of_leaf

PAGE = 4096
# Entries are stored within this time of their making: what is older than what was verified before
# need not be looked for again.
_HOUR_OF_IDS = 3_600_000 << 80

_EVER = 2**62

Spans = Iterator[tuple[int, int]]
Pages = Callable[[Checker, Rows, Spans], Iterator[Checked]]

__all__ = ["PAGE", "Finding", "Openings", "Pages", "Report", "Signatures", "Spans", "verify"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found; `counts` tells how often, `findings` lists the first of each.

    Shape: `notes` are worth knowing and no findings; what was skipped stands in `incomplete`.
    """

    entries: int
    size: int
    root_hex: str
    checkpoints: int
    writers: list[str]
    signatures: Signatures
    findings: list[Finding]
    counts: dict[str, int]
    incomplete: list[str]
    notes: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def one_by_one(checker: Checker, rows: Rows, spans: Spans) -> Iterator[Checked]:
    """Verify pages here, one after another."""
    openings = checker.openings is not None
    for start, end in spans:
        yield checker.check(start, rows.entries(start, end, openings=openings))


@dataclass(slots=True)
class _Run:
    """One verification under way."""

    rows: Rows
    checker: Checker
    top: Top
    remembered: Remembered | None
    since: Remembered | None
    levels: Levels = field(default_factory=Levels)
    found: Found = field(default_factory=Found)
    gaps: Gaps = field(default_factory=Gaps)
    checkpoints: int = 0

    @property
    def first(self) -> int:
        """The first leaf that is verified."""
        return 0 if self.since is None else self.since.size


def verify(
    read: Reader,
    log_keys: Collection[bytes],
    *,
    now: datetime,
    remembered: Remembered | None = None,
    since: Remembered | None = None,
    openings: Openings | None = None,
    signatures: Signatures = Signatures.ALL,
    pages: Pages = one_by_one,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Verify the journal behind *read* (`database.read`) by the log's public keys.

    Any key that was ever the log's newest will do; of several only one need be.
    *remembered* is a tree head from outside the database; without one, a cut tail is not seen.
    *since* is a head up to which all was verified before: only what came after it is verified,
    and that it continues that head.
    """
    rows = Rows(read)
    top = rows.top()
    log, erased = KeyChain(top.origin, log_keys), _erased(rows, top)
    checker = Checker(log, now, openings, signatures, erased=erased)
    checker.learn(rows.keys(0, top.size))
    run = _Run(rows, checker, top, remembered, since)
    if log.links and not log.is_trusted:
        run.found.add("log-key", None, "none of the keys given was ever the newest of this log")
    _begin(run)
    following = run.first
    for page in pages(checker, rows, _spans(run)):
        _take(run, following, page)
        following = page.following
        progress(run.levels.size - run.first, top.size - run.first)
    if following < top.size:
        run.found.add("sequence-broken", following, f"leaves from {following} on are missing")
    _compare_tiles(run, list(run.levels.unfinished()))
    _verify_top(run)
    _verify_outside(run)
    return _report(run)


def _erased(rows: Rows, top: Top) -> Covered:
    """Return what is claimed to be erased: used to find what is here all the same."""
    told = (read_leaf(leaf) for seq, leaf in rows.erasures(0) if seq < top.size)
    return Covered((leaf for leaf in told if leaf is not None), "order")


def _begin(run: _Run) -> None:
    """Take up the tree where it was left, from the tiles that are there."""
    since, top = run.since, run.top
    if since is None:
        return
    if since.size > top.size:
        run.found.add("tail-cut", top.size, f"{since.size} leaves were here, {top.size} are")
        run.since = None
        return
    places = edge_places(since.size)
    tiles = run.rows.tiles([(level, n) for level, n, width in places if width])
    edge = [tiles.get((level, n), b"")[: HASH_BYTES * width] for level, n, width in places]
    run.levels = Levels(since.size, edge)
    if run.levels.root() != since.root:
        run.found.add("history-rewritten", since.size, "the tree verified before was another")
    _verify_remembered(run)


def _spans(run: _Run) -> Spans:
    start = run.first
    while (first := run.rows.next(start, run.top.size)) is not None:
        start = min(first + PAGE, run.top.size)
        yield first, start


def _take(run: _Run, expected: int, page: Checked) -> None:
    """Grow the tree by a page, and look at what vouches for the sizes on the way."""
    if page.start != expected:
        run.found.add("sequence-broken", expected, f"leaf {expected} is missing")
    run.found.take(page.found)
    run.gaps.take(page.gaps)
    size, taken = run.levels.size, 0
    end = size + len(page.hashes)
    notes = dict(run.rows.checkpoints(size + 1, min(end, run.top.size - 1)))
    run.checkpoints += len(notes)
    known = set() if run.remembered is None else {run.remembered.size}
    for stop in sorted(notes.keys() | {each for each in known if size < each <= end}):
        run.levels.extend(page.hashes[taken : stop - size])
        taken = stop - size
        if stop in notes:
            _verify_checkpoint(run, notes[stop])
        _verify_remembered(run)
    run.levels.extend(page.hashes[taken:])
    _compare_tiles(run, run.levels.take_finished())


def _verify_checkpoint(run: _Run, note: str) -> None:
    size, head = run.levels.size, run.checker.keys.head_of(note, run.levels.size)
    if head is None:
        run.found.add("checkpoint-invalid", size, "the checkpoint is not as this log signed it")
    elif head != Remembered(size, run.levels.root()):
        run.found.add("checkpoint-differs", size, "the checkpoint is not over these leaves")


def _verify_remembered(run: _Run) -> None:
    remembered, levels = run.remembered, run.levels
    if remembered and remembered.size == levels.size and remembered.root != levels.root():
        run.found.add("history-rewritten", levels.size, "what is remembered has another root")


def _compare_tiles(run: _Run, computed: list[tuple[int, int, bytes]]) -> None:
    stored = run.rows.tiles([(level, n) for level, n, _ in computed])
    for level, n, hashes in computed:
        if stored.get((level, n), b"")[: len(hashes)] != hashes:
            detail = f"tile {n} of level {level} is not over these leaves"
            run.found.add("tile-differs", None, detail)


def _verify_top(run: _Run) -> None:
    top, size, found = run.top, run.levels.size, run.found
    if top.root != run.levels.root():
        found.add("root-differs", size, "the stored root is not the root of these leaves")
    if top.size != size or top.outside:
        leaves = size + top.outside
        found.add("size-differs", size, f"the tree's size is {top.size}, it has {leaves} leaves")
    if top.note is not None:
        run.checkpoints += 1
        _verify_checkpoint(run, top.note)
    elif top.size:
        found.add("checkpoint-missing", size, "the newest tree head is under no checkpoint")
    if (top.highest_checkpoint or 0) > top.size:
        found.add("checkpoint-ahead", size, f"{top.highest_checkpoint} leaves are vouched for")
    remembered = run.remembered
    if remembered is not None and remembered.size > top.size:
        detail = f"a checkpoint over {remembered.size} leaves is remembered, {top.size} are here"
        found.add("tail-cut", size, detail)


def _verify_outside(run: _Run) -> None:
    """Look for what lies beside the tree and claims to belong to it."""
    after = run.rows.id_at(run.first - 1).int - _HOUR_OF_IDS if run.first else 0
    for code, entry_id in run.rows.strays(UUID(int=max(0, after))):
        run.found.add(code, None, f"entry {entry_id}")
    run.checker.learn(run.rows.keys(run.top.size, _EVER))
    for row in run.rows.waiting():
        leaf = read_leaf(row.leaf or b"")
        if row.sealed_hash:
            run.found.add("pending-replayed", None, f"entry {row.entry_id} waits and is sealed")
        elif (
            leaf is None
            or leaf.word("id").replace("-", "") != row.entry_id
            or leaf.word("kind") != row.kind
            or hash_of_leaf(row.leaf or b"") != row.leaf_hash
            or not run.checker.is_signed(leaf, _EVER)
        ):
            detail = f"entry {row.entry_id} waits and no writer wrote it"
            run.found.add("pending-forged", None, detail)
        else:
            _take_later(run, leaf)
    # After those that wait: what was sealed meanwhile is in one of the two.
    for seq, erasure in run.rows.erasures(run.top.size):
        leaf = read_leaf(erasure)
        if leaf is not None and run.checker.is_signed(leaf, seq):
            _take_later(run, leaf)


def _take_later(run: _Run, leaf: Leaf) -> None:
    """Heed what was erased while the verification ran."""
    if leaf.covered:
        run.gaps.covers.append(leaf)


def _report(run: _Run) -> Report:
    notes = run.gaps.settle(run.found)
    return Report(
        entries=run.levels.size - run.first,
        size=run.top.size,
        root_hex=run.levels.root().hex(),
        checkpoints=run.checkpoints,
        writers=[writer.public.hex() for writer in run.checker.writers.values()],
        signatures=run.checker.signatures,
        findings=run.found.findings,
        counts=dict(run.found.counts),
        incomplete=_left_out(run),
        notes=notes,
    )


def _left_out(run: _Run) -> list[str]:
    """Say what was not verified, for want of what it takes."""
    incomplete = []
    if run.first:
        incomplete.append(f"leaves before {run.first}: taken as verified before")
    if run.checker.signatures is not Signatures.ALL:
        incomplete.append(f"writers' signatures: {run.checker.signatures}")
    if run.checker.openings is None and run.top.size:
        incomplete.append("openings: no keys to open them were given")
    if run.remembered is None:
        incomplete.append("cut tail: no remembered checkpoint was given")
    return incomplete
