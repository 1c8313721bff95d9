"""The tree as the database holds it: read for proofs, grown by the sealer, and by nobody else."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of, upsert
from core.prepared import prepared
from journal import log_keys, tree
from journal.errors import Fault, JournalFault
from journal.log_keys import LogKeys
from journal.proofs import Span, consistency_spans, inclusion_spans
from journal.tables import (
    JOURNAL_CHECKPOINT,
    JOURNAL_ENTRY,
    JOURNAL_LEAF,
    JOURNAL_TILE,
    TREE_STATE,
)
from journal.tree import EMPTY, HASH_BYTES, TILE_WIDTH, Edge, Tile, TreeHead

# Built once: to build a statement takes as long as to run it.
_STATE = prepared(sa.select(TREE_STATE.c.size, TREE_STATE.c.root))
_NEWEST = sa.select(TREE_STATE.c.size, TREE_STATE.c.root, JOURNAL_CHECKPOINT.c.note).outerjoin(
    JOURNAL_CHECKPOINT, JOURNAL_CHECKPOINT.c.size == TREE_STATE.c.size
)
_CLAIM = _STATE.with_for_update(skip_locked=True)
_CLAIM_IN_TURN = _STATE.with_for_update()
_MOVE = prepared(
    sa.update(TREE_STATE)
    .where(TREE_STATE.c.size == sa.bindparam("old_size"))
    .where(TREE_STATE.c.root == sa.bindparam("old_root"))
    .values(
        size=sa.bindparam("new_size"), root=sa.bindparam("new_root"), origin=sa.bindparam("name")
    )
)
_KEY_LEAVES = (
    sa.select(JOURNAL_LEAF.c.seq, JOURNAL_ENTRY.c.leaf)
    .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_LEAF.c.entry_id)
    .where(sa.text("journal_entry.kind = 'key'"))  # a literal: the partial index is for it
    .order_by(JOURNAL_LEAF.c.seq)
)
_NEAR_KEYS = _KEY_LEAVES.where(
    JOURNAL_LEAF.c.seq >= sa.bindparam("start"), JOURNAL_LEAF.c.seq < sa.bindparam("end")
)
# The sum keeps SQLite from going through all leaves: it begins with the few entries about keys.
_place = JOURNAL_LEAF.c.seq + 0
_ALL_KEYS = _KEY_LEAVES.where(_place >= sa.bindparam("start"), _place < sa.bindparam("end"))
_NEAR = 4096
_ADD_LEAF = prepared(sa.insert(JOURNAL_LEAF))
_ADD_CHECKPOINT = prepared(sa.insert(JOURNAL_CHECKPOINT))
_DROP_CHECKPOINT = prepared(
    sa.delete(JOURNAL_CHECKPOINT).where(
        JOURNAL_CHECKPOINT.c.size == sa.bindparam("old_size"),
        JOURNAL_CHECKPOINT.c.signed_at >= sa.bindparam("begin"),
        JOURNAL_CHECKPOINT.c.signed_at < sa.bindparam("end"),
        JOURNAL_CHECKPOINT.c.cosignatures.is_(None),
        JOURNAL_CHECKPOINT.c.timestamp_token.is_(None),
    )
)

_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class StoredTree:
    """The tree that one transaction sees."""

    session: Session
    note: str | None = None

    def head(self) -> TreeHead:
        """Return the newest head."""
        return TreeHead(*self.session.execute(_STATE).one())

    def newest(self) -> tuple[TreeHead, "StoredTree"]:
        """Return the newest head, and the tree with the note of that head in hand.

        One statement reads both: a sealer may drop the note before a second could.
        """
        size, root, note = self.session.execute(_NEWEST).one()
        return TreeHead(size, root), StoredTree(self.session, note)

    def claim(self) -> TreeHead | None:
        """Return the newest head and keep others from growing it; None if one is at it already."""
        row = self.session.execute(_CLAIM).one_or_none()
        return None if row is None else TreeHead(*row)

    def claim_in_turn(self) -> TreeHead:
        """Return the newest head and keep others from growing it, waiting for who is at it."""
        return TreeHead(*self.session.execute(_CLAIM_IN_TURN).one())

    def origin(self) -> str | None:
        """Return the log's name, None if there is no log."""
        name: str | None = self.session.execute(sa.select(TREE_STATE.c.origin)).scalar()
        return name

    def key_leaves(self, start: int, end: int) -> list[tuple[int, bytes]]:
        """Return the leaves of the kind `key` from *start* up to *end*, each with its place."""
        statement = _NEAR_KEYS if end - start <= _NEAR else _ALL_KEYS
        rows = self.session.execute(statement, {"start": start, "end": end})
        return [(row.seq, row.leaf) for row in rows]

    def all_log_keys(self) -> LogKeys | None:
        """Return what holds at the newest head, None if there is no log."""
        origin = self.origin()
        if origin is None:
            return None
        size = self.head().size
        return log_keys.read(origin, self.key_leaves(0, size), size)

    def log_keys(self, known: LogKeys, size: int) -> LogKeys:
        """Return what holds at *size*, from what is *known* to hold at a smaller one."""
        return known.after(self.key_leaves(known.size, size), size)

    def checkpoint(self, size: int) -> str | None:
        """Return the note signed at *size*."""
        if self.note is not None:
            return self.note
        wanted = sa.select(JOURNAL_CHECKPOINT.c.note).where(JOURNAL_CHECKPOINT.c.size == size)
        return self.session.execute(wanted).scalar()

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that a leaf is in the tree of *size*."""
        return self._nodes(inclusion_spans(index, size))

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that leads from one size to another."""
        return self._nodes(consistency_spans(old_size, size)) if old_size else ()

    def peaks(self, size: int) -> tuple[bytes, ...]:
        """Return the roots of the perfect trees under *size* leaves, the widest first."""
        return self._nodes(list(Span(0, size).perfect()))

    def edge(self, head: TreeHead) -> Edge:
        """Return the partial tile of each level.

        Raises: JournalFault if they do not make the root of *head*.
        """
        widths = tree.edge_widths(head.size)
        places = [
            (level, head.size // TILE_WIDTH ** (level + 1))
            for level, width in enumerate(widths)
            if width
        ]
        tiles = self._tiles(places)
        edge = tuple(
            tiles.get((level, head.size // TILE_WIDTH ** (level + 1)), b"") if width else b""
            for level, width in enumerate(widths)
        )
        fits = all(len(hashes) == HASH_BYTES * w for hashes, w in zip(edge, widths, strict=True))
        if not fits or tree.root(edge) != head.root:
            raise _mismatch()
        return edge

    def grow(
        self,
        old: TreeHead,
        new: TreeHead,
        leaves: Sequence[tuple[UUID, bytes]],
        tiles: Iterable[Tile],
        name: str,
    ) -> None:
        """Write the leaves and tiles that lead from *old* to *new*, and the *name* of the log.

        Raises: JournalFault if the tree has meanwhile grown from *old* to something else.
        """
        state = {"old_size": old.size, "old_root": old.root, "new_size": new.size, "name": name}
        moved = self.session.execute(_MOVE, {**state, "new_root": new.root})
        if moved.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE's result counts rows
            raise _mismatch()
        rows = [
            {"seq": seq, "entry_id": entry_id, "leaf_hash": leaf_hash}
            for seq, (entry_id, leaf_hash) in enumerate(leaves, start=old.size)
        ]
        put = [{"level": tile.level, "n": tile.n, "hashes": tile.hashes} for tile in tiles]
        try:
            self.session.execute(_ADD_LEAF, rows)
            self.session.execute(_put_tile(dialect_of(self.session)), put)
        except sa.exc.IntegrityError as error:
            # A leaf stands there already, or a tile is not the one that this one grew from.
            raise _mismatch() from error

    def publish(self, old: TreeHead, new: TreeHead, note: str, now: datetime) -> None:
        """Store the checkpoint of *new*, and drop that of *old* if it is not to be kept."""
        self.session.execute(_ADD_CHECKPOINT, {"size": new.size, "note": note, "signed_at": now})
        minute = now.replace(second=0, microsecond=0)
        bounds = {"old_size": old.size, "begin": minute, "end": minute + timedelta(minutes=1)}
        self.session.execute(_DROP_CHECKPOINT, bounds)

    def _nodes(self, spans: Sequence[Span]) -> tuple[bytes, ...]:
        parts = {span: [part.place() for part in span.perfect()] for span in spans}
        tiles = self._tiles({place[:2] for places in parts.values() for place in places})
        return tuple(_node(places, tiles) for places in (parts[span] for span in spans))

    def _tiles(self, places: Iterable[_Place]) -> dict[_Place, bytes]:
        conditions = [
            sa.and_(JOURNAL_TILE.c.level == level, JOURNAL_TILE.c.n == n) for level, n in places
        ]
        if not conditions:
            return {}
        rows = self.session.execute(sa.select(JOURNAL_TILE).where(sa.or_(*conditions)))
        return {(row.level, row.n): row.hashes for row in rows}


class Edges:
    """The edges last seen, by the head that commits to them.

    A head found in a transaction names its edge whatever happened to other transactions: one that
    is rolled back leaves nothing behind that a later one could mistake for its own.
    """

    def __init__(self, most: int = 64) -> None:
        self._edges: OrderedDict[TreeHead, Edge] = OrderedDict({EMPTY: ()})
        self._most = most

    def of(self, head: TreeHead, stored: StoredTree) -> Edge:
        """Return the edge of *head*, from the database if it is not known."""
        known = self._edges.get(head)
        return stored.edge(head) if known is None else known

    def keep(self, head: TreeHead, edge: Edge) -> None:
        """Keep an edge, and let go of the oldest."""
        self._edges[head] = edge
        if len(self._edges) > self._most:
            self._edges.popitem(last=False)


@cache
def _put_tile(dialect: str) -> sa.Insert:
    statement = upsert(dialect, JOURNAL_TILE)
    put: sa.Insert = statement.on_conflict_do_update(
        index_elements=["level", "n"], set_={"hashes": statement.excluded.hashes}
    )
    return prepared(put)


def _node(places: Iterable[tuple[int, int, int, int]], tiles: dict[_Place, bytes]) -> bytes:
    folded = b""
    for level, n, first, count in reversed(list(places)):
        hashes = tiles.get((level, n), b"")[HASH_BYTES * first : HASH_BYTES * (first + count)]
        if len(hashes) != HASH_BYTES * count:
            raise _mismatch()
        peak = tree.perfect_root(hashes)
        folded = tree.node_hash(peak, folded) if folded else peak
    return folded


def _mismatch() -> JournalFault:
    return JournalFault(
        Fault.TREE_MISMATCH,
        "the journal's tiles do not make its root: keep the database as it is and run "
        "`journal verify`, which names what differs",
    )
