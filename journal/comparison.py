"""Two checkpoints compared: the proof that one continues the other, or the evidence of a fork.

Either is a file that a third party checks with the log's key: both checkpoints, the root that the
newer tree has at the older size, and the way from it to the newer root. If that root is not the
older checkpoint's, the log signed two histories. Form: docs/journal-format.md.
"""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from core.db import Database
from journal import published, tree
from journal.errors import ComparisonError, NoteError
from journal.layout import CHECKPOINT, Resource, width_at
from journal.note import Verifier, open_note
from journal.proofs import Span, consistency_spans, verify_consistency
from journal.tlog_proof import checkpoint_in
from journal.tree import EMPTY_ROOT, HASH_BYTES, TreeHead

FIRST = "tradan journal comparison 1"
_LONGEST = 1 << 20

_Place = tuple[int, int]
# Returns the tiles of these levels and numbers in a tree of that size, as far as they are there.
Tiles = Callable[[Collection[_Place], int], Mapping[_Place, bytes]]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared: its checkpoint, and its tiles if it has any."""

    name: str
    note: str
    head: TreeHead
    tiles: Tiles | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it; *root* is what the newer tree has at the older size."""

    older: Side
    newer: Side
    root: bytes
    path: tuple[bytes, ...]

    @property
    def is_fork(self) -> bool:
        """Whether the log signed two histories."""
        return self.root != self.older.head.root

    def __str__(self) -> str:
        """Write the file."""
        hashes = "\n".join(base64.b64encode(each).decode() for each in (self.root, *self.path))
        return f"{FIRST}\n{hashes}\n\n{self.older.note}\n{self.newer.note}"


def read_side(path: Path, keys: Sequence[Verifier]) -> Side:
    """Read a folder that holds a log, a checkpoint, or the checkpoint of a proof.

    Raises: ComparisonError if it is none, or none of the keys signed it; OSError.
    """
    is_folder = path.is_dir()
    with (path / CHECKPOINT if is_folder else path).open("rb") as file:
        text = file.read(_LONGEST).decode(errors="replace")
    return side(
        str(path), checkpoint_in(text) or text, keys, folder_tiles(path) if is_folder else None
    )


def side(name: str, note: str, keys: Sequence[Verifier], tiles: Tiles | None) -> Side:
    """Take a checkpoint as one of the two.

    Raises: ComparisonError if none of the keys signed it.
    """
    head = published.head_of(note)
    if head is None:
        raise ComparisonError(f"{name} is no checkpoint, proof, or folder that holds a log")
    own = [key for key in keys if key.name == note.partition("\n")[0]]
    if not any(_signed(note, key) for key in own):
        raise ComparisonError(f"{name} is not signed by the log's key: name the key with --key")
    return Side(name, note, head, tiles)


def folder_tiles(root: Path) -> Tiles:
    """Return the tiles of a log that lies in files."""

    def read(places: Collection[_Place], size: int) -> dict[_Place, bytes]:
        found = {}
        for level, n in places:
            path = root / Resource(level, n, width_at(level, n, size)).path
            if path.is_file():
                found[level, n] = path.read_bytes()[: tree.TILE_WIDTH * HASH_BYTES]
        return found

    return read


def live_tiles(database: Database) -> Tiles:
    """Return the tiles of the journal in a database."""

    def read(places: Collection[_Place], size: int) -> dict[_Place, bytes]:
        wanted = [Resource(level, n, width_at(level, n, size)) for level, n in places]

        def work(session: Session) -> dict[Resource, bytes]:
            # One by one: they may lie anywhere.
            pages = [published.read(session, [tile]) for tile in wanted]
            return {tile: data for page in pages for tile, data in page.items()}

        return {(tile.level, tile.n): data for tile, data in database.read(work).items()}

    return read


def compare(one: Side, other: Side, more: Sequence[Side] = ()) -> Comparison:
    """Compare two checkpoints by the tiles that either has, or one of *more* of the same log.

    Raises: ComparisonError if no tiles lead to the newer root.
    """
    older, newer = sorted((one, other), key=lambda each: each.head.size)
    size = newer.head.size
    if older.head.size in {0, size}:
        root = EMPTY_ROOT if size and not older.head.size else newer.head.root
        return Comparison(older, newer, root, ())
    for each in (newer, older, *more):
        if each.tiles is None or each.head.size < size:
            continue
        led = _led(each.tiles, older.head.size, newer.head)
        if led is not None:
            return Comparison(older, newer, *led)
    for each in more:
        # Whoever has the tiles may be who says something else.
        for witness in (newer, older):
            if each.head.size >= witness.head.size and each.tiles is not None:
                found = compare(witness, each)
                if found.is_fork:
                    return found
    raise ComparisonError(
        f"no tiles are here that lead to the {size} leaves of {newer.name}: give the log's "
        "folder in place of its checkpoint, or compare with the live journal"
    )


def _led(tiles: Tiles, old_size: int, head: TreeHead) -> tuple[bytes, tuple[bytes, ...]] | None:
    """Return the root at the old size and the way to *head*; None if the tiles lead elsewhere."""
    spans = consistency_spans(old_size, head.size)
    peaks = list(Span(0, old_size).perfect())
    nodes = _nodes(tiles, [*spans, *peaks], head.size)
    path = tuple(nodes.get(span, b"") for span in spans)
    root = _folded([nodes.get(peak, b"") for peak in peaks])
    holds = verify_consistency(old_size, root, head.size, head.root, path)
    return (root, path) if holds else None


def _nodes(tiles: Tiles, spans: Sequence[Span], size: int) -> dict[Span, bytes]:
    parts = {span: [part.place() for part in span.perfect()] for span in spans}
    found = tiles({place[:2] for places in parts.values() for place in places}, size)
    nodes = {}
    for span, places in parts.items():
        hashes = [
            found.get((level, n), b"")[HASH_BYTES * first : HASH_BYTES * (first + count)]
            for level, n, first, count in places
        ]
        due = [HASH_BYTES * count for _, _, _, count in places]
        if [len(each) for each in hashes] == due:
            nodes[span] = _folded([tree.perfect_root(each) for each in hashes])
    return nodes


def _folded(nodes: Sequence[bytes]) -> bytes:
    folded = b""
    for node in reversed(nodes):
        folded = tree.node_hash(node, folded) if folded else node
    return folded


def _signed(note: str, key: Verifier) -> bool:
    try:
        open_note(note, key)
    except NoteError:
        return False
    return True
