"""What happened inside: the stages of a message as the service's own tables tell them.

Only made-up people have phones here, so this may show what nobody else is shown: the true reason,
the price, the place in the journal, and the proof of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import tariffs
from billing.tariffs import Tariffs
from core.clock import vietnam_day
from core.db import dialect_of
from journal.errors import JournalFault, UnsealedError
from journal.journal import Journal
from journal.proofs import verify_inclusion
from journal.receipts import receipt_of
from sms.tables import INBOUND, INBOUND_KEY, LINK, OUTBOUND


@dataclass(frozen=True, slots=True)
class Sealing:
    """Where an entry lies in the journal, and the proof that it lies there.

    Shape: *path* runs from the leaf's sibling up to the root's child; *sealed_at* is None where a
    sealer of its own sealed it, at a time between handling and hand-over that is not kept.
    """

    index: int
    leaf_hash: bytes
    receipt: str
    size: int
    root: bytes
    path: tuple[bytes, ...]
    holds: bool
    sealed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inside:
    """One message on its way through the service.

    Units: *part_price* in hundredths of a dong for each segment, None where no price is set.
    """

    operator_message_id: str
    command: str | None
    state: str
    reason: str | None
    received_at: datetime
    stored_at: datetime
    handled_at: datetime | None
    reply: str | None
    reply_state: str | None
    encoding: str | None
    segments: int | None
    accepted_at: datetime | None
    part_price: int | None
    sealing: Sealing | None


def read(
    session: Session, journal: Journal, network: str, message_ids: Collection[str]
) -> Mapping[str, Inside]:
    """Return what happened to the messages of one link, by the operator's ids for them."""
    prices = tariffs.load(session)
    rows = session.execute(_messages(network, message_ids)).all()
    return {row.operator_message_id: _inside(session, journal, row, prices) for row in rows}


def _messages(network: str, message_ids: Collection[str]) -> sa.Select[Any]:
    return (
        sa.select(
            LINK.c.operator,
            INBOUND.c.operator_message_id,
            INBOUND.c.command,
            INBOUND.c.state,
            INBOUND.c.reason,
            INBOUND.c.received_at,
            INBOUND.c.stored_at,
            INBOUND.c.handled_at,
            INBOUND.c.entry_id,
            OUTBOUND.c.reply,
            OUTBOUND.c.state.label("reply_state"),
            OUTBOUND.c.encoding,
            OUTBOUND.c.segments,
            OUTBOUND.c.accepted_at,
        )
        .join(INBOUND_KEY, INBOUND_KEY.c.message_id == INBOUND.c.id)
        .join(LINK, LINK.c.id == INBOUND_KEY.c.link_id)
        .outerjoin(OUTBOUND, OUTBOUND.c.inbound_id == INBOUND.c.id)
        .where(LINK.c.code == network, INBOUND_KEY.c.operator_message_id.in_(list(message_ids)))
    )


def _inside(
    session: Session,
    journal: Journal,
    row: sa.Row[Any],
    prices: Tariffs,
) -> Inside:
    return Inside(
        operator_message_id=row.operator_message_id,
        command=row.command,
        state=row.state,
        reason=row.reason,
        received_at=row.received_at,
        stored_at=row.stored_at,
        handled_at=row.handled_at,
        reply=row.reply,
        reply_state=row.reply_state,
        encoding=row.encoding,
        segments=row.segments,
        accepted_at=row.accepted_at,
        part_price=prices.to_citizen(row.operator, vietnam_day(row.stored_at)),
        sealing=_sealing(session, journal, row) if row.entry_id else None,
    )


def _sealing(session: Session, journal: Journal, row: sa.Row[Any]) -> Sealing | None:
    try:
        found = journal.inclusion(session, row.entry_id)
    except (UnsealedError, JournalFault):
        return None
    return Sealing(
        index=found.index,
        leaf_hash=found.leaf_hash,
        receipt=receipt_of(found.leaf_hash),
        size=found.size,
        root=found.root,
        path=found.path,
        sealed_at=row.handled_at if dialect_of(session) == "sqlite" else None,
        holds=verify_inclusion(found.leaf_hash, found.index, found.size, found.path, found.root),
    )
