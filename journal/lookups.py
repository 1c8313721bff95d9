"""Entries of lookups, for whoever counts them against something else."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.ids import first_uuid7
from journal.entries import Kind
from journal.tables import JOURNAL_ENTRY

# An id is made a little before or after the instant that its entry gives.
_APART = timedelta(hours=1)


def made_in(start: datetime, end: datetime) -> sa.Select[Any]:
    """Select the ids of the entries of lookups of a span, to be joined with what they are about."""
    entry = JOURNAL_ENTRY.c
    return sa.select(entry.id).where(
        entry.kind == Kind.LOOKUP,
        entry.id >= first_uuid7(start - _APART),
        entry.id < first_uuid7(end + _APART),
        entry.created_at >= start,
        entry.created_at < end,
    )
