"""How much waits to be handled and to be sent; a flood is not counted to its end."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sms.dispatch import ReplyState
from sms.tables import OUTBOUND, SENDER

# Of senders and of replies: more is told as at least so many.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits, and since when the first does."""

    count: int
    since: datetime | None


def waiting(session: Session) -> Depth:
    """Return how many messages wait to be handled."""
    return Depth(*session.execute(_WAITING).one())


def outgoing(session: Session) -> dict[ReplyState, Depth]:
    """Return how many replies wait to be sent, and how many are on their way."""
    found = {state: Depth(count, since) for state, count, since in session.execute(_OUTGOING)}
    return {
        state: found.get(state, Depth(0, None)) for state in (ReplyState.QUEUED, ReplyState.SENDING)
    }


_SENDERS = (
    sa.select(SENDER.c.waiting, SENDER.c.waiting_since)
    .where(SENDER.c.waiting_since.is_not(None))
    .order_by(SENDER.c.waiting_since)
    .limit(MOST_COUNTED)
    .subquery("senders")
)
_WAITING = sa.select(
    sa.func.coalesce(sa.func.sum(_SENDERS.c.waiting), 0), sa.func.min(_SENDERS.c.waiting_since)
)
_REPLIES = (
    sa.select(OUTBOUND.c.state, OUTBOUND.c.created_at)
    # The words of the index's own condition, or the databases do not use it.
    .where(sa.text("outbound.state IN ('queued', 'sending')"))
    .limit(MOST_COUNTED)
    .subquery("replies")
)
_OUTGOING = sa.select(
    _REPLIES.c.state,
    sa.func.count(),
    sa.func.min(_REPLIES.c.created_at),
).group_by(_REPLIES.c.state)
