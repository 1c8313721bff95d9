"""Entries found again by what a citizen holds in the hand: a receipt, or a transaction code."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.keyring import Keyring
from journal import openings
from journal.entries import ToldAs
from journal.receipts import code_of, numbers_of, receipt_of
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF, JOURNAL_OPEN, TREE_STATE

_PERSON = "person:"
_PHONE = "phone:"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that is in the tree; whose it is, as long as its identity is kept.

    Shape: *index* counts from 0; *size* is how many entries the tree has now.
    """

    entry_id: UUID
    receipt: str
    at: datetime
    index: int
    size: int
    actor_index: int | None
    subject_index: int | None
    told_as: ToldAs | None


def by_receipt(session: Session, wanted: Collection[str]) -> dict[str, list[Found]]:
    """Find the sealed entries of receipts and codes, as `receipts.read` and `read_code` give them.

    Shape: a receipt has one entry or none; a code, of six symbols, may be that of several.
    """
    found: dict[str, list[Found]] = {each: [] for each in wanted}
    rows = session.execute(_SEALED.where(sa.or_(*(_between(each) for each in wanted)))).all()
    for row in rows:
        receipt = receipt_of(row.leaf_hash)
        entry = Found(
            row.entry_id,
            receipt,
            row.created_at,
            row.seq,
            row.size,
            row.actor_index,
            row.subject_index,
            None if row.told_as is None else ToldAs(row.told_as),
        )
        for name in (receipt, code_of(receipt)):
            if name in found:
                found[name].append(entry)
    return found


def receipts_of(session: Session, entry_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the receipts of these entries, as far as they are sealed."""
    rows = session.execute(_LEAVES, {"entries": list(entry_ids)})
    return {row.entry_id: receipt_of(row.leaf_hash) for row in rows}


def subjects_of(session: Session, keyring: Keyring, entry_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the personal numbers that these entries are about, as far as they are kept."""
    identities = _identities_of(session, keyring, entry_ids)
    return {
        entry_id: who.subject.removeprefix(_PERSON)
        for entry_id, who in identities.items()
        if who.subject is not None
    }


def callers_of(session: Session, keyring: Keyring, entry_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the telephones that asked what these entries tell, as far as they are kept."""
    identities = _identities_of(session, keyring, entry_ids)
    return {
        entry_id: who.actor.removeprefix(_PHONE)
        for entry_id, who in identities.items()
        if who.actor is not None
    }


def acts_of(
    session: Session, keyring: Keyring, entry_ids: Collection[UUID]
) -> dict[UUID, openings.Act]:
    """Return what was done by these entries, as far as it is kept."""
    found = {}
    for row in session.execute(_ACTS, {"entries": list(entry_ids)}):
        what = openings.act(keyring, row.entry_id, row.act_key_id, row.enc_act)
        if what is not None:
            found[row.entry_id] = what
    return found


def _identities_of(
    session: Session, keyring: Keyring, entry_ids: Collection[UUID]
) -> dict[UUID, openings.Identity]:
    found = {}
    for row in session.execute(_IDENTITIES, {"entries": list(entry_ids)}):
        who = openings.identity(keyring, row.entry_id, row.identity_key_id, row.enc_identity)
        if who is not None:
            found[row.entry_id] = who
    return found


def _between(symbols: str) -> sa.ColumnElement[bool]:
    first, last = numbers_of(symbols)
    return JOURNAL_ENTRY.c.receipt.between(first, last)


_IDENTITIES: sa.Select[Any] = sa.select(
    JOURNAL_OPEN.c.entry_id, JOURNAL_OPEN.c.identity_key_id, JOURNAL_OPEN.c.enc_identity
).where(JOURNAL_OPEN.c.entry_id.in_(sa.bindparam("entries", expanding=True)))
_ACTS: sa.Select[Any] = sa.select(
    JOURNAL_OPEN.c.entry_id, JOURNAL_OPEN.c.act_key_id, JOURNAL_OPEN.c.enc_act
).where(JOURNAL_OPEN.c.entry_id.in_(sa.bindparam("entries", expanding=True)))
_LEAVES: sa.Select[Any] = sa.select(JOURNAL_LEAF.c.entry_id, JOURNAL_LEAF.c.leaf_hash).where(
    JOURNAL_LEAF.c.entry_id.in_(sa.bindparam("entries", expanding=True))
)
_SEALED: sa.Select[Any] = (
    sa.select(
        JOURNAL_ENTRY.c.id.label("entry_id"),
        JOURNAL_ENTRY.c.created_at,
        JOURNAL_LEAF.c.seq,
        # The tree's own: what its receipt says is what an auditor finds in an export.
        JOURNAL_LEAF.c.leaf_hash,
        JOURNAL_OPEN.c.actor_index,
        JOURNAL_OPEN.c.subject_index,
        JOURNAL_OPEN.c.told_as,
        TREE_STATE.c.size,
    )
    .join(JOURNAL_LEAF, JOURNAL_LEAF.c.entry_id == JOURNAL_ENTRY.c.id)
    .outerjoin(JOURNAL_OPEN, JOURNAL_OPEN.c.entry_id == JOURNAL_ENTRY.c.id)
    .join(TREE_STATE, sa.true())
)
