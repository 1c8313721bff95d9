"""One message with its stages, and the journal's proof of it; nothing of what it says."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from console.queries.messages import ending
from core.keyring import Keyring
from journal.errors import UnsealedError
from journal.journal import Inclusion, Journal
from journal.proofs import verify_inclusion
from journal.receipts import receipt_of
from sms.tables import INBOUND, LINK, OUTBOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What was answered, and how far that has come."""

    id: UUID
    reply: str
    state: str
    reason: str | None
    encoding: str
    segments: int
    attempt: int
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    delivery: str | None
    delivery_at: datetime | None
    delivery_error: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Where an entry lies, and whether the path to the signed root holds: computed now."""

    found: Inclusion
    receipt: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message on its way."""

    id: UUID
    operator_message_id: str
    link: str
    link_kind: str
    is_kept: bool
    ending: str | None
    received_at: datetime
    stored_at: datetime
    handled_at: datetime | None
    state: str
    command: str | None
    reason: str | None
    attempts: int
    entry_id: UUID | None
    reply: Reply | None
    proof: Proof | None


def load(session: Session, keyring: Keyring, journal: Journal, message_id: UUID) -> Message | None:
    """Load one message; None if there is none of this id."""
    wanted = sa.select(INBOUND, LINK.c.code, LINK.c.kind).join(LINK, LINK.c.id == INBOUND.c.link_id)
    row = session.execute(wanted.where(INBOUND.c.id == message_id)).one_or_none()
    if row is None:
        return None
    return Message(
        id=row.id,
        operator_message_id=row.operator_message_id,
        link=row.code,
        link_kind=row.kind,
        is_kept=row.blob is not None,
        ending=ending(keyring, row.id, row.key_id, row.blob),
        received_at=row.received_at,
        stored_at=row.stored_at,
        handled_at=row.handled_at,
        state=row.state,
        command=row.command,
        reason=row.reason,
        attempts=row.attempts,
        entry_id=row.entry_id,
        reply=_reply(session, message_id),
        proof=prove(session, journal, row.entry_id) if row.entry_id else None,
    )


def is_there(session: Session, message_id: UUID) -> bool:
    """Tell whether there is a message of this id."""
    wanted = sa.select(INBOUND.c.id).where(INBOUND.c.id == message_id)
    return session.execute(wanted).one_or_none() is not None


def prove(session: Session, journal: Journal, entry_id: UUID) -> Proof | None:
    """Prove that an entry is in the tree, and check the proof; None if it is not sealed."""
    try:
        found = journal.inclusion(session, entry_id)
    except UnsealedError:
        return None
    holds = verify_inclusion(found.leaf_hash, found.index, found.size, found.path, found.root)
    return Proof(found, receipt_of(found.leaf_hash), holds)


def _reply(session: Session, message_id: UUID) -> Reply | None:
    row = session.execute(
        sa.select(OUTBOUND).where(OUTBOUND.c.inbound_id == message_id)
    ).one_or_none()
    if row is None:
        return None
    return Reply(
        id=row.id,
        reply=row.reply,
        state=row.state,
        reason=row.reason,
        encoding=row.encoding,
        segments=row.segments,
        attempt=row.attempt,
        created_at=row.created_at,
        expires_at=row.expires_at,
        accepted_at=row.accepted_at,
        delivery=row.delivery,
        delivery_at=row.delivery_at,
        delivery_error=row.delivery_error,
    )
