"""The outbox: replies that wait to be handed over, claimed under a number that fences the late.

One statement decides what may be sent now: sealed, not stopped, alive, to a number of which nothing
was heard that speaks against it, and never a made-up person's record over a link that carries real
ones.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import locked
from core.keyring import Sealed
from core.prepared import among, prepared
from core.settings import Route
from journal.sealed import is_sealed
from records import numbers
from sms.dispatch import Claimed, NotStarted, ReplyState, Result
from sms.holds import HELD, STOPPED
from sms.links.model import Accepted, LinkState, Refused, Unknown
from sms.tables import LINK, OUTBOUND

LEASE = timedelta(seconds=20)
_MOST_UNKNOWNS = 2
_LONGEST_PAUSE = 30.0
_NOT_STARTED = timedelta(seconds=1)
# The last bit of a priority is set once a reply was started: it stands behind those that were not.
_TRIED, _UNTRIED = -1, -2
_OPEN = sa.text("outbound.state IN ('queued', 'sending')")


def put(session: Session, rows: Sequence[dict[str, object]]) -> None:
    """Put replies into the outbox."""
    if rows:
        session.execute(_PUT, rows)


def claim(
    session: Session,
    now: datetime,
    *,
    limit: int,
    may_disclose: bool,
    rooms: Mapping[int, int] | None = None,
    route: Route = Route.INBOUND,
) -> list[Claimed]:
    """Take replies that may be started now: the most urgent first, and of these those untried.

    *rooms*: how many more of a link may be under way, for the links that this is limited for.
    """
    values = {
        "now": now,
        "due": now,
        "by_serving": route is Route.SERVING,
        "may_disclose": may_disclose,
        "settled": now - numbers.SETTLES,
    }
    statement, left = locked(_CLAIMABLE, session, skip=True, of=OUTBOUND), dict(rooms or {})
    taken: list[Claimed] = []
    is_all = False
    while not is_all:
        full = [link_id for link_id, room in left.items() if room <= 0]
        values |= {"most": limit - len(taken), "full": full}
        rows = session.execute(statement, values).all()
        fitting = [_claimed(row) for row in _within(left, rows)]
        _take(session, fitting, now)
        # What has no room hides what stands behind it: that is looked at without those links.
        is_all = len(fitting) == len(rows) or len(rows) < limit - len(taken)
        taken += fitting
    spent = [one for one in taken if one.unknowns >= _MOST_UNKNOWNS]
    _end(session, [(one, ReplyState.UNKNOWN, "unknown-twice") for one in spent])
    return [one for one in taken if one.unknowns < _MOST_UNKNOWNS]


def record(
    session: Session,
    results: Sequence[Result],
    now: datetime,
    elsewhere: Mapping[UUID, int] | None = None,
) -> None:
    """Write what came of claims; one that was claimed again since changes nothing.

    *elsewhere*: by which other link replies are offered again that nobody has.
    """
    ended: list[tuple[Claimed, ReplyState, str]] = []
    again: list[dict[str, Any]] = []
    accepted: list[dict[str, object]] = []
    for result in results:
        claimed = result.claimed
        match result.outcome:
            case Accepted(provider_id, key):
                accepted.append(_accepted(claimed, provider_id, key, now))
            case NotStarted():
                # At once, a stop by file would have it claimed as fast as the database commits.
                waits = _again(claimed, now + _NOT_STARTED, claimed.unknowns, "not-started")
                again.append(waits | {"rank": _UNTRIED})
            case Refused(reason, True):
                later = now + _pause(claimed.attempt)
                again.append(_again(claimed, later, claimed.unknowns, reason))
            case Refused(reason, _):
                ended.append((claimed, ReplyState.REFUSED, reason))
            case Unknown(reason) if claimed.unknowns + 1 >= _MOST_UNKNOWNS:
                ended.append((claimed, ReplyState.UNKNOWN, reason))
            case Unknown(reason):
                later = now + _pause(claimed.attempt)
                again.append(_again(claimed, later, claimed.unknowns + 1, reason))
    if accepted:
        session.execute(_ACCEPT, accepted)
    _end(session, ended)
    if again:
        ways = elsewhere or {}
        session.execute(
            _PUT_BACK, [one | {"by": ways.get(one["which"], one["by"])} for one in again]
        )


def expire(session: Session, now: datetime) -> int:
    """End the replies whose life is over, whatever held them; return how many."""
    result = session.execute(
        sa.update(OUTBOUND)
        .where(_OPEN, OUTBOUND.c.expires_at <= now)
        .values(
            state=ReplyState.EXPIRED,
            blob=None,
            # What is under way may go out yet.
            unknowns=OUTBOUND.c.unknowns + sa.case((_UNDER_WAY, 1), else_=0),
        )
    )
    return int(getattr(result, "rowcount", 0))


def take_back(session: Session, now: datetime) -> None:
    """End every lease: on SQLite nobody but this process can hold one."""
    session.execute(
        sa.update(OUTBOUND).where(OUTBOUND.c.state == ReplyState.SENDING).values(next_at=now)
    )


def _accepted(
    claimed: Claimed, provider_id: str | None, key: str | None, now: datetime
) -> dict[str, object]:
    return {
        "which": claimed.id,
        "number": claimed.attempt,
        "at": now,
        "theirs": provider_id,
        "named": key,
    }


def _within(left: dict[int, int], rows: Sequence[sa.Row[Any]]) -> list[sa.Row[Any]]:
    """Keep of each link no more than there is room for, and take that from what is left."""
    kept = []
    for row in rows:
        room = left.get(row.link_id)
        if room is None or room > 0:
            kept.append(row)
        if room is not None:
            left[row.link_id] = room - 1
    return kept


def _take(session: Session, claimed: Sequence[Claimed], now: datetime) -> None:
    if claimed:
        session.execute(
            _TAKE,
            [
                {"which": it.id, "number": it.attempt, "doubts": it.unknowns, "lease": now + LEASE}
                for it in claimed
            ],
        )


def _end(session: Session, ended: Sequence[tuple[Claimed, ReplyState, str]]) -> None:
    if ended:
        session.execute(
            _END,
            [
                {"which": one.id, "number": one.attempt, "became": state, "why": reason}
                for one, state, reason in ended
            ],
        )


def _again(claimed: Claimed, at: datetime, unknowns: int, reason: str) -> dict[str, Any]:
    return {
        "by": claimed.link_id,
        "rank": _TRIED,
        "which": claimed.id,
        "number": claimed.attempt,
        "later": at,
        "doubts": unknowns,
        "why": reason,
    }


def _pause(attempt: int) -> timedelta:
    """Wait 1, 2, 4 … 30 seconds, give or take a fifth so that replies do not return in step."""
    seconds = min(2.0 ** min(attempt - 1, 10), _LONGEST_PAUSE)
    return timedelta(seconds=seconds * (0.8 + secrets.randbelow(401) / 1000))


def _claimed(row: sa.Row[Any]) -> Claimed:
    return Claimed(
        id=row.id,
        inbound_id=row.inbound_id,
        link_id=row.link_id,
        reply=row.reply,
        discloses=row.discloses,
        is_test=row.is_test,
        sealed=Sealed(row.key_id, row.blob),
        encoding=row.encoding,
        segments=row.segments,
        attempt=row.attempt + 1,
        # Whoever had claimed it has not said what came of it: it may have gone out.
        unknowns=row.unknowns + (row.state == ReplyState.SENDING),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


# What nothing holds back but its link.
DUE = (
    _OPEN,
    OUTBOUND.c.next_at <= sa.bindparam("due"),
    OUTBOUND.c.expires_at > sa.bindparam("now"),
    sa.or_(OUTBOUND.c.is_test.is_(False), LINK.c.is_test.is_(True)),
    sa.or_(OUTBOUND.c.entry_id.is_(None), is_sealed(OUTBOUND.c.entry_id)),
    sa.or_(
        OUTBOUND.c.discloses.is_(False),
        sa.and_(
            sa.bindparam("may_disclose", type_=sa.Boolean).is_(True),
            sa.not_(STOPPED),
            sa.not_(HELD),
        ),
    ),
)
_CLAIMABLE: sa.Select[tuple[Any, ...]] = prepared(
    sa.select(OUTBOUND)
    .join(LINK, LINK.c.id == OUTBOUND.c.link_id)
    .where(*DUE, LINK.c.state == LinkState.ACTIVE, sa.not_(among(LINK.c.id, "full")))
    .order_by(OUTBOUND.c.priority, OUTBOUND.c.next_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_PUT = prepared(sa.insert(OUTBOUND))
_MINE = (OUTBOUND.c.id == sa.bindparam("which"), OUTBOUND.c.attempt == sa.bindparam("number"))
# What has expired meanwhile has its end; only an operator's acceptance is still worth noting.
_UNDER_WAY = OUTBOUND.c.state == ReplyState.SENDING
_TAKE = prepared(
    sa.update(OUTBOUND)
    .where(OUTBOUND.c.id == sa.bindparam("which"))
    .values(
        state=ReplyState.SENDING,
        priority=OUTBOUND.c.priority.bitwise_or(1),
        attempt=sa.bindparam("number"),
        unknowns=sa.bindparam("doubts"),
        next_at=sa.bindparam("lease"),
    )
)
_ACCEPT = prepared(
    sa.update(OUTBOUND)
    .where(*_MINE)
    .values(
        state=ReplyState.ACCEPTED,
        accepted_at=sa.bindparam("at"),
        provider_id=sa.bindparam("theirs"),
        provider_key=sa.bindparam("named"),
        blob=None,
        reason=None,
    )
)
_END = prepared(
    sa.update(OUTBOUND)
    .where(*_MINE, _UNDER_WAY)
    .values(state=sa.bindparam("became"), reason=sa.bindparam("why"), blob=None)
)
_PUT_BACK = prepared(
    sa.update(OUTBOUND)
    .where(*_MINE, _UNDER_WAY)
    .values(
        state=ReplyState.QUEUED,
        link_id=sa.bindparam("by"),
        priority=OUTBOUND.c.priority.bitwise_and(sa.bindparam("rank", type_=sa.SmallInteger)),
        next_at=sa.bindparam("later"),
        unknowns=sa.bindparam("doubts"),
        reason=sa.bindparam("why"),
    )
)
