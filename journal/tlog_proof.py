"""The proof of one entry as a file that anybody verifies offline.

Source: C2SP tlog-proof. The extra data is the leaf, so that the file needs nothing beside it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from journal import proofs, published
from journal.errors import Fault, JournalFault, UnsealedError
from journal.stored import StoredTree
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF
from journal.tree import leaf_hash

_FIRST = "c2sp.org/tlog-proof@v1"
_LEAF = sa.select(JOURNAL_LEAF.c.seq, JOURNAL_ENTRY.c.leaf).join(
    JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_LEAF.c.entry_id
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry that is to be proved, by its place in the tree or by its id."""

    seq: int | None = None
    entry_id: UUID | None = None


def prove(session: Session, wanted: Wanted, checkpoint: str | None = None) -> str:
    """Write the proof that an entry is in the tree of a checkpoint, the newest if none is given.

    Raises: UnsealedError if it is not in the tree; JournalFault if the tiles do not prove it.
    """
    note = checkpoint or published.newest(session).note
    head = published.head_of(note)
    column = JOURNAL_LEAF.c.seq if wanted.entry_id is None else JOURNAL_LEAF.c.entry_id
    value = wanted.seq if wanted.entry_id is None else wanted.entry_id
    found = session.execute(_LEAF.where(column == value)).one_or_none()
    if found is None or head is None or found.seq >= head.size:
        raise UnsealedError
    path = StoredTree(session).inclusion(found.seq, head.size)
    if not proofs.verify_inclusion(leaf_hash(found.leaf), found.seq, head.size, path, head.root):
        raise JournalFault(
            Fault.TREE_MISMATCH,
            "the tiles do not prove this entry: keep the database as it is and run "
            "`journal verify`, which names what differs",
        )
    return written(found.seq, path, found.leaf, note)


def written(index: int, path: Sequence[bytes], leaf: bytes, checkpoint: str) -> str:
    """Write a proof."""
    lines = [_FIRST, f"extra {_encoded(leaf)}", f"index {index}", *map(_encoded, path)]
    return "\n".join(lines) + f"\n\n{checkpoint}"


def checkpoint_in(text: str) -> str | None:
    """Return the checkpoint that a proof ends with; None if the text is no proof."""
    begin, blank, checkpoint = text.partition("\n\n")
    return checkpoint if blank and begin.partition("\n")[0] == _FIRST else None


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()
