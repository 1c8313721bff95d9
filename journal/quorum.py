"""When a quorum of witnesses last stood behind the journal, told from the database alone.

Nothing here remembers: the times are those that the witnesses signed, so every process and every
restart comes to the same answer. ADR 0015.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from journal import checkpoint, cosignature
from journal.cosignature import Cosignature, WitnessKey
from journal.errors import NoteError
from journal.policy import Policy
from journal.tables import JOURNAL_CHECKPOINT

LATE_AFTER = timedelta(minutes=10)
MISSING_AFTER = timedelta(hours=4)
# A witness whose clock is further ahead would stand behind what it has not seen yet.
MOST_AHEAD = timedelta(minutes=5)
_PAGE = 16

_COSIGNED = (
    sa.select(
        JOURNAL_CHECKPOINT.c.size, JOURNAL_CHECKPOINT.c.note, JOURNAL_CHECKPOINT.c.cosignatures
    )
    .where(
        JOURNAL_CHECKPOINT.c.cosignatures.is_not(None),
        JOURNAL_CHECKPOINT.c.size < sa.bindparam("below", type_=sa.BigInteger),
    )
    .order_by(JOURNAL_CHECKPOINT.c.size.desc())
    .limit(_PAGE)
)
_FIRST_SIGNED = (
    sa.select(JOURNAL_CHECKPOINT.c.signed_at).order_by(JOURNAL_CHECKPOINT.c.size).limit(1)
)

_Row = sa.Row[int, str, str | None]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The newest checkpoint that a quorum stands behind, and since when.

    Shape: without any, *size* is None and *at* is when the log began.
    """

    at: datetime
    size: int | None = None
    note: str = ""
    cosignatures: tuple[Cosignature, ...] = ()

    def is_late(self, now: datetime) -> bool:
        """Tell whether somebody should look at it."""
        return now - self.at > LATE_AFTER

    def is_missing(self, now: datetime) -> bool:
        """Tell whether answers have to wait for it."""
        return now - self.at > MISSING_AFTER


class Quorum:
    """The quorum that one policy demands for one log."""

    def __init__(self, policy: Policy, origin: str) -> None:
        self._policy = policy
        self._origin = origin
        self._keys = [witness.key for witness in policy.witnesses]

    def last(self, session: Session, now: datetime) -> Witnessed:
        """Return the newest checkpoint that reached the quorum."""
        for row in _cosigned(session):
            found = self._of(row, now)
            at = self._policy.reached_at({key: each.at for key, each in found.items()})
            if at is not None:
                return Witnessed(at, row.size, row.note, tuple(found.values()))
        began_at = session.execute(_FIRST_SIGNED).scalar()
        return Witnessed(now if began_at is None else began_at)

    def _of(self, row: _Row, now: datetime) -> dict[WitnessKey, Cosignature]:
        """Return the cosignatures of a stored checkpoint that hold and may be believed."""
        text = row.note.rpartition("\n\n")[0] + "\n"
        try:
            head = checkpoint.parse(text, self._origin)
        except NoteError:
            return {}
        if head.size != row.size:
            return {}
        found = cosignature.verified(text, row.cosignatures, self._keys)
        return {key: each for key, each in found.items() if each.at - now <= MOST_AHEAD}


def _cosigned(session: Session) -> Iterator[_Row]:
    """Yield the cosigned checkpoints, the newest first."""
    below = 2**63 - 1
    while rows := session.execute(_COSIGNED, {"below": below}).all():
        yield from rows
        below = rows[-1].size
