"""The fence of a restore: what was under way in a restored database ends, so that nothing revives.

A PIN that was spent since, a reply that was sent since, a message that was answered since: in the
backup they are open still.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from records import pins, stops
from records.stops import Order, Scope, StopReason
from sms.dispatch import ReplyState
from sms.inbound import State
from sms.tables import INBOUND, OUTBOUND, SENDER

_REASON = "restored"
_NOTE = "the journal was recovered after a restore: see docs/operations.md, the restore rule"


def lower(session: Session, *, by: str, now: datetime) -> None:
    """End every message, reply and challenge that is open, and stop disclosure until two resume."""
    pins.void_all(session, now)
    session.execute(
        sa.update(INBOUND)
        .where(INBOUND.c.state == State.RECEIVED)
        .values(state=State.EXPIRED, reason=_REASON, handled_at=now)
    )
    session.execute(
        sa.update(SENDER)
        .where(sa.or_(SENDER.c.waiting > 0, SENDER.c.lease_token.is_not(None)))
        .values(waiting=0, waiting_since=None, lease_until=None, lease_token=None)
    )
    session.execute(
        sa.update(OUTBOUND)
        .where(OUTBOUND.c.state.in_([ReplyState.QUEUED, ReplyState.SENDING]))
        .values(state=ReplyState.EXPIRED, reason=_REASON, blob=None)
    )
    order = Order(scope=Scope.DISCLOSURE, reason=StopReason.JOURNAL_FAULT, note=_NOTE, by=by)
    stops.stop(session, order, now)
