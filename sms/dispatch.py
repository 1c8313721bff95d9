"""Replies on their way: what waits, what is claimed, what came of it."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.keyring import Keyring, Sealed
from sms.links.model import Outcome


class ReplyState(StrEnum):
    """Where a reply stands; all but the first two are ends."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReply:
    """A reply on its way into the outbox."""

    id: UUID
    inbound_id: UUID
    link_id: int
    reply: str
    command: str
    priority: int
    discloses: bool
    number_id: int
    trusted_since: datetime | None
    served_by: str | None
    is_test: bool
    to: str = field(repr=False)
    sender: str
    text: str = field(repr=False)
    in_reply_to: str
    encoding: str
    segments: int
    entry_id: UUID | None
    created_at: datetime
    expires_at: datetime
    pin_link_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A reply that may be started now; *attempt* fences whoever claimed it before."""

    id: UUID
    inbound_id: UUID
    link_id: int
    reply: str
    discloses: bool
    is_test: bool
    sealed: Sealed
    encoding: str
    segments: int
    attempt: int
    unknowns: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What a claimed reply says, and to whom."""

    to: str = field(repr=False)
    sender: str
    text: str = field(repr=False)
    in_reply_to: str


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The licence to start ran out, or a stop came first: the reply goes back untouched."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one claim."""

    claimed: Claimed
    outcome: Outcome | NotStarted


def row_of(keyring: Keyring, reply: NewReply) -> dict[str, object]:
    """Make the row of a reply, its text encrypted, outside the transaction."""
    content = json.dumps([reply.to, reply.sender, reply.text, reply.in_reply_to]).encode()
    sealed = keyring.encrypt(
        content, "message", table="outbound", column="blob", row=reply.id.bytes
    )
    return {
        "id": reply.id,
        "inbound_id": reply.inbound_id,
        "link_id": reply.link_id,
        "reply": reply.reply,
        "command": reply.command,
        "priority": reply.priority,
        "discloses": reply.discloses,
        "number_id": reply.number_id,
        "trusted_since": reply.trusted_since,
        "served_by": reply.served_by,
        "pin_link_id": reply.pin_link_id,
        "is_test": reply.is_test,
        "key_id": sealed.key_id,
        "blob": sealed.blob,
        "encoding": reply.encoding,
        "segments": reply.segments,
        "entry_id": reply.entry_id,
        "state": ReplyState.QUEUED,
        "attempt": 0,
        "unknowns": 0,
        "created_at": reply.created_at,
        "next_at": reply.created_at,
        "expires_at": reply.expires_at,
    }


def open_content(keyring: Keyring, claimed: Claimed) -> Content:
    """Read what a claimed reply says.

    Raises: DecryptionError.
    """
    plain = keyring.decrypt(claimed.sealed, table="outbound", column="blob", row=claimed.id.bytes)
    return Content(*json.loads(plain))
