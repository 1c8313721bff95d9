"""Assessments: who vouched for the channel of a link, until when, and on what grounds."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sms.tables import LINK_ASSESSMENT as ASSESSMENT

LONGEST_EVIDENCE = 500


@dataclass(frozen=True, slots=True)
class Assessment:
    """That somebody vouches for a channel until then."""

    by: str
    at: datetime
    until: datetime
    evidence: str = ""


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
        },
    )


def of(session: Session, link_id: int) -> list[Assessment]:
    """Return every assessment of a link, the newest first."""
    columns = ASSESSMENT.c
    wanted = (
        sa.select(
            columns.assessed_by, columns.assessed_at, columns.assessed_until, columns.evidence
        )
        .where(columns.link_id == link_id)
        .order_by(columns.id.desc())
    )
    return [Assessment(*row) for row in session.execute(wanted)]
