"""How long usage is kept: 24 months, and no shorter than until its month is settled.

What is forgotten can be told no more from usage; the statement's lines and their digest stay.
"""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import statements
from billing.drafts import Account
from billing.periods import Period
from billing.statements import State
from billing.tables import STATEMENT, USAGE
from core.clock import vietnam_day

KEPT_MONTHS = 24
_AT_ONCE = 5_000


def forget(
    session: Session, accounts: Iterable[Account], now: datetime, *, most: int = _AT_ONCE
) -> int:
    """Forget up to *most* rows of usage that is settled and old enough; return how many.

    Shape: call until nothing is left, each time in a transaction of its own. A month counts as
    forgotten from its first row on: what is left of it would correct it.
    """
    by_name = {account.operator: account for account in accounts}
    for statement in statements.listed(session):
        if statement.state is not State.SETTLED or not _is_old(statement.period, now):
            continue
        if statement.forgotten_at is None:
            this = sa.update(STATEMENT).where(STATEMENT.c.id == statement.id)
            session.execute(this.values(forgotten_at=now))
        account = by_name.get(statement.operator)
        if account and (gone := _forget(session, account, statement.period, most)):
            return gone
    return 0


def _is_old(period: Period, now: datetime) -> bool:
    today = vietnam_day(now)
    months = (today.year - period.year) * 12 + today.month - period.month
    return months > KEPT_MONTHS


def _forget(session: Session, account: Account, period: Period, most: int) -> int:
    first, last = period.first_day.isoformat(), period.last_day.isoformat()
    some = (
        sa.select(USAGE.c.id)
        .where(USAGE.c.link_id.in_(sorted(account.links)), USAGE.c.day.between(first, last))
        .limit(most)
    )
    gone = sa.delete(USAGE).where(USAGE.c.id.in_(some)).returning(USAGE.c.id)
    return len(session.execute(gone).all())
