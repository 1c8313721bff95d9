"""Erased openings that came back with an older copy of the database: they go again."""

import json
from collections.abc import Collection
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database
from journal import cover, erasing, retention, targets
from journal.cover import Cause, Part
from journal.entries import Draft, Kind, Retention
from journal.journal import Journal
from journal.leaf import SIGNATURE_BYTES
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF


def erase_again(database: Database, journal: Journal) -> int:
    """Blank what entries in the tree say was erased, and return how many entries had it back.

    What covers it is in the tree already; that it was done again is an act of its own.
    """
    done = 0
    for part, leaves in database.read(_covers):
        for some in targets.batched(cover.leaves_of(leaves)):
            if database.read(partial(_back, part=part, leaves=some)):
                done += database.write(partial(_blank, journal, part=part, leaves=some))
    return done


def _covers(session: Session) -> list[tuple[Part, str]]:
    wanted = (
        sa.select(JOURNAL_ENTRY.c.leaf)
        .join(JOURNAL_LEAF, JOURNAL_LEAF.c.entry_id == JOURNAL_ENTRY.c.id)
        .where(JOURNAL_ENTRY.c.kind == "erase")
    )
    told = [json.loads(leaf[SIGNATURE_BYTES:]) for leaf in session.execute(wanted).scalars()]
    return [(Part(each["ep"]), each["es"]) for each in told if each.get("ec") == Cause.ORDER]


def _back(session: Session, part: Part, leaves: Collection[int]) -> list[erasing.Standing]:
    return [
        each
        for each in erasing.at_leaves(session, leaves)
        if not each.parts.isdisjoint(retention.parts_of(part))
    ]


def _blank(journal: Journal, session: Session, part: Part, leaves: Collection[int]) -> int:
    found = _back(session, part, leaves)
    if not found:
        return 0
    for name in retention.parts_of(part):
        if gone := [each.entry_id for each in found if name in each.parts]:
            erasing.blank(session, gone, name)
    draft = Draft(
        kind=Kind.ADMIN,
        retention=Retention.ACT,
        actor="system",
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"act": "erase-again", "openings": len(found)},
    )
    journal.write(session, [draft])
    return len(found)
