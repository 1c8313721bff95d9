"""Acts: what officers, operators and the service itself did, as the journal tells auditors."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.keyring import Keyring
from journal import cover, openings
from journal.cover import Part
from journal.entries import Kind
from journal.leaf import SIGNATURE_BYTES
from journal.receipts import receipt_of
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF, JOURNAL_OPEN


@dataclass(frozen=True, slots=True)
class ActTold:
    """One act; *act* is None once it is erased, *index* while it is not sealed."""

    entry_id: UUID
    kind: Kind
    at: datetime
    receipt: str
    index: int | None
    about_somebody: bool
    act: openings.Act | None = field(repr=False)


def page(
    session: Session,
    keyring: Keyring,
    most: int,
    *,
    before: UUID | None = None,
    kind: Kind | None = None,
) -> list[ActTold]:
    """Return the acts before an entry, or the newest; a citizen's lookup is none."""
    wanted = _ACTS if before is None else _ACTS.where(JOURNAL_ENTRY.c.id < before)
    if kind is not None:
        wanted = wanted.where(JOURNAL_ENTRY.c.kind == kind)
    return [_told(keyring, row) for row in session.execute(wanted.limit(most))]


def accounted_for(session: Session, keyring: Keyring, acts: Collection[ActTold]) -> set[int]:
    """Return those leaves of acts that are gone by an order, or lost by a recovery.

    Only by an entry that is in the tree and opens: whoever administers the database can lay rows,
    and seals nothing that our keys open. That its leaf is as it was written, `journal verify` sees.
    """
    gone = {each.index for each in acts if each.act is None and each.index is not None}
    found: set[int] = set()
    if not gone:
        return found
    wanted = _ACTS.where(JOURNAL_ENTRY.c.kind == Kind.ERASE, JOURNAL_LEAF.c.seq.is_not(None))
    for row in session.execute(wanted.add_columns(JOURNAL_ENTRY.c.leaf)):
        told = json.loads(row.leaf[SIGNATURE_BYTES:])
        if told.get("ep") == Part.ALL and _told(keyring, row).act:
            ranges = cover.read(told["es"])
            found |= {leaf for leaf in gone if any(low <= leaf <= high for low, high in ranges)}
    return found


def _told(keyring: Keyring, row: sa.Row[Any]) -> ActTold:
    return ActTold(
        row.id,
        Kind(row.kind),
        row.created_at,
        receipt_of(row.leaf_hash),
        row.seq,
        row.subject_index is not None,
        openings.act(keyring, row.id, row.act_key_id, row.enc_act),
    )


_ACTS: sa.Select[Any] = (
    sa.select(
        JOURNAL_ENTRY.c.id,
        JOURNAL_ENTRY.c.kind,
        JOURNAL_ENTRY.c.created_at,
        JOURNAL_ENTRY.c.leaf_hash,
        JOURNAL_LEAF.c.seq,
        JOURNAL_OPEN.c.act_key_id,
        JOURNAL_OPEN.c.enc_act,
        JOURNAL_OPEN.c.subject_index,
    )
    .outerjoin(JOURNAL_LEAF, JOURNAL_LEAF.c.entry_id == JOURNAL_ENTRY.c.id)
    .outerjoin(JOURNAL_OPEN, JOURNAL_OPEN.c.entry_id == JOURNAL_ENTRY.c.id)
    # The words of the index's own condition, or the databases do not use it.
    .where(sa.text("journal_entry.kind <> 'lookup'"))
    .order_by(JOURNAL_ENTRY.c.id.desc())
)
