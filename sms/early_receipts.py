"""Receipts that came before the operator's id of their reply was known: kept until it is, a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of, locked, upsert
from core.prepared import prepared
from sms.deliveries import LONGEST_ERROR, Delivery, News
from sms.tables import EARLY_RECEIPT, OUTBOUND

_KEPT = timedelta(days=1)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Settled:
    """A receipt whose reply is known by now."""

    link_id: int
    reply_id: UUID
    news: News


def keep(
    session: Session, link_id: int, receipts: Sequence[tuple[str, News]], now: datetime
) -> None:
    """Keep receipts, each with the key of the reply it means, once however often it comes."""
    if not receipts:
        return
    session.execute(
        _statement(dialect_of(session)),
        [
            {
                "link_id": link_id,
                "key": key,
                "part": news.part or 0,
                "state": news.state.value,
                "at": news.at,
                "error": (news.error or "")[:LONGEST_ERROR],
                "kept_at": now,
            }
            for key, news in receipts
        ],
    )


def take_out(session: Session, now: datetime) -> list[Settled]:
    """Hand over the receipts whose replies are known by now, and drop those a day old."""
    session.execute(sa.delete(EARLY_RECEIPT).where(EARLY_RECEIPT.c.kept_at < now - _KEPT))
    found = session.execute(locked(_KNOWN, session, skip=True, of=EARLY_RECEIPT)).all()
    # An id that began again is several replies', of which the newest is meant.
    newest = {tuple(_key(row).values()): row for row in sorted(found, key=lambda r: r.reply_id)}
    if newest:
        session.execute(_DROP, [_key(row) for row in newest.values()])
    return [
        Settled(
            row.link_id,
            row.reply_id,
            News(Delivery(row.state), row.at, row.part or None, row.error or None),
        )
        for row in newest.values()
    ]


def _key(row: sa.Row[Any]) -> dict[str, object]:
    return {f"its_{name}": getattr(row, name) for name in _KEY}


_KEY = ("link_id", "key", "part", "state")
_KNOWN: sa.Select[tuple[Any, ...]] = (
    sa.select(EARLY_RECEIPT, OUTBOUND.c.id.label("reply_id"))
    .join(
        OUTBOUND,
        sa.and_(
            OUTBOUND.c.link_id == EARLY_RECEIPT.c.link_id,
            OUTBOUND.c.provider_key == EARLY_RECEIPT.c.key,
        ),
    )
    .order_by(EARLY_RECEIPT.c.kept_at)
    .limit(_AT_ONCE)
)
_DROP = sa.delete(EARLY_RECEIPT).where(
    *(EARLY_RECEIPT.c[name] == sa.bindparam(f"its_{name}") for name in _KEY)
)


@cache
def _statement(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    return prepared(upsert(dialect, EARLY_RECEIPT).on_conflict_do_nothing())
