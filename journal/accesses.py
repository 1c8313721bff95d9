"""Accesses: who looked at a citizen's record, as far as the journal tells that citizen.

An entry under embargo is neither told nor counted before its time; one that is not sealed let
nothing leave, and is no access.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Instant
from core.keyring import Keyring
from journal import openings
from journal.entries import ToldAs
from journal.openings import Act, Identity
from journal.receipts import receipt_of
from journal.sealed import is_sealed
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF, JOURNAL_OPEN

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Access:
    """One access: when, and what its entry says of who and why."""

    at: datetime
    act: Act = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accesses:
    """The accesses to one record, the newest first; *count* is of all there are.

    *attempts*: how often, lately, somebody asked who was told nothing.
    """

    newest: tuple[Access, ...] = ()
    count: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """One entry about a citizen, whole: its openings are those that its leaf commits to."""

    at: datetime
    kind: str
    receipt: str
    index: int
    embargo_until: datetime | None
    act: Act = field(repr=False)
    identity: Identity = field(repr=False)


def newest(
    session: Session,
    keyring: Keyring,
    subjects: Collection[int],
    now: datetime,
    *,
    most: int,
    attempts_since: datetime,
) -> dict[int, Accesses]:
    """Return the newest accesses to each of these citizens' records, in two statements for all."""
    found: dict[int, list[Access]] = {subject: [] for subject in subjects}
    counts = dict.fromkeys(subjects, 0)
    wanted = {"subjects": list(subjects), "now": now}
    for row in session.execute(_NEWEST, {**wanted, "most": most}):
        counts[row.subject_index] = row.of
        act = openings.act(keyring, row.entry_id, row.act_key_id, row.enc_act)
        if act is not None:
            found[row.subject_index].append(Access(row.created_at, act))
    tried = session.execute(_ATTEMPTS, {**wanted, "since": attempts_since})
    attempts = {row.subject_index: row.times for row in tried}
    return {
        subject: Accesses(tuple(found[subject]), counts[subject], attempts.get(subject, 0))
        for subject in subjects
    }


def every(
    session: Session,
    keyring: Keyring,
    subjects: Collection[int],
    now: datetime,
    *,
    with_embargoed: bool = False,
) -> Iterator[Opened]:
    """Yield every entry about a citizen that is not erased, the newest first.

    *subjects*: the citizen's key under each generation of index keys. *with_embargoed*: also what
    may not be told to the citizen yet.
    Raises: JournalFault if an opening is not what its leaf commits to.
    """
    last: UUID | None = None
    wanted = _EVERY if with_embargoed else _EVERY.where(_IN_THE_OPEN)
    while True:
        page = wanted if last is None else wanted.where(JOURNAL_OPEN.c.entry_id < last)
        named = {"subjects": list(subjects)} | ({} if with_embargoed else {"now": now})
        rows = session.execute(page, named).all()
        for row in rows:
            act = openings.act(keyring, row.entry_id, row.act_key_id, row.enc_act)
            who = openings.identity(keyring, row.entry_id, row.identity_key_id, row.enc_identity)
            if act is not None and who is not None:
                openings.see_that_they_fit(row.leaf, act, who)
                receipt = receipt_of(row.leaf_hash)
                yield Opened(
                    row.created_at, row.kind, receipt, row.seq, row.embargo_until, act, who
                )
        if len(rows) < _PAGE:
            return
        last = rows[-1].entry_id


_ABOUT_THEM = JOURNAL_OPEN.c.subject_index.in_(sa.bindparam("subjects", expanding=True))
_IN_THE_OPEN = sa.or_(
    JOURNAL_OPEN.c.embargo_until.is_(None),
    JOURNAL_OPEN.c.embargo_until <= sa.bindparam("now", type_=Instant),
)
# Ids tell the order of entries; a bound on how many are opened keeps a long history cheap.
_RANKED = (
    sa.select(
        JOURNAL_OPEN.c.entry_id,
        sa.func.row_number()
        .over(partition_by=JOURNAL_OPEN.c.subject_index, order_by=JOURNAL_OPEN.c.entry_id.desc())
        .label("place"),
        sa.func.count().over(partition_by=JOURNAL_OPEN.c.subject_index).label("of"),
    )
    .where(
        _ABOUT_THEM,
        _IN_THE_OPEN,
        JOURNAL_OPEN.c.told_as == ToldAs.ACCESS,
        is_sealed(JOURNAL_OPEN.c.entry_id),
    )
    .subquery("ranked")
)
_NEWEST: sa.Select[Any] = (
    sa.select(
        JOURNAL_OPEN.c.entry_id,
        JOURNAL_OPEN.c.subject_index,
        JOURNAL_OPEN.c.act_key_id,
        JOURNAL_OPEN.c.enc_act,
        JOURNAL_ENTRY.c.created_at,
        _RANKED.c.of,
    )
    .join(_RANKED, _RANKED.c.entry_id == JOURNAL_OPEN.c.entry_id)
    .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_OPEN.c.entry_id)
    .where(_RANKED.c.place <= sa.bindparam("most", type_=sa.Integer))
    .order_by(JOURNAL_OPEN.c.entry_id.desc())
)
_ATTEMPTS: sa.Select[Any] = (
    sa.select(JOURNAL_OPEN.c.subject_index, sa.func.count().label("times"))
    .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_OPEN.c.entry_id)
    .where(
        _ABOUT_THEM,
        _IN_THE_OPEN,
        JOURNAL_OPEN.c.told_as == ToldAs.ATTEMPT,
        JOURNAL_ENTRY.c.created_at >= sa.bindparam("since", type_=Instant),
        is_sealed(JOURNAL_OPEN.c.entry_id),
    )
    .group_by(JOURNAL_OPEN.c.subject_index)
)
_EVERY: sa.Select[Any] = (
    sa.select(
        JOURNAL_OPEN.c.entry_id,
        JOURNAL_OPEN.c.identity_key_id,
        JOURNAL_OPEN.c.enc_identity,
        JOURNAL_OPEN.c.act_key_id,
        JOURNAL_OPEN.c.enc_act,
        JOURNAL_OPEN.c.embargo_until,
        JOURNAL_ENTRY.c.kind,
        JOURNAL_ENTRY.c.leaf,
        JOURNAL_ENTRY.c.created_at,
        JOURNAL_LEAF.c.leaf_hash,
        JOURNAL_LEAF.c.seq,
    )
    .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_OPEN.c.entry_id)
    .join(JOURNAL_LEAF, JOURNAL_LEAF.c.entry_id == JOURNAL_OPEN.c.entry_id)
    .where(_ABOUT_THEM)
    .order_by(JOURNAL_OPEN.c.entry_id.desc())
    .limit(_PAGE)
)
