"""Statements: what an operator and we agree on for a month, and who has made and checked it.

draft → sent → matched or different → signed → settled. Who makes one neither signs nor settles it,
and what is signed does not change: later corrections are lines of a later month.
"""

from collections.abc import Collection, Mapping, Sequence
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
COMPARED = frozenset({State.SENT, State.MATCHED, State.DIFFERENT})
# What a comparison with the operator's records leaves in a statement.
OF_COMPARISON = ("file_digest", "difference_hundredths", "reconciled_by", "reconciled_at")
# Months that were sent, each with the digest of its lines.
Sent = frozenset[tuple[Period, str]]


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

    @property
    def makers(self) -> frozenset[str | None]:
        """Who has made, sent or compared it, and so does not check it."""
        return frozenset({self.opened_by, self.sent_by, self.reconciled_by} - {None})


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


def sent_beside(session: Session, operator: str, period: Period) -> Sent:
    """Return what an operator was sent of other months: a draft holds no correction of those."""
    return frozenset(
        (each.period, each.digest)
        for each in listed(session, operator)
        if each.period != period and each.state is not State.DRAFT
    )


def sent_months(session: Session) -> Mapping[str, Collection[Period]]:
    """Return the months of which each operator was sent a statement."""
    found: dict[str, set[Period]] = {}
    for each in listed(session):
        if each.state is not State.DRAFT:
            found.setdefault(each.operator, set()).add(each.period)
    return found


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
    standing = hold(session, operator, period)
    require(standing, _MADE_ANEW, "it is made anew only as a draft, or where the operator differs")
    cleared = dict.fromkeys(("sent_by", "sent_at", *OF_COMPARISON))
    kept_lines.store(session, standing.id, found)
    return Done(change(session, standing, values | cleared))


def send(
    session: Session,
    operator: str,
    period: Period,
    found: Sequence[Line],
    by: str,
    now: datetime,
    *,
    beside: Sent,
) -> Done:
    """Fix the lines of a draft, to be sent to the operator.

    Shape: *beside* is what was sent of other months before *found* was counted. Raises:
    StatementError if it is no draft, the month is not over, a price is missing, or other months
    were sent since.
    """
    _take_turn(session, operator, period, beside)
    standing = hold(session, operator, period)
    require(standing, {State.DRAFT}, "only a draft is sent")
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
    return Done(change(session, standing, values))


def hold(session: Session, operator: str, period: Period) -> Statement:
    """Return the statement of a period and keep others from changing it meanwhile.

    Raises: StatementError if there is none.
    """
    row = session.execute(locked(_of(operator, period), session)).one_or_none()
    if row is None:
        raise StatementError(
            f"there is no statement of {operator} for {period}: open one", Why.NONE
        )
    return _read(row)


def require(standing: Statement, states: frozenset[State] | set[State], why: str) -> None:
    """See that a statement is in one of these states.

    Raises: StatementError if it is not.
    """
    if standing.state not in states:
        raise StatementError(
            f"the statement of {standing.operator} for {standing.period} is {standing.state}: "
            f"{why}",
            Why.STATE,
        )


def change(session: Session, standing: Statement, values: Mapping[str, object]) -> Statement:
    """Put values into a statement that is held, and return it as it is then."""
    session.execute(sa.update(STATEMENT).where(STATEMENT.c.id == standing.id).values(**values))
    return _read(session.execute(sa.select(STATEMENT).where(STATEMENT.c.id == standing.id)).one())


def _take_turn(session: Session, operator: str, period: Period, beside: Sent) -> None:
    """Have an operator's months be sent one after the other: two could hold the same correction."""
    months = sa.select(STATEMENT.c.id).where(STATEMENT.c.operator == operator)
    session.execute(locked(months.order_by(STATEMENT.c.id), session)).all()
    # Asked after the wait, in which another may have been sent.
    if sent_beside(session, operator, period) != beside:
        raise StatementError(
            f"another month of {operator} was sent while this one was counted, and may hold the "
            "same corrections: nothing was changed, send it once more",
            Why.MOVED,
        )


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
