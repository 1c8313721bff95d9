"""The queue in front of HANDLE: whose turn it is, and that nobody else takes it meanwhile.

What is leased is a sender, not a message, so a sender's messages are handled one by one in the
order they came in, by however many processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Instant, locked
from core.keyring import Sealed
from core.prepared import among, prepared
from sms.inbound import State
from sms.tables import INBOUND, SENDER

LEASE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The oldest message of one sender, as claimed."""

    id: UUID
    link_id: int
    operator_message_id: str
    sender_id: int
    sealed: Sealed
    received_at: datetime
    stored_at: datetime
    attempts: int
    history: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """How one message ended."""

    id: UUID
    sender_id: int
    state: State
    reason: str
    command: str
    entry_id: UUID | None
    history: str


def claim(session: Session, token: UUID, now: datetime, *, limit: int) -> list[Waiting]:
    """Lease the senders who have waited longest and take the oldest message of each.

    A message whose earlier attempt ended without outcome comes alone: what broke it must not
    break others with it.
    """
    leased = _lease(session, token, now, limit)
    if not leased:
        return []
    messages = _oldest_of_each(session, leased)
    alone = [message for message in messages if message.attempts > 0][:1]
    taken = alone or messages
    others = set(leased) - {message.sender_id for message in taken}
    if others:
        _free(session, token, others)
    session.execute(_ATTEMPT, {"messages": [message.id for message in taken]})
    return taken


def hold(session: Session, token: UUID, sender_ids: Sequence[int]) -> set[int]:
    """Lock the rows of these senders in key order; return those that are still ours."""
    wanted = {"senders": sorted(sender_ids), "token": token}
    return set(session.execute(locked(_OURS, session), wanted).scalars())


def finish(session: Session, handled: Sequence[Handled], now: datetime) -> None:
    """Write how these messages ended and let their senders' next ones come."""
    session.execute(
        _FINISH_MESSAGE,
        [
            {
                "which": one.id,
                "ended": one.state,
                "why": one.reason,
                "word": one.command,
                "entry": one.entry_id,
                "at": now,
            }
            for one in handled
        ],
    )
    session.execute(
        _FREE_SENDER,
        [
            {"which": one.sender_id, "is_now": one.history, "at": now}
            for one in sorted(handled, key=lambda one: one.sender_id)
        ],
    )


def give_back(session: Session, token: UUID, messages: Sequence[Waiting]) -> None:
    """Put messages back as if they had not been claimed."""
    if not messages:
        return
    # Whoever leased a sender since counts attempts of its own.
    ours = hold(session, token, [message.sender_id for message in messages])
    session.execute(
        sa.update(INBOUND)
        .where(INBOUND.c.id.in_([m.id for m in messages if m.sender_id in ours]))
        .values(attempts=INBOUND.c.attempts - 1)
    )
    _free(session, token, ours)


def let_go(session: Session, token: UUID, messages: Sequence[Waiting]) -> None:
    """End the lease of messages whose attempt failed; they come back, each alone."""
    _free(session, token, {message.sender_id for message in messages})


def give_up(
    session: Session, token: UUID, messages: Sequence[Waiting], now: datetime
) -> list[Waiting]:
    """End messages that nothing can be done with, not even a word to their senders.

    Shape: those that were ended.
    """
    senders = hold(session, token, [message.sender_id for message in messages])
    ours = [message for message in messages if message.sender_id in senders]
    ended = [
        Handled(
            id=message.id,
            sender_id=message.sender_id,
            state=State.QUARANTINED,
            reason="gave-up",
            command="?",
            entry_id=None,
            history=message.history,
        )
        for message in ours
    ]
    if ended:
        finish(session, ended, now)
    return ours


def take_back(session: Session) -> None:
    """End every lease: on SQLite nobody but this process can hold one."""
    session.execute(
        sa.update(SENDER)
        .where(SENDER.c.lease_token.is_not(None))
        .values(lease_until=None, lease_token=None)
    )


def oldest(session: Session) -> datetime | None:
    """Return since when somebody waits."""
    return session.execute(_OLDEST_OF_ALL).scalar()


def _lease(session: Session, token: UUID, now: datetime, limit: int) -> list[int]:
    free = locked(_FREE_SENDERS, session, skip=True)
    ids = session.execute(free, {"now": now, "most": limit}).scalars().all()
    if ids:
        session.execute(_LEASE, {"senders": ids, "until": now + LEASE, "token": token})
    return list(ids)


def _oldest_of_each(session: Session, sender_ids: Sequence[int]) -> list[Waiting]:
    rows = session.execute(_OLDEST, {"senders": list(sender_ids)})
    return [
        Waiting(
            id=row.id,
            link_id=row.link_id,
            operator_message_id=row.operator_message_id,
            sender_id=row.sender_id,
            sealed=Sealed(row.key_id, row.blob),
            received_at=row.received_at,
            stored_at=row.stored_at,
            attempts=row.attempts,
            history=row.history,
        )
        for row in rows
    ]


def _free(session: Session, token: UUID, sender_ids: set[int]) -> None:
    session.execute(_LET_GO, {"senders": sorted(sender_ids), "token": token})


# The words of the index's own condition, or SQLite reads every sender there ever was.
_OLDEST_OF_ALL = sa.select(sa.func.min(SENDER.c.waiting_since)).where(
    SENDER.c.waiting_since.is_not(None)
)
# A sender who waits shows in the partial index; a lease that has run out counts for nothing.
_FREE_SENDERS = prepared(
    sa.select(SENDER.c.id)
    .where(
        SENDER.c.waiting_since.is_not(None),
        sa.or_(SENDER.c.lease_until.is_(None), SENDER.c.lease_until <= sa.bindparam("now")),
    )
    .order_by(SENDER.c.waiting_since)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_SENDERS = among(SENDER.c.id, "senders")
_OURS = prepared(
    sa.select(SENDER.c.id)
    .where(_SENDERS, SENDER.c.lease_token == sa.bindparam("token"))
    .order_by(SENDER.c.id)
)
_LEASE = prepared(
    sa.update(SENDER)
    .where(_SENDERS)
    .values(lease_until=sa.bindparam("until"), lease_token=sa.bindparam("token"))
)
_LET_GO = prepared(
    sa.update(SENDER)
    .where(_SENDERS, SENDER.c.lease_token == sa.bindparam("token"))
    .values(lease_until=None, lease_token=None)
)
_ATTEMPT = prepared(
    sa.update(INBOUND)
    .where(among(INBOUND.c.id, "messages"))
    .values(attempts=INBOUND.c.attempts + 1)
)
_EARLIER = INBOUND.alias("earlier")
_OLDEST = prepared(
    sa.select(INBOUND, SENDER.c.history)
    .join(SENDER, SENDER.c.id == INBOUND.c.sender_id)
    .where(
        _SENDERS,
        INBOUND.c.id
        == sa.select(_EARLIER.c.id)
        .where(_EARLIER.c.sender_id == SENDER.c.id, sa.text("earlier.state = 'received'"))
        .order_by(_EARLIER.c.id)
        .limit(1)
        .scalar_subquery(),
    )
)
_FINISH_MESSAGE = prepared(
    sa.update(INBOUND)
    .where(INBOUND.c.id == sa.bindparam("which"))
    .values(
        state=sa.bindparam("ended"),
        reason=sa.bindparam("why"),
        command=sa.bindparam("word"),
        entry_id=sa.bindparam("entry"),
        handled_at=sa.bindparam("at"),
    )
)
_FREE_SENDER = prepared(
    sa.update(SENDER)
    .where(SENDER.c.id == sa.bindparam("which"))
    .values(
        waiting=SENDER.c.waiting - 1,
        # Whoever has more goes behind those who wait already.
        waiting_since=sa.case(
            (SENDER.c.waiting > 1, sa.bindparam("at", type_=Instant)), else_=None
        ),
        lease_until=None,
        lease_token=None,
        history=sa.bindparam("is_now"),
    )
)
