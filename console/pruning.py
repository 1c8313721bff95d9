"""Rows that have no more effect: what auditors need of them stands in the journal."""

from datetime import datetime

from sqlalchemy.orm import Session

from console import reveals
from console.access import invitations, throttle

# Attackers decide how many names they try: no commit takes longer for that.
_AT_ONCE = 1000


def prune(session: Session, now: datetime) -> int:
    """Let go of some rows that have no more effect; return how many, none when all are gone."""
    return sum(each.forget(session, now, _AT_ONCE) for each in (throttle, invitations, reveals))
