"""The ten steps of connecting an operator: what facts show, and what somebody has to vouch for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import tariffs, usage
from billing.usage import Direction
from core.clock import vietnam_day
from core.db import dialect_of, upsert
from records.stops import STOP, Scope
from sms.links import registry
from sms.links.errors import LinkError
from sms.links.model import Link
from sms.tables import LINK_SECRET, LINK_STEP

LONGEST_NOTE = 200


class Step(StrEnum):
    """A step of connecting an operator, in their order."""

    AGREED = "agreed"
    CONSENTED = "consented"
    SECURED = "secured"
    CONNECTED = "connected"
    KEYED = "keyed"
    PRICED = "priced"
    HEARD = "heard"
    ANSWERED = "answered"
    REHEARSED = "rehearsed"
    ASSESSED = "assessed"


# What no table of ours can know: papers, inspections, lines.
VOUCHED_FOR = frozenset({Step.AGREED, Step.CONSENTED, Step.SECURED, Step.CONNECTED})


@dataclass(frozen=True, slots=True)
class Done:
    """That a step is done: since when, and who says so unless a fact does."""

    at: datetime | None = None
    by: str | None = None
    note: str = ""


def of(session: Session, link: Link, now: datetime) -> Mapping[Step, Done | None]:
    """Say of each step whether it is done."""
    rows = session.execute(sa.select(LINK_STEP).where(LINK_STEP.c.link_id == link.id))
    ticked = {row.step: Done(row.ticked_at, row.ticked_by, row.note) for row in rows}
    facts = {
        Step.KEYED: _at(_keyed_at(session, link)),
        Step.PRICED: Done() if _is_priced(session, link, now) else None,
        Step.HEARD: _at(usage.first_at(session, link.id, Direction.MO)),
        Step.ANSWERED: _at(usage.first_at(session, link.id, Direction.MT)),
        Step.REHEARSED: _at(_rehearsed_at(session, link)),
        Step.ASSESSED: Done(by=link.assessed_by) if link.is_assessed(now) else None,
    }
    return {step: facts.get(step) or ticked.get(step) for step in Step}


def tick(session: Session, link: Link, step: Step, *, by: str, note: str, now: datetime) -> None:
    """Note that somebody vouches for a step.

    Raises: LinkError for one that facts show, and for a link that is terminated.
    """
    _refuse(session, link, step)
    statement = upsert(dialect_of(session), LINK_STEP)
    values = {"ticked_by": by, "ticked_at": now, "note": note}
    put = statement.on_conflict_do_update(index_elements=["link_id", "step"], set_=values)
    session.execute(put, {"link_id": link.id, "step": step, **values})


def untick(session: Session, link: Link, step: Step) -> None:
    """Take back that somebody vouched for a step.

    Raises: LinkError for one that facts show, and for a link that is terminated.
    """
    _refuse(session, link, step)
    mine = (LINK_STEP.c.link_id == link.id, LINK_STEP.c.step == step)
    session.execute(sa.delete(LINK_STEP).where(*mine))


def _refuse(session: Session, link: Link, step: Step) -> None:
    registry.refuse_terminated(session, link)
    if step not in VOUCHED_FOR:
        raise LinkError(f"whether the step {step} is done is seen, not said")


def _at(at: datetime | None) -> Done | None:
    return None if at is None else Done(at)


def _keyed_at(session: Session, link: Link) -> datetime | None:
    newest = sa.select(sa.func.max(LINK_SECRET.c.created_at)).where(
        LINK_SECRET.c.link_id == link.id, LINK_SECRET.c.use == "signing"
    )
    return session.execute(newest).scalar()


def _is_priced(session: Session, link: Link, now: datetime) -> bool:
    return tariffs.load(session).to_citizen(link.operator, vietnam_day(now)) is not None


def _rehearsed_at(session: Session, link: Link) -> datetime | None:
    """Return when the link, or its operator, was last stopped and let go again."""
    theirs = sa.or_(
        sa.and_(STOP.c.scope == Scope.LINK, STOP.c.key == link.code),
        sa.and_(STOP.c.scope == Scope.OPERATOR, STOP.c.key == link.operator),
    )
    return session.execute(sa.select(sa.func.max(STOP.c.resumed_at)).where(theirs)).scalar()
