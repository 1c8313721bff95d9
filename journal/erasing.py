"""Openings as they stand in the database, and the blanking of them: a batch at a time."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import ratchet
from core.db import Database, dialect_of, locked
from journal.entries import Kind, Retention
from journal.leaf import SIGNATURE_BYTES
from journal.retention import ACT, IDENTITY
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF, JOURNAL_OPEN

# So many are blanked in one transaction: others wait for it where one process writes at a time.
BATCH = 250
_PAGE = 5000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What these say about other entries stays for as long as it may.
_NEVER_BEFORE_TIME = {Kind.KEY, Kind.ERASE}


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is of a sealed entry's openings; class, month and kind are the leaf's own."""

    entry_id: UUID
    seq: int
    kind: Kind
    retention: Retention
    month: int
    subject_index: int | None
    actor_index: int | None
    parts: frozenset[str]

    @property
    def may_go_early(self) -> bool:
        """Whether an order may erase it before its time."""
        return self.kind not in _NEVER_BEFORE_TIME


def at_leaves(session: Session, leaves: Collection[int]) -> list[Standing]:
    """Load and lock what stands beside these leaves."""
    return _load(session, JOURNAL_LEAF.c.seq.in_(leaves))


def of_entries(session: Session, ids: Collection[UUID]) -> list[Standing]:
    """Load and lock what stands beside these entries."""
    return _load(session, JOURNAL_OPEN.c.entry_id.in_(ids))


def of_people(
    session: Session, subjects: Collection[int], actors: Collection[int]
) -> list[Standing]:
    """Load and lock what stands about somebody, and of what somebody asked."""
    found = _load(session, JOURNAL_OPEN.c.subject_index.in_(subjects)) if subjects else []
    if actors:
        found += _load(session, JOURNAL_OPEN.c.actor_index.in_(actors))
    return sorted({each.seq: each for each in found}.values(), key=lambda each: each.seq)


def blank(session: Session, ids: Collection[UUID], part: str) -> None:
    """Erase the identities or the acts of these entries."""
    if dialect_of(session) == "sqlite":
        # Else what was there would stand in the file until its place is used again.
        session.execute(sa.text("PRAGMA secure_delete = ON"))
    values = _NOTHING[part]
    session.execute(sa.update(JOURNAL_OPEN).where(JOURNAL_OPEN.c.entry_id.in_(ids)).values(values))


def under_keys(
    database: Database, key_ids: Collection[int], batch: int = BATCH
) -> Iterator[list[UUID]]:
    """Go through all openings and yield, in batches, the entries with one under these keys.

    No statement takes long, however many openings there are.
    """
    after, found = UUID(int=0), list[UUID]()
    while page := database.read(partial(_page, after=after)):
        after = page[-1][0]
        found += [
            entry_id
            for entry_id, identity_key_id, act_key_id in page
            if identity_key_id in key_ids or act_key_id in key_ids
        ]
        while len(found) >= batch:
            yield found[:batch]
            del found[:batch]
    if found:
        yield found


def _page(session: Session, after: UUID) -> list[tuple[UUID, int | None, int | None]]:
    return [tuple(row) for row in session.execute(_PAGES, {"after": after})]


def _load(session: Session, wanted: sa.ColumnElement[bool]) -> list[Standing]:
    rows = session.execute(locked(_STANDING.where(wanted), session, of=JOURNAL_OPEN))
    return [_standing(row) for row in rows]


def _standing(row: sa.Row[Any]) -> Standing:
    told = json.loads(row.leaf[SIGNATURE_BYTES:])
    parts = {IDENTITY: row.has_identity, ACT: row.has_act}
    return Standing(
        entry_id=row.entry_id,
        seq=row.seq,
        kind=Kind(told["t"]),
        retention=Retention(told["r"]),
        month=ratchet.month_of(_EPOCH + timedelta(microseconds=told["ts"])),
        subject_index=row.subject_index,
        actor_index=row.actor_index,
        parts=frozenset(part for part, is_there in parts.items() if is_there),
    )


_STANDING: sa.Select[Any] = (
    sa.select(
        JOURNAL_OPEN.c.entry_id,
        JOURNAL_LEAF.c.seq,
        JOURNAL_ENTRY.c.leaf,
        JOURNAL_OPEN.c.subject_index,
        JOURNAL_OPEN.c.actor_index,
        JOURNAL_OPEN.c.enc_identity.is_not(None).label("has_identity"),
        JOURNAL_OPEN.c.enc_act.is_not(None).label("has_act"),
    )
    .join(JOURNAL_LEAF, JOURNAL_LEAF.c.entry_id == JOURNAL_OPEN.c.entry_id)
    .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_OPEN.c.entry_id)
    .order_by(JOURNAL_LEAF.c.seq)
)
_PAGES = (
    sa.select(JOURNAL_OPEN.c.entry_id, JOURNAL_OPEN.c.identity_key_id, JOURNAL_OPEN.c.act_key_id)
    .where(JOURNAL_OPEN.c.entry_id > sa.bindparam("after"))
    .order_by(JOURNAL_OPEN.c.entry_id)
    .limit(_PAGE)
)
_NOTHING: dict[str, dict[str, None]] = {
    IDENTITY: dict.fromkeys(
        (
            "identity_key_id",
            "enc_identity",
            "subject_index",
            "actor_index",
            "embargo_until",
            "told_as",
        )
    ),
    ACT: dict.fromkeys(("act_key_id", "enc_act")),
}
