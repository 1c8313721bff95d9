"""Somebody who may do everything in the database, triggers or not."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import kept_lines, lines, statements
from billing.periods import Period
from billing.tables import STATEMENT


def loosen(session: Session) -> None:
    """Take the triggers off usage, for good."""
    _loosen(session, "usage")


def loosen_statements(session: Session) -> None:
    """Take the triggers off statements and their lines, for good."""
    for table in ("statement", "statement_line"):
        _loosen(session, table)


def _loosen(session: Session, table: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return
    for event in ("insert", "update", "delete"):
        session.execute(sa.text(f"DROP TRIGGER IF EXISTS {table}_{event}"))


def rewrite(session: Session, operator: str, period: Period) -> None:
    """Count a message less in a statement, and write its digest and sum of money anew."""
    found = statements.find(session, operator, period)
    assert found is not None
    first, *rest = kept_lines.load(session, found.id)
    changed = [replace(first, messages=first.messages - 1, parts=first.parts - 1), *rest]
    kept_lines.store(session, found.id, changed)
    digest, net = lines.digest(operator, period, changed), lines.net(changed)
    wanted = sa.update(STATEMENT).where(STATEMENT.c.id == found.id)
    session.execute(wanted.values(digest=digest, net_hundredths=net))
