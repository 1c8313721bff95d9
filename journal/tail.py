"""The tail of a log: leaves that its files hold and a restored database has forgotten.

Nothing in the files is believed: what they lead to from the database's own tree must be the head
that the log signed, and then every byte is what it was.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from journal import checkpoint, layout, note, receipts, tree
from journal.errors import LayoutError, NoteError, RecoveryError
from journal.layout import CHECKPOINT, ENTRIES
from journal.leaf import SIGNATURE_BYTES
from journal.log_keys import LogKeys
from journal.stored import StoredTree
from journal.tables import JOURNAL_CHECKPOINT, JOURNAL_ENTRY, JOURNAL_PENDING
from journal.tree import TILE_WIDTH, Growth, TreeHead

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_KEYS = b'"t":"key"'


@dataclass(frozen=True, slots=True)
class Tail:
    """What leads from a database's head to the one that files tell of.

    Shape: *keys* hold at *head*; *note* is as the log signed it, *cosignatures* as others did.
    """

    source: Path
    base: TreeHead
    head: TreeHead
    keys: LogKeys
    note: str
    cosignatures: str | None


@dataclass(frozen=True, slots=True)
class _Step:
    """The leaves of one bundle, and the tree behind them."""

    old: TreeHead
    new: TreeHead
    leaves: list[bytes]
    growth: Growth
    keys: LogKeys


@dataclass(frozen=True, slots=True)
class _Entry:
    """What stands beside a leaf, as the leaf itself tells it."""

    id: UUID
    kind: str
    at: datetime
    leaf: bytes
    leaf_hash: bytes

    @classmethod
    def of(cls, leaf: bytes) -> "_Entry":
        said = json.loads(leaf[SIGNATURE_BYTES:])
        at = _EPOCH + timedelta(microseconds=said["ts"])
        return cls(UUID(said["id"]), said["t"], at, leaf, tree.leaf_hash(leaf))

    def row(self) -> dict[str, object]:
        return {
            "id": self.id,
            "kind": self.kind,
            "leaf": self.leaf,
            "leaf_hash": self.leaf_hash,
            "created_at": self.at,
            "receipt": receipts.number_of(self.leaf_hash),
        }


def find(session: Session, source: Path) -> Tail | None:
    """Find the tail that *source* holds, and see that it leads to what the log signed.

    Shape: None if it ends before the database does.
    Raises: RecoveryError if it is of another log or history; JournalFault if the database's own
    tree is not sound.
    """
    stored = StoredTree(session)
    keys, base = stored.all_log_keys(), stored.head()
    signed = _read(source, CHECKPOINT).decode(errors="replace")
    head = _head_of(signed)
    if keys is None or head.size < base.size:
        return None
    root = base.root
    for step in _steps(stored, source, base, head.size, keys):
        root, keys = step.new.root, step.keys
    if root != head.root:
        raise RecoveryError(
            f"what {source} holds does not continue the database's journal: it is of another "
            "history, or damaged; keep both as they are"
        )
    own, others = _parted(signed, keys)
    return Tail(source, base, head, keys, own, others)


def replay(session: Session, tail: Tail) -> None:
    """Put the leaves of a tail back into the tree, and its checkpoint over them.

    Raises: RecoveryError if the database is no longer what the tail was found for.
    """
    stored = StoredTree(session)
    keys = stored.all_log_keys()
    if stored.claim_in_turn() != tail.base or keys is None:
        raise RecoveryError("the database has changed meanwhile: look again")
    reached, signed_at = tail.base, _EPOCH
    for step in _steps(stored, tail.source, tail.base, tail.head.size, keys):
        entries = [_Entry.of(leaf) for leaf in step.leaves]
        _put_back(session, entries)
        placed = [(entry.id, entry.leaf_hash) for entry in entries]
        stored.grow(step.old, step.new, placed, step.growth.tiles, step.keys.origin)
        reached, signed_at = step.new, entries[-1].at
    if reached != tail.head:
        raise RecoveryError(f"{tail.source} has changed meanwhile: look again")
    session.execute(
        sa.insert(JOURNAL_CHECKPOINT),
        {
            "size": tail.head.size,
            "note": tail.note,
            "signed_at": signed_at,
            "cosignatures": tail.cosignatures,
        },
    )


def _steps(
    stored: StoredTree, source: Path, base: TreeHead, size: int, keys: LogKeys
) -> Iterator[_Step]:
    at, edge = base, stored.edge(base)
    for resource in layout.resources(ENTRIES, size, layout.edge(ENTRIES, base.size)):
        try:
            whole = layout.decode_bundle(_read(source, resource.path))
        except LayoutError as error:
            raise RecoveryError(f"{source / resource.path} is damaged: {error}") from error
        leaves = whole[at.size - resource.n * TILE_WIDTH :]
        if not leaves:
            continue
        growth = tree.grow(at.size, edge, [tree.leaf_hash(leaf) for leaf in leaves])
        new, edge = TreeHead(growth.size, tree.root(growth.edge)), growth.edge
        told = [(seq, leaf) for seq, leaf in enumerate(leaves, at.size) if _OF_KEYS in leaf]
        keys = keys.after(told, new.size)
        yield _Step(at, new, leaves, growth, keys)
        at = new


def _put_back(session: Session, entries: list[_Entry]) -> None:
    """Store entries without openings; one that waited when the backup was made has its own."""
    ids = [entry.id for entry in entries]
    wanted = sa.select(JOURNAL_ENTRY.c.id, JOURNAL_ENTRY.c.leaf).where(JOURNAL_ENTRY.c.id.in_(ids))
    there = {row.id: row.leaf for row in session.execute(wanted)}
    if any(there.get(entry.id, entry.leaf) != entry.leaf for entry in entries):
        raise RecoveryError(
            "an entry of the database that waits to be sealed is not as it was sealed before: "
            "somebody wrote to it; keep the database as it is"
        )
    rows = [entry.row() for entry in entries if entry.id not in there]
    if rows:
        session.execute(sa.insert(JOURNAL_ENTRY), rows)
    session.execute(sa.delete(JOURNAL_PENDING).where(JOURNAL_PENDING.c.entry_id.in_(ids)))


def _read(source: Path, path: str) -> bytes:
    try:
        return (source / path).read_bytes()
    except OSError as error:
        raise RecoveryError(
            f"{source / path} cannot be read ({error.strerror}): name the folder of a mirror or of "
            "a whole export"
        ) from error


def _head_of(signed: str) -> TreeHead:
    text = signed.partition("\n\n")[0] + "\n"
    try:
        return checkpoint.parse(text, text.partition("\n")[0])
    except NoteError as error:
        raise RecoveryError(f"what is there is no checkpoint: {error}") from error


def _parted(signed: str, keys: LogKeys) -> tuple[str, str | None]:
    """Part a checkpoint into what the log signed and the lines of others; see that it is ours."""
    try:
        text = note.open_note(signed, keys.newest)
        checkpoint.parse(text, keys.origin)
        _, lines = note.split(signed)
    except NoteError as error:
        raise RecoveryError(f"the checkpoint there is not this log's: {error}") from error
    ours = [line for line in lines if line.name == keys.origin]
    others = [line for line in lines if line.name != keys.origin]
    written = ["".join(note.write_line(*_parts(line)) for line in part) for part in (ours, others)]
    return f"{text}\n{written[0]}", written[1] or None


def _parts(line: note.Signature) -> tuple[str, bytes, bytes]:
    return line.name, line.key_id, line.value
