"""The end of a link, by two: one asks, another agrees, and what it could be opened by is gone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of, locked, upsert
from sms.links import registry
from sms.links.errors import LinkError
from sms.links.model import Link
from sms.tables import LINK_ENDING as ENDING

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Ending:
    """That somebody asked to end a link for good, and, once it has ended, who agreed."""

    reason: str
    asked_by: str
    asked_at: datetime
    agreed_by: str | None
    agreed_at: datetime | None


def find(session: Session, link_id: int) -> Ending | None:
    """Return what was asked about the end of a link, if anything was."""
    wanted = _OF.where(ENDING.c.link_id == link_id)
    return _read(session.execute(wanted).one_or_none())


def ask(session: Session, link: Link, reason: str, by: str, now: datetime) -> None:
    """Ask that a link be ended for good; somebody else then agrees.

    Raises: LinkError if somebody has asked already, or the link is terminated.
    """
    registry.refuse_terminated(session, link)
    statement = upsert(dialect_of(session), ENDING).on_conflict_do_nothing()
    values = {"link_id": link.id, "reason": reason, "asked_by": by, "asked_at": now}
    made = session.execute(statement.returning(ENDING.c.link_id), values).scalar()
    if made is None:
        raise LinkError(f"somebody has asked already to end {link.code}: another officer agrees")


def refuse(session: Session, link: Link) -> None:
    """Let a link go on that somebody asked to end.

    Raises: LinkError if nobody has asked, or it has ended.
    """
    _standing(session, link)
    session.execute(sa.delete(ENDING).where(ENDING.c.link_id == link.id))


def agree(session: Session, link: Link, by: str, now: datetime) -> Ending:
    """End a link for good that somebody else has asked to end.

    Raises: LinkError if nobody has, the same person did, or it has ended.
    """
    found = _standing(session, link)
    if found.asked_by == by:
        raise LinkError("who asked to end a link does not end it: somebody else has to")
    registry.terminate(session, link, found.reason, now)
    this = sa.update(ENDING).where(ENDING.c.link_id == link.id)
    session.execute(this.values(agreed_by=by, agreed_at=now))
    return found


def _standing(session: Session, link: Link) -> Ending:
    registry.refuse_terminated(session, link)
    wanted = _OF.where(ENDING.c.link_id == link.id)
    found = _read(session.execute(locked(wanted, session)).one_or_none())
    if found is None:
        raise LinkError(f"nobody has asked yet to end {link.code}: one asks, another agrees")
    return found


def _read(row: sa.Row[*tuple[Any, ...]] | None) -> Ending | None:
    return None if row is None else Ending(*row)


_OF = sa.select(
    ENDING.c.reason, ENDING.c.asked_by, ENDING.c.asked_at, ENDING.c.agreed_by, ENDING.c.agreed_at
)
