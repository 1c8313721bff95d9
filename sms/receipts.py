"""Receipts: what operators say became of replies, for every kind of link.

A receipt moves a reply's delivery forward and does nothing else: no send, no PIN, no disclosure, no
word in a conversation follows from it. The one thing that it ends is doubt: a reply whose
acceptance was unknown, or not recorded yet, is accepted once its operator reports that it has it,
so it is not sent again.

How a link hands receipts over (SMPP, Kannel and every other kind alike):

* `take(session, link, receipts, now, peers)` within a `database.write`; what returns is committed
  with it, so acknowledge (`deliver_sm_resp` OK, 200) afterwards, and alike whatever each came to:
  whether an id is known must not show. `count(link, taken)` after the commit puts the results in
  the metrics.
* A receipt names its reply by our own id (`reply_id`, where the protocol carries it back) or by the
  operator's (`key`, made by `message_ids.key_of(id, bases.receipts)`).
* For the second the link's sender returns `Accepted(provider_id, key=key_of(id, bases.accepted))`;
  the key is kept with the reply in the commit that records the acceptance. A receipt that comes
  before that is kept a day and settled within a minute of the acceptance (`settle`).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import usage
from billing.usage import Direction, Usage
from core import log, metrics
from core.db import locked
from core.prepared import among, prepared
from sms import deliveries, early_receipts
from sms.deliveries import LONGEST_ERROR, Delivery, News, Standing
from sms.dispatch import ReplyState
from sms.links.model import Accepted, Link
from sms.tables import OUTBOUND

_log = log.get_logger(__name__)


class Taken(StrEnum):
    """What a receipt came to; whoever sent it is not told."""

    MOVED = "moved"
    REPEATED = "repeated"
    EARLY = "early"
    UNKNOWN = "unknown"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an operator says of one reply, named by our id or by the key of its own.

    *provider_id*: the operator's id as it is written, for call records, if it is told.
    """

    news: News
    reply_id: UUID | None = None
    key: str | None = None
    provider_id: str | None = None


def take(
    session: Session,
    link: Link,
    receipts: Sequence[Receipt],
    now: datetime,
    peers: Collection[int] = (),
) -> list[Taken]:
    """Move the replies that these receipts are about forward, and say what each receipt came to.

    *peers* are the links that share the load with this one: by our own id it reports on their
    replies too. The operator's ids are counted on each link apart.
    """
    meant = _replies_of(session, link, receipts)
    early = [
        (receipt.key, receipt.news)
        for receipt, reply_id in zip(receipts, meant, strict=True)
        if reply_id is None and receipt.key is not None
    ]
    early_receipts.keep(session, link.id, early, now)
    told: dict[UUID, list[Receipt]] = defaultdict(list)
    for receipt, reply_id in zip(receipts, meant, strict=True):
        if reply_id is not None:
            told[reply_id].append(receipt)
    came_to = _move(session, link, told, now, {link.id, *peers})
    return [
        _came_to(receipt, None if reply_id is None else came_to.get(reply_id))
        for receipt, reply_id in zip(receipts, meant, strict=True)
    ]


def accepted(reply_id: UUID, answer: Accepted, now: datetime) -> Receipt:
    """Make what an operator's answer comes to that was waited for no more: it has the reply."""
    news = News(Delivery.QUEUED, now)
    return Receipt(news=news, reply_id=reply_id, key=answer.key, provider_id=answer.provider_id)


def settle(session: Session, links: Mapping[int, Link], now: datetime) -> int:
    """Take the receipts that were here before their replies' acceptance; return how many."""
    found = early_receipts.take_out(session, now)
    told: dict[int, dict[UUID, list[Receipt]]] = defaultdict(lambda: defaultdict(list))
    for each in found:
        told[each.link_id][each.reply_id].append(Receipt(news=each.news))
    for link_id, of_link in sorted(told.items()):
        if link := links.get(link_id):
            _move(session, link, of_link, now, {link_id})
    return len(found)


def count(link: Link, taken: Sequence[Taken]) -> None:
    """Count what receipts came to, and say which link reports on another link's replies."""
    for each in taken:
        metrics.RECEIPTS.labels(link.code, each).inc()
    if foreign := sum(each is Taken.FOREIGN for each in taken):
        _log.warning("receipt.foreign", link=link.code, count=foreign)


def _replies_of(session: Session, link: Link, receipts: Sequence[Receipt]) -> list[UUID | None]:
    """Say which reply each receipt means, as far as it says or an acceptance has told."""
    keys = sorted({each.key for each in receipts if each.reply_id is None and each.key is not None})
    by_key: dict[str, UUID] = {}
    if keys:
        rows = session.execute(_BY_KEY, {"link": link.id, "keys": keys})
        # SMSCs begin their count again: the newest reply of this key is meant.
        by_key = {row.provider_key: row.id for row in sorted(rows, key=lambda row: row.id)}
    return [each.reply_id or by_key.get(each.key or "") for each in receipts]


def _move(
    session: Session,
    link: Link,
    told: Mapping[UUID, Sequence[Receipt]],
    now: datetime,
    theirs: Collection[int],
) -> dict[UUID, Taken]:
    """Take in what is told of each of these replies; those of other links than *theirs* stay."""
    if not told:
        return {}
    rows = session.execute(locked(_BY_ID, session), {"replies": sorted(told)}).all()
    came_to: dict[UUID, Taken] = {}
    moved: list[dict[str, object]] = []
    ended: list[Any] = []
    for row in rows:
        if row.link_id not in theirs:
            came_to[row.id] = Taken.FOREIGN
            continue
        if row.attempt == 0:
            # It never left, so nobody has it whom this could come from.
            continue
        before = _standing(row)
        after = deliveries.advance_all(before, [r.news for r in told[row.id]], of=row.segments)
        came_to[row.id] = Taken.REPEATED if after == before else Taken.MOVED
        if after != before:
            moved.append(_moved(row, after))
        if _ends_doubt(row, told[row.id], now):
            ended.append(row)
    if moved:
        session.execute(_MOVE, moved)
    if ended:
        _accept(session, link, ended, told, now)
    return came_to


def _ends_doubt(row: Any, told: Sequence[Receipt], now: datetime) -> bool:  # noqa: ANN401 (a row of OUTBOUND)
    """Tell whether these receipts show that the operator has a reply, where that is not known."""
    if now > row.expires_at + _BELIEVED:
        return False
    # Each attempt that was refused, or never begun, is certain: nobody has that copy.
    if row.state not in _IN_DOUBT and not (row.state in _MAY_BE_IN_DOUBT and row.unknowns):
        return False
    return any(each.news.state is not Delivery.FAILED for each in told)


def _accept(
    session: Session,
    link: Link,
    rows: Sequence[Any],
    told: Mapping[UUID, Sequence[Receipt]],
    now: datetime,
) -> None:
    """End doubts: who reports on a reply has it, so it is accepted, charged, and not sent again."""
    theirs = {
        row.id: next((each.provider_id for each in told[row.id] if each.provider_id), None)
        for row in rows
    }
    keys = {row.id: next((each.key for each in told[row.id] if each.key), None) for row in rows}
    session.execute(
        _ACCEPT,
        [
            {"which": row.id, "at": now, "theirs": theirs[row.id], "named": keys[row.id]}
            for row in rows
        ],
    )
    usage.record(
        session,
        [
            Usage(
                message_id=row.id,
                link_id=row.link_id,
                direction=Direction.MT,
                operator_message_id=theirs[row.id],
                segments=row.segments,
                encoding=row.encoding,
                at=now,
                status=ReplyState.ACCEPTED,
                reply_class=row.reply,
                is_test=link.is_test,
                answers=row.inbound_id,
            )
            for row in rows
        ],
    )


def _came_to(receipt: Receipt, of_reply: Taken | None) -> Taken:
    if of_reply is not None:
        return of_reply
    return Taken.EARLY if receipt.reply_id is None and receipt.key is not None else Taken.UNKNOWN


def _standing(row: Any) -> Standing:  # noqa: ANN401 (a row of OUTBOUND)
    return Standing(
        state=Delivery(row.delivery) if row.delivery else None,
        at=row.delivery_at,
        error=row.delivery_error,
        parts=row.delivery_parts or 0,
    )


def _moved(row: Any, after: Standing) -> dict[str, object]:  # noqa: ANN401 (a row of OUTBOUND)
    return {
        "which": row.id,
        "became": after.state,
        "since": after.at,
        "why": after.error[:LONGEST_ERROR] if after.error else None,
        "arrived": after.parts,
    }


# So long after the end of a reply's life its operator's word of having it is believed.
_BELIEVED = timedelta(days=7)
# The operator may have the reply; what it refused for good stays refused.
_IN_DOUBT = frozenset({ReplyState.SENDING, ReplyState.UNKNOWN})
_MAY_BE_IN_DOUBT = frozenset({ReplyState.QUEUED, ReplyState.EXPIRED})
_BY_KEY = prepared(
    sa.select(OUTBOUND.c.id, OUTBOUND.c.provider_key).where(
        OUTBOUND.c.link_id == sa.bindparam("link"), among(OUTBOUND.c.provider_key, "keys")
    )
)
_BY_ID: sa.Select[tuple[Any, ...]] = prepared(
    sa.select(
        OUTBOUND.c.id,
        OUTBOUND.c.inbound_id,
        OUTBOUND.c.link_id,
        OUTBOUND.c.reply,
        OUTBOUND.c.state,
        OUTBOUND.c.attempt,
        OUTBOUND.c.unknowns,
        OUTBOUND.c.expires_at,
        OUTBOUND.c.encoding,
        OUTBOUND.c.segments,
        OUTBOUND.c.delivery,
        OUTBOUND.c.delivery_at,
        OUTBOUND.c.delivery_error,
        OUTBOUND.c.delivery_parts,
    )
    .where(among(OUTBOUND.c.id, "replies"))
    .order_by(OUTBOUND.c.id)
)
_MOVE = prepared(
    sa.update(OUTBOUND)
    .where(OUTBOUND.c.id == sa.bindparam("which"))
    .values(
        delivery=sa.bindparam("became"),
        delivery_at=sa.bindparam("since"),
        delivery_error=sa.bindparam("why"),
        delivery_parts=sa.bindparam("arrived"),
    )
)
_ACCEPT = prepared(
    sa.update(OUTBOUND)
    .where(OUTBOUND.c.id == sa.bindparam("which"))
    .values(
        state=ReplyState.ACCEPTED,
        accepted_at=sa.bindparam("at"),
        provider_id=sa.func.coalesce(OUTBOUND.c.provider_id, sa.bindparam("theirs")),
        provider_key=sa.func.coalesce(OUTBOUND.c.provider_key, sa.bindparam("named")),
        blob=None,
        reason=None,
    )
)
