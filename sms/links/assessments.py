"""Assessments: who vouched for the channel of a link, until when, and on what grounds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sms.tables import LINK_ASSESSMENT as ASSESSMENT

LONGEST_EVIDENCE, LONGEST_RESPONSIBLE = 500, 100
_DUE_WITHIN, _URGENT_WITHIN = timedelta(days=30), timedelta(days=7)


class Standing(StrEnum):
    """How far an assessment holds; the last two carry help alone."""

    IN_FORCE = "in-force"
    DUE = "due"
    URGENT = "urgent"
    ENDED = "ended"
    MISSING = "missing"

    @property
    def is_warning(self) -> bool:
        """Tell whether somebody has to assess anew; what nobody vouched for is so at will."""
        return self in {Standing.DUE, Standing.URGENT, Standing.ENDED}


@dataclass(frozen=True, slots=True)
class Assessment:
    """That somebody vouches for a channel until then.

    Shape: *responsible* answers for the channel, *by* put it down; *evidence* names a document.
    """

    by: str
    at: datetime
    until: datetime
    evidence: str = ""
    responsible: str = ""


def standing(until: datetime | None, now: datetime) -> Standing:
    """Say how far an assessment holds that lasts until then."""
    if until is None:
        return Standing.MISSING
    left = until - now
    if left <= timedelta():
        return Standing.ENDED
    if left <= _URGENT_WITHIN:
        return Standing.URGENT
    return Standing.DUE if left <= _DUE_WITHIN else Standing.IN_FORCE


def warned_from(now: datetime) -> datetime:
    """Return the instant before which an assessment has to end to be warned of."""
    return now + _DUE_WITHIN


def keep(session: Session, link_id: int, made: Assessment) -> None:
    """Keep an assessment beside those before it."""
    session.execute(
        sa.insert(ASSESSMENT),
        {
            "link_id": link_id,
            "assessed_by": made.by,
            "assessed_at": made.at,
            "assessed_until": made.until,
            "evidence": made.evidence,
            "responsible": made.responsible or made.by,
        },
    )


def of(session: Session, link_id: int) -> list[Assessment]:
    """Return every assessment of a link, the newest first."""
    rows = session.execute(_OF.where(ASSESSMENT.c.link_id == link_id))
    return [Assessment(*row) for row in rows]


def newest(session: Session, link_ids: Collection[int]) -> Mapping[int, Assessment]:
    """Return the newest assessment of each of these links that has one."""
    return {each: made[0] for each in link_ids if (made := of(session, each))}


_OF = sa.select(
    ASSESSMENT.c.assessed_by,
    ASSESSMENT.c.assessed_at,
    ASSESSMENT.c.assessed_until,
    ASSESSMENT.c.evidence,
    ASSESSMENT.c.responsible,
).order_by(ASSESSMENT.c.id.desc())
