"""Usage: one row for every message in and every message out, which all bills are counted from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from billing.tables import USAGE
from core.clock import vietnam_day
from core.db import dialect_of, upsert
from core.prepared import prepared


class Direction(StrEnum):
    """Which way a message went: from a citizen, or to one."""

    MO = "mo"
    MT = "mt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One message that an operator carried.

    Shape: `message_id` is ours, `operator_message_id` theirs; `reply_class` is for MT alone.
    Units: `segments` is the number of SMS parts.
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


def record(session: Session, rows: Sequence[Usage]) -> None:
    """Add usage, each message once however often it is recorded."""
    if not rows:
        return
    session.execute(_statement(dialect_of(session)), [_row(usage) for usage in rows])


@cache
def _statement(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    statement = upsert(dialect, USAGE)
    return prepared(statement.on_conflict_do_nothing(index_elements=["message_id", "direction"]))


def _row(usage: Usage) -> dict[str, object]:
    return {
        "message_id": usage.message_id,
        "link_id": usage.link_id,
        "direction": usage.direction.value,
        "operator_message_id": usage.operator_message_id,
        "segments": usage.segments,
        "encoding": usage.encoding,
        "at": usage.at,
        "day": vietnam_day(usage.at).isoformat(),
        "status": usage.status,
        "reply_class": usage.reply_class,
        "is_test": usage.is_test,
    }
