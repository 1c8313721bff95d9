"""What became of a message, asked by the operator's own id: no personal data in the answer."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from journal.journal import Journal
from sms.tables import INBOUND, INBOUND_KEY, OUTBOUND


@dataclass(frozen=True, slots=True)
class Report:
    """How far one message has come; *delivery* is what receipts said of its reply."""

    state: str
    reply: str | None
    reply_state: str | None
    delivery: str | None
    journal_index: int | None


def report(
    session: Session, journal: Journal, link_id: int, operator_message_id: str
) -> Report | None:
    """Say what became of a message; None if the operator never handed it over."""
    row = session.execute(
        sa.select(
            INBOUND.c.state,
            INBOUND.c.entry_id,
            OUTBOUND.c.reply,
            OUTBOUND.c.state.label("reply_state"),
            OUTBOUND.c.delivery,
        )
        .join(INBOUND_KEY, INBOUND_KEY.c.message_id == INBOUND.c.id)
        .outerjoin(OUTBOUND, OUTBOUND.c.inbound_id == INBOUND.c.id)
        .where(
            INBOUND_KEY.c.link_id == link_id,
            INBOUND_KEY.c.operator_message_id == operator_message_id,
        )
    ).one_or_none()
    if row is None:
        return None
    index = journal.index_of(session, row.entry_id) if row.entry_id else None
    return Report(row.state, row.reply, row.reply_state, row.delivery, index)
