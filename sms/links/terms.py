"""What was agreed with an operator about a link, and changes: its numbers, its pace, its part."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sms.links.model import Link
from sms.links.registry import refuse_terminated
from sms.tables import LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is to be as given; None leaves it as it is.

    Units: *send_rate* in segments a second, 0 for as fast as the operator takes them.
    """

    prefixes: str | None = None
    weight: int | None = None
    send_rate: int | None = None


def change(session: Session, link: Link, terms: Terms) -> None:
    """Change what was agreed about a link; with a weight, all of its operator's rest anew.

    Raises: LinkError for a link that is terminated.
    """
    refuse_terminated(session, link)
    this = sa.update(LINK).where(LINK.c.id == link.id)
    if terms.prefixes is not None:
        session.execute(this.values(prefixes=terms.prefixes))
    if terms.send_rate is not None:
        session.execute(this.values(send_rate=terms.send_rate or None))
    if terms.weight is not None:
        session.execute(this.values(resting_weight=terms.weight))
        # What had moved was shares of another whole.
        rested = sa.update(LINK).where(LINK.c.operator == link.operator)
        session.execute(rested.values(weight=LINK.c.resting_weight, shifted_at=None))
