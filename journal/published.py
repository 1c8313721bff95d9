"""The log as others read it: its checkpoint, and tiles and entry bundles by their names.

Whatever lies below a committed checkpoint never changes, so that a reader who first decides on one
may take the rest page by page, in as many transactions as it likes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from journal import checkpoint, layout, proofs
from journal.errors import Fault, JournalFault, LayoutError, NoteError
from journal.layout import ENTRIES, Resource
from journal.stored import StoredTree
from journal.tables import (
    JOURNAL_CHECKPOINT,
    JOURNAL_ENTRY,
    JOURNAL_LEAF,
    JOURNAL_TILE,
    TREE_STATE,
)
from journal.tree import HASH_BYTES, TILE_WIDTH, TreeHead

# Built once: to build a statement takes as long as to run it.
_NEWEST = sa.select(
    TREE_STATE.c.origin,
    TREE_STATE.c.size,
    JOURNAL_CHECKPOINT.c.note,
    JOURNAL_CHECKPOINT.c.signed_at,
    JOURNAL_CHECKPOINT.c.cosignatures,
).outerjoin(JOURNAL_CHECKPOINT, JOURNAL_CHECKPOINT.c.size == TREE_STATE.c.size)
_KEPT = sa.select(
    JOURNAL_CHECKPOINT.c.note, JOURNAL_CHECKPOINT.c.signed_at, JOURNAL_CHECKPOINT.c.cosignatures
).order_by(JOURNAL_CHECKPOINT.c.size.desc())
_TILES = sa.select(JOURNAL_TILE.c.n, JOURNAL_TILE.c.hashes).where(
    JOURNAL_TILE.c.level == sa.bindparam("level"),
    JOURNAL_TILE.c.n >= sa.bindparam("first"),
    JOURNAL_TILE.c.n <= sa.bindparam("last"),
)
_LEAVES = (
    sa.select(JOURNAL_LEAF.c.seq, JOURNAL_ENTRY.c.leaf)
    .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_LEAF.c.entry_id)
    .where(JOURNAL_LEAF.c.seq >= sa.bindparam("first"), JOURNAL_LEAF.c.seq < sa.bindparam("end"))
)


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint with every cosignature it has."""

    origin: str
    head: TreeHead
    note: str
    signed_at: datetime


def newest(session: Session) -> Published:
    """Return the newest checkpoint.

    Raises: JournalFault if there is none.
    """
    row = session.execute(_NEWEST).one_or_none()
    if row is None or row.note is None or (head := head_of(row.note)) is None:
        raise JournalFault(
            Fault.CHECKPOINT_INVALID,
            "the newest tree head has no checkpoint: run `journal verify`",
        )
    return Published(row.origin, head, row.note + (row.cosignatures or ""), row.signed_at)


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that is kept; *cosigners* are the names that its cosignatures give."""

    head: TreeHead
    signed_at: datetime
    cosigners: tuple[str, ...]


def kept(session: Session, most: int, *, below: int | None = None) -> list[Kept]:
    """Return the checkpoints below a size, or the newest; one that is none is left out."""
    wanted = _KEPT if below is None else _KEPT.where(JOURNAL_CHECKPOINT.c.size < below)
    rows = session.execute(wanted.limit(most)).all()
    return [
        Kept(head, row.signed_at, _names(row.cosignatures or ""))
        for row in rows
        if (head := head_of(row.note)) is not None
    ]


def _names(cosignatures: str) -> tuple[str, ...]:
    # A line of a signature: a dash, the name, the key's number with the signature (C2SP note).
    lines = (line.split(" ") for line in cosignatures.splitlines())
    return tuple(words[1] for words in lines if len(words) > 1)


def head_of(note: str) -> TreeHead | None:
    """Return the tree head that a checkpoint tells of, whoever signed it; None if it is none."""
    text = note.partition("\n\n")[0] + "\n"
    try:
        return checkpoint.parse(text, text.partition("\n")[0])
    except NoteError:
        return None


def continues(session: Session, old: TreeHead, head: TreeHead) -> bool:
    """Tell whether the database proves that its tree grew from *old* to *head*.

    Raises: JournalFault if it cannot prove anything.
    """
    return old.size <= head.size and proofs.verify_consistency(
        old.size,
        old.root,
        head.size,
        head.root,
        StoredTree(session).consistency(old.size, head.size),
    )


def read(session: Session, resources: Sequence[Resource]) -> dict[Resource, bytes]:
    """Read tiles or bundles of one level that lie close; those that cannot be made are left out."""
    if not resources:
        return {}
    return (
        _bundles(session, resources)
        if resources[0].level == ENTRIES
        else _tiles(session, resources)
    )


def _tiles(session: Session, resources: Sequence[Resource]) -> dict[Resource, bytes]:
    low, high = resources[0], resources[-1]
    stored: dict[int, bytes] = {
        row.n: row.hashes
        for row in session.execute(_TILES, {"level": low.level, "first": low.n, "last": high.n})
    }
    # A tile that was partial is the beginning of what it is now.
    cut = {each: stored.get(each.n, b"")[: each.width * HASH_BYTES] for each in resources}
    return {each: hashes for each, hashes in cut.items() if len(hashes) == each.width * HASH_BYTES}


def _bundles(session: Session, resources: Sequence[Resource]) -> dict[Resource, bytes]:
    high = resources[-1]
    span = {"first": resources[0].n * TILE_WIDTH, "end": high.n * TILE_WIDTH + high.width}
    stored: dict[int, bytes] = {row.seq: row.leaf for row in session.execute(_LEAVES, span)}
    found = {}
    for each in resources:
        start = each.n * TILE_WIDTH
        leaves = [leaf for at in range(start, start + each.width) if (leaf := stored.get(at))]
        if len(leaves) == each.width:
            try:
                found[each] = layout.encode_bundle(leaves)
            except LayoutError:
                continue  # no entry of ours is that long: what is there was put there
    return found
