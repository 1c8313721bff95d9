"""Statements as somebody else than their maker checks them: signed, and settled, once each.

What is signed is what was sent, by the journal too: who administers the database can change lines
and digest together, and no entry.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from billing import statements
from billing.acts import Act, Told
from billing.errors import StatementError, Why
from billing.periods import Period
from billing.statements import COMPARED, Done, State, Statement

LONGEST_REASON = 200
LONGEST_REFERENCE = 100
_DONE = {Act.SEND: "sent", Act.CLOSE: "signed"}


def close(
    session: Session,
    operator: str,
    period: Period,
    agreed: str | None,
    by: str,
    now: datetime,
    *,
    told: Told | None,
) -> Done:
    """Sign a statement that the operator's records match; *agreed* says why it is one that differs.

    Shape: *told* is the newest that the journal tells of it. Closed once, it is closed. Raises:
    StatementError if whoever made it does this, or it is not in that state, or its lines are not
    those that were sent.
    """
    standing = statements.hold(session, operator, period)
    if standing.is_closed:
        return Done(standing, is_new=False)
    statements.require(
        standing, COMPARED - {State.SENT}, "it is signed once compared with the operator's"
    )
    if standing.state is State.DIFFERENT and not agreed:
        raise StatementError("the operator's records differ: say what was agreed on", Why.DIFFERENT)
    _refuse_maker(standing, by)
    _see_kept(session, standing, told, Act.SEND)
    values = {"state": State.SIGNED, "agreed": agreed, "closed_by": by, "closed_at": now}
    return Done(statements.change(session, standing, values))


def settle(
    session: Session,
    operator: str,
    period: Period,
    reference: str,
    by: str,
    now: datetime,
    *,
    told: Told | None,
) -> Done:
    """Note that what a signed statement comes to was netted; settled once, it is settled.

    Shape: *told* is the newest that the journal tells of it. Raises: StatementError if whoever made
    it does this, or it is not signed, or its lines are not those that were signed.
    """
    standing = statements.hold(session, operator, period)
    if standing.state is State.SETTLED:
        return Done(standing, is_new=False)
    statements.require(standing, {State.SIGNED}, "only what is signed is settled")
    _refuse_maker(standing, by)
    _see_kept(session, standing, told, Act.CLOSE)
    values = {"state": State.SETTLED, "reference": reference, "settled_by": by, "settled_at": now}
    return Done(statements.change(session, standing, values))


def _refuse_maker(standing: Statement, by: str) -> None:
    if by in standing.makers:
        raise StatementError(
            "who has made a statement does not check it: somebody else has to", Why.MAKER
        )


def _see_kept(session: Session, standing: Statement, told: Told | None, act: Act) -> None:
    """See that lines and digest are those of the newest entry, which has to be of this act."""
    if not statements.is_intact(session, standing):
        raise StatementError(
            "its lines are not those that were sent: they were changed since", Why.CHANGED
        )
    if told != Told(act, standing.digest):
        raise StatementError(
            f"the journal's newest sealed entry about it is not of these lines, {_DONE[act]}: it "
            f"was changed in the database; run `billing verify {standing.period}`",
            Why.UNTOLD,
        )
