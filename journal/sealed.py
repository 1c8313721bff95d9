"""Tells other packages' statements which entries are sealed, without showing them the tables."""

from typing import Any

import sqlalchemy as sa

from journal.tables import JOURNAL_LEAF


def is_sealed(entry_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Make the condition that the entry named by this column is in the tree.

    It is looked up for each row by itself: asked whether there is one, a planner may read every
    leaf of the journal first.
    """
    place = sa.select(sa.func.max(JOURNAL_LEAF.c.seq)).where(JOURNAL_LEAF.c.entry_id == entry_id)
    return place.scalar_subquery().is_not(None)
