"""The three-way check: journal, usage and statements of a month tell of the same messages.

Each question is one statement of the database over the whole month, so it takes no more memory for
a large month than for a small one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import acts, drafts, statements
from billing.acts import Act, Told
from billing.drafts import Account
from billing.periods import Period
from billing.statements import State, Statement
from billing.tables import USAGE
from billing.usage import Direction
from core.ids import first_uuid7
from core.keyring import Keyring
from journal import lookups
from sms.dispatch import ReplyState
from sms.inbound import State as MessageState
from sms.tables import INBOUND, LINK, OUTBOUND

MOST_EXAMPLES = 20
# A message's id is made a little before or after it is stored; a reply goes out within an hour.
_APART = timedelta(hours=2)


class Problem(StrEnum):
    """What does not agree."""

    ENTRY_WITHOUT_USAGE = "entry-without-usage"
    USAGE_WITHOUT_MESSAGE = "usage-without-message"
    USAGE_WITHOUT_REPLY = "usage-without-reply"
    MESSAGE_WITHOUT_USAGE = "message-without-usage"
    REPLY_WITHOUT_USAGE = "reply-without-usage"
    STATEMENT_CHANGED = "statement-changed"
    STATEMENT_UNTOLD = "statement-untold"
    STATEMENT_NOT_RECOMPUTED = "statement-not-recomputed"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, how often there is it, and some of what has it: ids of ours, or operators."""

    problem: Problem
    count: int
    examples: tuple[str, ...]


def check(
    session: Session, keyring: Keyring, period: Period, accounts: Collection[Account]
) -> list[Finding]:
    """Compare journal, usage and statements of a month."""
    found = [statement for statement in statements.listed(session) if statement.period == period]
    is_forgotten = any(statement.forgotten_at is not None for statement in found)
    carried = () if is_forgotten else _carried(session, period)
    told = acts.newest(session, keyring, period, [each.operator for each in found])
    return [*carried, *_of_statements(session, found, told, accounts)]


def _carried(session: Session, period: Period) -> Iterator[Finding]:
    span = (period.starts_at, period.ends_at)
    questions = {
        Problem.ENTRY_WITHOUT_USAGE: _entries_without_usage(*span),
        Problem.USAGE_WITHOUT_MESSAGE: _usage_without_message(period),
        Problem.USAGE_WITHOUT_REPLY: _usage_without_reply(period),
        Problem.MESSAGE_WITHOUT_USAGE: _messages_without_usage(*span),
        Problem.REPLY_WITHOUT_USAGE: _replies_without_usage(*span),
    }
    for problem, question in questions.items():
        counted = sa.select(sa.func.count()).select_from(question.subquery())
        if count := session.execute(counted).scalar_one():
            some = session.execute(question.limit(MOST_EXAMPLES)).scalars()
            yield Finding(problem, count, tuple(str(each) for each in some))


def _entries_without_usage(start: datetime, end: datetime) -> sa.Select[Any]:
    entry = lookups.made_in(start, end).subquery("entry")
    # Bounded, so that what is joined without an index is one month and not everything.
    told = (
        sa.select(INBOUND.c.id, INBOUND.c.entry_id)
        .where(INBOUND.c.entry_id.is_not(None), *_within(INBOUND.c.id, start - 12 * _APART, end))
        .subquery("told")
    )
    return (
        sa.select(entry.c.id)
        .outerjoin(told, told.c.entry_id == entry.c.id)
        .outerjoin(USAGE, _counts(told.c.id, Direction.MO))
        .where(USAGE.c.id.is_(None))
    )


def _usage_without_message(period: Period) -> sa.Select[Any]:
    return (
        sa.select(USAGE.c.message_id)
        .outerjoin(INBOUND, INBOUND.c.id == USAGE.c.message_id)
        .outerjoin(LINK, LINK.c.id == USAGE.c.link_id)
        .where(
            *_of(period, Direction.MO),
            sa.or_(
                INBOUND.c.id.is_(None),
                INBOUND.c.link_id != USAGE.c.link_id,
                INBOUND.c.state != USAGE.c.status,
                INBOUND.c.stored_at != USAGE.c.at,
                USAGE.c.at < period.starts_at,
                USAGE.c.at >= period.ends_at,
                LINK.c.is_test != USAGE.c.is_test,
            ),
        )
    )


def _usage_without_reply(period: Period) -> sa.Select[Any]:
    return (
        sa.select(USAGE.c.message_id)
        .outerjoin(OUTBOUND, OUTBOUND.c.id == USAGE.c.message_id)
        .outerjoin(LINK, LINK.c.id == USAGE.c.link_id)
        .where(
            *_of(period, Direction.MT),
            sa.or_(
                OUTBOUND.c.id.is_(None),
                OUTBOUND.c.link_id != USAGE.c.link_id,
                OUTBOUND.c.segments != USAGE.c.segments,
                OUTBOUND.c.encoding != USAGE.c.encoding,
                LINK.c.is_test != USAGE.c.is_test,
            ),
        )
    )


def _messages_without_usage(start: datetime, end: datetime) -> sa.Select[Any]:
    return (
        sa.select(INBOUND.c.id)
        .outerjoin(USAGE, _counts(INBOUND.c.id, Direction.MO))
        .where(
            *_within(INBOUND.c.id, start, end),
            INBOUND.c.stored_at >= start,
            INBOUND.c.stored_at < end,
            INBOUND.c.state != MessageState.RECEIVED,
            USAGE.c.id.is_(None),
        )
    )


def _replies_without_usage(start: datetime, end: datetime) -> sa.Select[Any]:
    return (
        sa.select(OUTBOUND.c.id)
        .outerjoin(USAGE, _counts(OUTBOUND.c.id, Direction.MT))
        .where(
            *_within(OUTBOUND.c.id, start, end),
            OUTBOUND.c.created_at >= start,
            OUTBOUND.c.created_at < end,
            OUTBOUND.c.state == ReplyState.ACCEPTED,
            USAGE.c.id.is_(None),
        )
    )


def _counts(message: sa.ColumnElement[Any], direction: Direction) -> sa.ColumnElement[bool]:
    return sa.and_(USAGE.c.message_id == message, USAGE.c.direction == direction.value)


def _of(period: Period, direction: Direction) -> tuple[sa.ColumnElement[bool], ...]:
    first, last = period.first_day.isoformat(), period.last_day.isoformat()
    return USAGE.c.direction == direction.value, USAGE.c.day.between(first, last)


def _within(
    column: sa.ColumnElement[Any], start: datetime, end: datetime
) -> tuple[sa.ColumnElement[bool], ...]:
    return column >= first_uuid7(start - _APART), column < first_uuid7(end + _APART)


# What the journal has to tell last of a statement in a state; a draft is counted anew anyway.
_LAST = {
    State.SENT: Act.SEND,
    State.MATCHED: Act.SEND,
    State.DIFFERENT: Act.SEND,
    State.SIGNED: Act.CLOSE,
    State.SETTLED: Act.SETTLE,
}


def _of_statements(
    session: Session,
    found: Iterable[Statement],
    told: Mapping[str, Told],
    accounts: Collection[Account],
) -> Iterator[Finding]:
    by_name = {account.operator: account for account in accounts}
    named: dict[Problem, list[str]] = {}
    for statement in found:
        operator, last = statement.operator, _LAST.get(statement.state)
        if not statements.is_intact(session, statement):
            named.setdefault(Problem.STATEMENT_CHANGED, []).append(operator)
        elif last is not None and told.get(operator) != Told(last, statement.digest):
            named.setdefault(Problem.STATEMENT_UNTOLD, []).append(operator)
        elif last is not None:
            account = by_name.get(operator, Account(operator, frozenset()))
            if drafts.due(session, account, [statement]):
                named.setdefault(Problem.STATEMENT_NOT_RECOMPUTED, []).append(operator)
    for problem, names in sorted(named.items()):
        yield Finding(problem, len(names), tuple(names))
