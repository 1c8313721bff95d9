"""Statements and the operator's records: what comparing them came to, and when that is over."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import statements
from billing.periods import Period
from billing.statements import COMPARED, OF_COMPARISON, Done, State
from billing.tables import STATEMENT
from core.db import locked


def note(
    session: Session,
    operator: str,
    period: Period,
    *,
    matches: bool,
    file_digest: str,
    difference_hundredths: int,
    by: str,
    now: datetime,
) -> Done:
    """Note what the comparison with the operator's records came to.

    Units: *difference_hundredths* is the operator's figure less ours. Raises: StatementError if the
    statement was not sent, or is signed.
    """
    standing = statements.hold(session, operator, period)
    statements.require(standing, COMPARED, "only what was sent and is not signed is compared")
    values: dict[str, object] = {
        "state": State.MATCHED if matches else State.DIFFERENT,
        "file_digest": file_digest,
        "difference_hundredths": difference_hundredths,
        "reconciled_by": by,
        "reconciled_at": now,
    }
    is_new = any(
        getattr(standing, name) != values[name]
        for name in ("state", "file_digest", "difference_hundredths")
    )
    return Done(statements.change(session, standing, values) if is_new else standing, is_new)


def outdate(session: Session, operator: str, period: Period) -> State | None:
    """Have a statement compared anew, for the operator's files are others; return what it was.

    Shape: None where it was not compared, or there is none. Raises: StatementError if it is signed.
    """
    if statements.find(session, operator, period) is None:
        return None
    standing = statements.hold(session, operator, period)
    statements.require(standing, COMPARED | {State.DRAFT}, "its files do not change any more")
    if standing.state in {State.DRAFT, State.SENT}:
        return None
    statements.change(session, standing, {"state": State.SENT, **dict.fromkeys(OF_COMPARISON)})
    return standing.state


def outdate_all(session: Session, operator: str) -> list[Period]:
    """Have what an operator was compared on, and is not signed, compared anew; return the months.

    For whatever decides in all of them, as a contract's tolerance does.
    """
    of_them = sa.select(STATEMENT.c.period).where(
        STATEMENT.c.operator == operator, STATEMENT.c.state.in_(COMPARED - {State.SENT})
    )
    # Held, so that none is signed meanwhile; in the order in which sending holds them.
    held = session.scalars(locked(of_them.order_by(STATEMENT.c.id), session)).all()
    months = sorted(map(Period.parse, held))
    for each in months:
        outdate(session, operator, each)
    return months
