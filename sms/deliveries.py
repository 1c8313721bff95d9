"""What the network made of a reply, as receipts tell it: twice, out of order, in parts, days late.

Pure. Whatever order receipts come in and however often, they lead to the same state.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

LONGEST_ERROR = 40


class Delivery(StrEnum):
    """How far a reply has come beyond its operator's acceptance, in this order.

    A reply moves forward only. The ends are ordered by how far the text came, and *delivered* is
    the furthest: of two copies of one reply, one may fail or expire after the other arrived.
    """

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"


_RANK = {state: rank for rank, state in enumerate(Delivery)}


@dataclass(frozen=True, slots=True)
class News:
    """What one receipt says.

    Shape: *part* counts from 1 where it speaks of one part of a long text, None of all of it.
    *error* is the operator's own word for what went wrong.
    """

    state: Delivery
    at: datetime
    part: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one reply; *parts* has a bit for each part that arrived."""

    state: Delivery | None = None
    at: datetime | None = None
    error: str | None = None
    parts: int = 0


NOTHING = Standing()


def advance(standing: Standing, news: News, *, of: int) -> Standing:
    """Take in one receipt about a reply of so many parts; what says nothing new changes nothing."""
    parts, state = standing.parts, news.state
    if news.part is not None and of > 1 and state is Delivery.DELIVERED:
        parts |= 1 << (news.part - 1) if 1 <= news.part <= of else 0
        # A text has arrived when all of it has.
        state = Delivery.DELIVERED if parts == (1 << of) - 1 else Delivery.SENT
    if _outdoes(state, news, standing):
        return Standing(state=state, at=news.at, error=news.error, parts=parts)
    return replace(standing, parts=parts)


def advance_all(standing: Standing, news: Iterable[News], *, of: int) -> Standing:
    """Take in receipts one after the other."""
    for each in news:
        standing = advance(standing, each, of=of)
    return standing


def _outdoes(state: Delivery, news: News, standing: Standing) -> bool:
    """Tell whether news comes before what is known: a later state, or the same one earlier."""
    if standing.state is None or standing.at is None:
        return True
    theirs = (-_RANK[state], news.at, news.error or "")
    return theirs < (-_RANK[standing.state], standing.at, standing.error or "")
