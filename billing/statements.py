"""Statements: what an operator and we agree on for a month, and who has made and checked it.

draft → sent → matched or different → signed → settled. Who makes one neither signs nor settles it,
and what is signed does not change: later corrections are lines of a later month.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import kept_lines, lines
from billing.errors import StatementError, Why
from billing.lines import Line
from billing.periods import Period
from billing.tables import STATEMENT
from core.clock import vietnam_day
from core.db import dialect_of, locked, upsert

LONGEST_REASON = 200
LONGEST_REFERENCE = 100


class State(StrEnum):
    """How far a statement has come."""

    DRAFT = "draft"
    SENT = "sent"
    MATCHED = "matched"
    DIFFERENT = "different"
    SIGNED = "signed"
    SETTLED = "settled"


CLOSED = frozenset({State.SIGNED, State.SETTLED})
_MADE_ANEW = frozenset({State.DRAFT, State.DIFFERENT})
_COMPARED = frozenset({State.SENT, State.MATCHED, State.DIFFERENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement without its lines.

    Units: *net_hundredths* of a dong is what the operator owes us; *difference_hundredths* is its
    figure less ours.
    """

    id: int
    operator: str
    period: Period
    state: State
    digest: str
    net_hundredths: int
    opened_by: str
    opened_at: datetime
    sent_by: str | None
    sent_at: datetime | None
    file_digest: str | None
    difference_hundredths: int | None
    reconciled_by: str | None
    reconciled_at: datetime | None
    agreed: str | None
    closed_by: str | None
    closed_at: datetime | None
    reference: str | None
    settled_by: str | None
    settled_at: datetime | None
    forgotten_at: datetime | None

    @property
    def is_closed(self) -> bool:
        """Tell whether it may not change any more."""
        return self.state in CLOSED


@dataclass(frozen=True, slots=True)
class Done:
    """A statement after an act, and whether the act changed it."""

    statement: Statement
    is_new: bool = True


def find(session: Session, operator: str, period: Period) -> Statement | None:
    """Return the statement of a period, if there is one."""
    row = session.execute(_of(operator, period)).one_or_none()
    return None if row is None else _read(row)


def listed(session: Session, operator: str | None = None) -> list[Statement]:
    """Return every statement, the newest period first."""
    wanted = sa.select(STATEMENT).order_by(STATEMENT.c.period.desc(), STATEMENT.c.operator)
    if operator is not None:
        wanted = wanted.where(STATEMENT.c.operator == operator)
    return [_read(row) for row in session.execute(wanted)]


def is_intact(session: Session, statement: Statement) -> bool:
    """Tell whether the lines are those that the digest was made of."""
    kept = kept_lines.load(session, statement.id)
    is_same = lines.digest(statement.operator, statement.period, kept) == statement.digest
    return is_same and lines.net(kept) == statement.net_hundredths


def open_draft(
    session: Session, operator: str, period: Period, found: Sequence[Line], by: str, now: datetime
) -> Done:
    """Make a draft of a period, or make it anew.

    Raises: StatementError if it has been sent and the operator did not differ.
    """
    values = {
        "state": State.DRAFT,
        "opened_by": by,
        "opened_at": now,
        **_of_lines(operator, period, found),
    }
    insert = upsert(dialect_of(session), STATEMENT).on_conflict_do_nothing(
        index_elements=["operator", "period"]
    )
    session.execute(insert.values(operator=operator, period=str(period), **values))
    standing = _hold(session, operator, period)
    _require(standing, _MADE_ANEW, "it is made anew only as a draft, or where the operator differs")
    cleared = dict.fromkeys(("sent_by", "sent_at", "file_digest", "difference_hundredths"))
    cleared |= dict.fromkeys(("reconciled_by", "reconciled_at"))
    kept_lines.store(session, standing.id, found)
    return Done(_change(session, standing, values | cleared))


def send(
    session: Session, operator: str, period: Period, found: Sequence[Line], by: str, now: datetime
) -> Done:
    """Fix the lines of a draft, to be sent to the operator.

    Raises: StatementError if it is no draft, the month is not over, or a price is missing.
    """
    standing = _hold(session, operator, period)
    _require(standing, {State.DRAFT}, "only a draft is sent")
    if vietnam_day(now) <= period.last_day:
        raise StatementError(f"the month {period} is not over yet", Why.RUNNING)
    if missing := lines.unpriced(found):
        what = ", ".join(
            sorted({f"{line.terms.direction} {line.terms.encoding}" for line in missing})
        )
        raise StatementError(
            f"no price is in force for some of what was carried ({what})", Why.UNPRICED
        )
    kept_lines.store(session, standing.id, found)
    values = {
        "state": State.SENT,
        "sent_by": by,
        "sent_at": now,
        **_of_lines(operator, period, found),
    }
    return Done(_change(session, standing, values))


def note_reconciled(
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
    standing = _hold(session, operator, period)
    _require(standing, _COMPARED, "only what was sent and is not signed is compared")
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
    return Done(_change(session, standing, values) if is_new else standing, is_new)


def close(
    session: Session, operator: str, period: Period, agreed: str | None, by: str, now: datetime
) -> Done:
    """Sign a statement that the operator's records match; *agreed* says why it is one that differs.

    Closed once, it is closed. Raises: StatementError if whoever made it does this, or it is not in
    that state, or its lines are not those that were sent.
    """
    standing = _hold(session, operator, period)
    if standing.is_closed:
        return Done(standing, is_new=False)
    _require(standing, _COMPARED - {State.SENT}, "it is signed once compared with the operator's")
    if standing.state is State.DIFFERENT and not agreed:
        raise StatementError("the operator's records differ: say what was agreed on", Why.DIFFERENT)
    _refuse_maker(standing, by)
    if not is_intact(session, standing):
        raise StatementError(
            "its lines are not those that were sent: they were changed since", Why.CHANGED
        )
    values = {"state": State.SIGNED, "agreed": agreed, "closed_by": by, "closed_at": now}
    return Done(_change(session, standing, values))


def settle(
    session: Session, operator: str, period: Period, reference: str, by: str, now: datetime
) -> Done:
    """Note that what a signed statement comes to was netted; settled once, it is settled.

    Raises: StatementError if whoever made it does this, or it is not signed.
    """
    standing = _hold(session, operator, period)
    if standing.state is State.SETTLED:
        return Done(standing, is_new=False)
    _require(standing, {State.SIGNED}, "only what is signed is settled")
    _refuse_maker(standing, by)
    values = {"state": State.SETTLED, "reference": reference, "settled_by": by, "settled_at": now}
    return Done(_change(session, standing, values))


def _hold(session: Session, operator: str, period: Period) -> Statement:
    row = session.execute(locked(_of(operator, period), session)).one_or_none()
    if row is None:
        raise StatementError(
            f"there is no statement of {operator} for {period}: open one", Why.NONE
        )
    return _read(row)


def _require(standing: Statement, states: frozenset[State] | set[State], why: str) -> None:
    if standing.state not in states:
        raise StatementError(
            f"the statement of {standing.operator} for {standing.period} is {standing.state}: "
            f"{why}",
            Why.STATE,
        )


def _refuse_maker(standing: Statement, by: str) -> None:
    if by in (standing.opened_by, standing.sent_by):
        raise StatementError(
            "who has made a statement does not check it: somebody else has to", Why.MAKER
        )


def _change(session: Session, standing: Statement, values: Mapping[str, object]) -> Statement:
    session.execute(sa.update(STATEMENT).where(STATEMENT.c.id == standing.id).values(**values))
    return _read(session.execute(sa.select(STATEMENT).where(STATEMENT.c.id == standing.id)).one())


def _of_lines(operator: str, period: Period, found: Sequence[Line]) -> dict[str, object]:
    return {
        "digest": lines.digest(operator, period, found),
        "net_hundredths": lines.net(found),
    }


def _of(operator: str, period: Period) -> sa.Select[Any]:
    return sa.select(STATEMENT).where(
        STATEMENT.c.operator == operator, STATEMENT.c.period == str(period)
    )


def _read(row: sa.Row[Any]) -> Statement:
    told = row._asdict()
    told["period"], told["state"] = Period.parse(row.period), State(row.state)
    return Statement(**told)
