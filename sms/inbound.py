"""RECEIVE: a message is kept once, under the operator's own id, before it is acknowledged.

Nothing is looked up here, so neither the time nor the bytes of the acknowledgement say anything
about any record.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum, auto
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import phone
from core.clock import vietnam_day
from core.db import dialect_of, upsert
from core.ids import first_uuid7, uuid7
from core.keyring import Keyring, Sealed, row_id
from core.prepared import prepared
from records import quotas
from sms.links.model import Envelope, Link
from sms.tables import INBOUND, INBOUND_KEY, SENDER

_ADD = prepared(sa.insert(INBOUND))
_CONTENT_LABEL = "content/1"
_TEXT_KEPT = timedelta(days=7)
_KEY_KEPT = timedelta(days=35)
_MISSED = timedelta(days=3)
_MISSED_AT_MOST = timedelta(days=60)


class State(StrEnum):
    """Where a message stands; all but `received` are ends, and each message has one."""

    RECEIVED = "received"
    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    QUARANTINED = "quarantined"


class Receipt(Enum):
    """What became of a message that was handed over."""

    NEW = auto()
    REPEATED = auto()
    CONFLICTING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message ready to be stored: encrypted, indexed and tagged outside the transaction."""

    id: UUID
    link_id: int
    operator_message_id: str
    sender_id: int
    sender_tag: bytes = field(repr=False)
    content_tag: bytes = field(repr=False)
    sealed: Sealed
    received_at: datetime
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What a stored message says."""

    sender: str = field(repr=False)
    to: str
    text: str = field(repr=False)


def prepare(keyring: Keyring, link: Link, envelope: Envelope, now: datetime) -> Arrival:
    """Make everything that storing a message needs but the database."""
    # A sender that is no Vietnamese mobile has a queue of its own too, and is refused there.
    number = phone.parse(envelope.sender) or envelope.sender
    tag = keyring.index("phone", number)
    message_id = uuid7()
    content = json.dumps([envelope.sender, envelope.to, envelope.text]).encode()
    return Arrival(
        id=message_id,
        link_id=link.id,
        operator_message_id=envelope.operator_message_id,
        sender_id=row_id(tag),
        sender_tag=tag,
        content_tag=keyring.pepper(_CONTENT_LABEL, content),
        sealed=keyring.encrypt(
            content, "message", table="inbound", column="blob", row=message_id.bytes
        ),
        received_at=envelope.received_at,
        stored_at=now,
    )


def open_content(keyring: Keyring, message_id: UUID, sealed: Sealed) -> Content:
    """Read what a stored message says.

    Raises: DecryptionError.
    """
    plain = keyring.decrypt(sealed, table="inbound", column="blob", row=message_id.bytes)
    return Content(*json.loads(plain))


def store(session: Session, arrivals: Sequence[Arrival]) -> list[Receipt]:
    """Keep messages, but those that their operators handed over before."""
    new = _claim_keys(session, arrivals)
    kept = [arrival for arrival in arrivals if arrival.id in new]
    if kept:
        _join_queue(session, kept)
        session.execute(_ADD, [_row(arrival) for arrival in kept])
    return [
        Receipt.NEW if arrival.id in new else _compare(session, arrival) for arrival in arrivals
    ]


def _row(arrival: Arrival) -> dict[str, object]:
    return {
        "id": arrival.id,
        "link_id": arrival.link_id,
        "operator_message_id": arrival.operator_message_id,
        "sender_id": arrival.sender_id,
        "key_id": arrival.sealed.key_id,
        "blob": arrival.sealed.blob,
        "received_at": arrival.received_at,
        "stored_at": arrival.stored_at,
        "state": State.RECEIVED,
        "attempts": 0,
    }


def _claim_keys(session: Session, arrivals: Sequence[Arrival]) -> set[UUID]:
    """Claim the operators' ids in key order; return our ids of the messages that are new."""
    claimed = session.execute(
        _key_statement(dialect_of(session)),
        [
            {
                "link_id": arrival.link_id,
                "operator_message_id": arrival.operator_message_id,
                "content_tag": arrival.content_tag,
                "message_id": arrival.id,
                "received_at": arrival.stored_at,
            }
            for arrival in sorted(arrivals, key=lambda a: (a.link_id, a.operator_message_id))
        ],
    )
    return set(claimed.scalars())


def _compare(session: Session, arrival: Arrival) -> Receipt:
    known = session.execute(
        sa.select(INBOUND_KEY.c.content_tag).where(
            INBOUND_KEY.c.link_id == arrival.link_id,
            INBOUND_KEY.c.operator_message_id == arrival.operator_message_id,
        )
    ).scalar_one()
    return Receipt.REPEATED if known == arrival.content_tag else Receipt.CONFLICTING


def _join_queue(session: Session, arrivals: Sequence[Arrival]) -> None:
    session.execute(
        _queue_statement(dialect_of(session)),
        [
            {
                "id": arrival.sender_id,
                "tag": arrival.sender_tag,
                "waiting": 1,
                "waiting_since": arrival.stored_at,
                "history": _nothing_yet(vietnam_day(arrival.stored_at)),
            }
            for arrival in sorted(arrivals, key=lambda a: (a.sender_id, a.id))
        ],
    )


@lru_cache(maxsize=2)
def _nothing_yet(day: date) -> str:
    return quotas.dump(quotas.History(day=day))


@cache
def _key_statement(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    # The row comes back where it is new; a count of rows is not told for an INSERT.
    statement = upsert(dialect, INBOUND_KEY).on_conflict_do_nothing()
    return statement.returning(INBOUND_KEY.c.message_id)


@cache
def _queue_statement(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    statement = upsert(dialect, SENDER)
    since = sa.func.coalesce(SENDER.c.waiting_since, statement.excluded.waiting_since)
    changed = {"waiting": SENDER.c.waiting + 1, "waiting_since": since}
    return prepared(statement.on_conflict_do_update(index_elements=["id"], set_=changed))


def forget(session: Session, now: datetime, *, catching_up: bool) -> None:
    """Blank the texts that are a week old, and drop the keys of repeats after 35 days.

    Ids tell when they were made, so each is a range of the primary key and no further index.
    *catching_up*: look further back, for what came due while no process ran.
    """
    missed = _MISSED_AT_MOST if catching_up else _MISSED
    session.execute(
        sa.update(INBOUND)
        .where(
            *_made_before(now - _TEXT_KEPT, missed),
            INBOUND.c.state != State.RECEIVED,
            INBOUND.c.blob.is_not(None),
        )
        .values(blob=None)
    )
    old = sa.select(INBOUND.c.link_id, INBOUND.c.operator_message_id).where(
        *_made_before(now - _KEY_KEPT, missed)
    )
    key = sa.tuple_(INBOUND_KEY.c.link_id, INBOUND_KEY.c.operator_message_id)
    # An operator may have used an id again since it was forgotten: that key is younger.
    is_old = INBOUND_KEY.c.message_id < first_uuid7(now - _KEY_KEPT)
    session.execute(sa.delete(INBOUND_KEY).where(key.in_(old), is_old))


def _made_before(
    instant: datetime, span: timedelta
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Say which messages were made within *span* before *instant*."""
    return INBOUND.c.id >= first_uuid7(instant - span), INBOUND.c.id < first_uuid7(instant)
