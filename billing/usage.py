"""Usage: one row for every message in and every message out, which all bills are counted from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.tables import USAGE
from core.clock import vietnam_day
from core.db import dialect_of, upsert
from core.prepared import among, prepared

LONGEST_SHORT_CODE = 32


class Direction(StrEnum):
    """Which way a message went: from a citizen, or to one."""

    MO = "mo"
    MT = "mt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One message that an operator carried.

    Shape: `message_id` is ours, `operator_message_id` theirs; `answers` is the message that a reply
    is to, of which it takes short code and day. Units: `segments` is the number of SMS parts.
    """

    message_id: UUID
    link_id: int
    direction: Direction
    operator_message_id: str | None
    segments: int
    encoding: str
    at: datetime
    status: str
    reply_class: str | None
    is_test: bool
    short_code: str = ""
    answers: UUID | None = None


def record(session: Session, rows: Sequence[Usage]) -> None:
    """Add usage, each message once however often it is recorded."""
    if not rows:
        return
    answered = [usage.answers for usage in rows if usage.answers]
    asked = (
        {row.message_id: row for row in session.execute(_ASKED, {"messages": answered})}
        if answered
        else {}
    )
    session.execute(_statement(dialect_of(session)), [_row(usage, asked) for usage in rows])


def first_at(session: Session, link_id: int, direction: Direction) -> datetime | None:
    """Return when a link first carried a message that way; None if it never did."""
    wanted = sa.select(USAGE.c.at).where(USAGE.c.link_id == link_id, USAGE.c.direction == direction)
    return session.execute(wanted.order_by(USAGE.c.day).limit(1)).scalar()


_ASKED = prepared(
    sa.select(USAGE.c.message_id, USAGE.c.short_code, USAGE.c.day).where(
        among(USAGE.c.message_id, "messages"), USAGE.c.direction == Direction.MO.value
    )
)


@cache
def _statement(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    statement = upsert(dialect, USAGE)
    return prepared(statement.on_conflict_do_nothing(index_elements=["message_id", "direction"]))


def _row(usage: Usage, asked: Mapping[UUID | None, Any]) -> dict[str, object]:
    asking = asked.get(usage.answers)
    return {
        "message_id": usage.message_id,
        "link_id": usage.link_id,
        "direction": usage.direction.value,
        "operator_message_id": usage.operator_message_id,
        "short_code": asking.short_code if asking else usage.short_code[:LONGEST_SHORT_CODE],
        "segments": usage.segments,
        "encoding": usage.encoding,
        "at": usage.at,
        "day": asking.day if asking else vietnam_day(usage.at).isoformat(),
        "status": usage.status,
        "reply_class": usage.reply_class,
        "is_test": usage.is_test,
    }
