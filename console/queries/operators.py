"""How the links to operators do: what came over each lately, without counting all messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import tariffs
from core.clock import vietnam_day
from records import stops
from records.stops import Stops
from sms.dispatch import ReplyState
from sms.links import assessments, endings, steps
from sms.links.assessments import Assessment
from sms.links.endings import Ending
from sms.links.model import Link, LinkState
from sms.links.steps import Done, Step
from sms.tables import INBOUND, LINK, LINK_SECRET, OUTBOUND
from sms.tally import TALLY

# So many of the newest messages are looked at one by one; what is older is in the tally.
LOOKED_AT = 5_000
_DAY = timedelta(days=1)
_SILENT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a link carried lately.

    Shape: *accepted* of *replies* among the newest messages of all links; *last_in* is to the
    minute where none of those is this link's.
    """

    day: int = 0
    last_in: datetime | None = None
    last_out: datetime | None = None
    replies: int = 0
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A link as the list shows it."""

    link: Link
    traffic: Traffic
    is_stopped: bool
    is_assessed: bool
    assessment: assessments.Standing


@dataclass(frozen=True, slots=True)
class Expiring:
    """A link whose channel somebody has to assess anew."""

    link: Link
    assessment: assessments.Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """A link as its page shows it.

    Units: *price_hundredths* of a dong. Shape: *keyed_at* is when each live secret came.
    """

    line: Line
    price_hundredths: int | None
    created_at: datetime
    keyed_at: tuple[datetime, ...]
    assessments: tuple[Assessment, ...]
    steps: Mapping[Step, Done | None]
    ending: Ending | None


def lines(session: Session, links: Sequence[Link], now: datetime) -> list[Line]:
    """Say how each link does, by operator and code."""
    found, traffic = stops.in_force(session), _traffic(session, now)
    ordered = sorted(links, key=lambda link: (link.operator, link.code))
    return [_line(link, found, traffic, now) for link in ordered]


def expiring(links: Sequence[Link], now: datetime) -> list[Expiring]:
    """Return the links in use whose assessment ends soon or has ended, by their end."""
    found = [
        Expiring(link, assessments.standing(link.assessed_until, now))
        for link in sorted(links, key=lambda link: (link.assessed_until or now, link.code))
        if link.state is LinkState.ACTIVE
    ]
    return [each for each in found if each.assessment.is_warning]


def details(session: Session, link: Link, now: datetime) -> Details:
    """Load everything that the page of a link tells."""
    line = _line(link, stops.in_force(session), _traffic(session, now), now)
    price = tariffs.load(session).to_citizen(link.operator, vietnam_day(now))
    created = sa.select(LINK.c.created_at).where(LINK.c.id == link.id)
    keyed = sa.select(LINK_SECRET.c.created_at).where(
        LINK_SECRET.c.link_id == link.id, LINK_SECRET.c.use == "signing"
    )
    return Details(
        line=line,
        price_hundredths=price,
        created_at=session.execute(created).scalar_one(),
        keyed_at=tuple(session.execute(keyed.order_by(LINK_SECRET.c.id.desc())).scalars()),
        assessments=tuple(assessments.of(session, link.id)),
        steps=steps.of(session, link, now),
        ending=endings.find(session, link.id),
    )


def _line(link: Link, found: Stops, traffic: Mapping[int, Traffic], now: datetime) -> Line:
    is_stopped = found.cover(link=link.code, operator=link.operator, command="")
    return Line(
        link,
        traffic.get(link.id, Traffic()),
        is_stopped,
        link.is_assessed(now),
        assessments.standing(link.assessed_until, now),
    )


def _traffic(session: Session, now: datetime) -> dict[int, Traffic]:
    newest = {row.link_id: row for row in session.execute(_NEWEST)}
    day = {row.link_id: row.messages for row in session.execute(_TALLIED, {"since": now - _DAY})}
    silent = set(session.execute(sa.select(LINK.c.id)).scalars()) - newest.keys()
    before: dict[int, datetime] = {}
    if silent:
        since = {"since": now - _SILENT_FOR, "silent": list(silent)}
        before = {row.link_id: row.minute for row in session.execute(_LAST, since)}
    return {
        **{
            link_id: Traffic(day=day.get(link_id, 0), last_in=before.get(link_id))
            for link_id in silent
        },
        **{
            link_id: Traffic(
                day=day.get(link_id, 0),
                last_in=row.last_in,
                last_out=row.last_out,
                replies=row.replies,
                accepted=row.accepted,
            )
            for link_id, row in newest.items()
        },
    }


_WINDOW = (
    sa.select(INBOUND.c.id, INBOUND.c.link_id, INBOUND.c.stored_at)
    .order_by(INBOUND.c.id.desc())
    .limit(LOOKED_AT)
    .subquery("newest")
)
_NEWEST = (
    sa.select(
        _WINDOW.c.link_id,
        sa.func.max(_WINDOW.c.stored_at).label("last_in"),
        sa.func.max(OUTBOUND.c.accepted_at).label("last_out"),
        sa.func.count(OUTBOUND.c.id).label("replies"),
        sa.func.sum(sa.case((OUTBOUND.c.state == ReplyState.ACCEPTED, 1), else_=0)).label(
            "accepted"
        ),
    )
    .outerjoin(OUTBOUND, OUTBOUND.c.inbound_id == _WINDOW.c.id)
    .group_by(_WINDOW.c.link_id)
)
_SINCE = TALLY.c.minute >= sa.bindparam("since", type_=TALLY.c.minute.type)
_TALLIED = (
    sa.select(TALLY.c.link_id, sa.func.sum(TALLY.c.messages).label("messages"))
    .where(_SINCE)
    .group_by(TALLY.c.link_id)
)
_LAST = (
    sa.select(TALLY.c.link_id, sa.func.max(TALLY.c.minute).label("minute"))
    .where(_SINCE, TALLY.c.link_id.in_(sa.bindparam("silent", expanding=True)))
    .group_by(TALLY.c.link_id)
)
