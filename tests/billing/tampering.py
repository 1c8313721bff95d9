"""Somebody who may do everything in the database, triggers or not."""

import sqlalchemy as sa
from sqlalchemy.orm import Session


def loosen(session: Session) -> None:
    """Take the triggers off usage, for good."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("ALTER TABLE usage DISABLE TRIGGER USER"))
        return
    for event in ("update", "delete"):
        session.execute(sa.text(f"DROP TRIGGER IF EXISTS usage_{event}"))
