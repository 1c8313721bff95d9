"""The stop: what may not leave now, and why.

A stop is a row that is not resumed yet, or the file `stop` in the state folder of this machine.
State that cannot be read counts as stopped.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Instant, dialect_of, metadata, upsert

STOP_FILE = "stop"


class Scope(StrEnum):
    """What a stop covers; `disclosure` lets everything pass but PINs, results and logs."""

    SERVICE = "service"
    LINK = "link"
    COMMAND = "command"
    DISCLOSURE = "disclosure"


class StopReason(StrEnum):
    """Why the service was stopped (domain of the connection contract)."""

    MAINTENANCE = "maintenance"
    FORCE_MAJEURE = "force-majeure"
    MISUSE = "misuse"
    SECURITY = "security"
    JOURNAL_FAULT = "journal-fault"
    REGISTER_FAULT = "register-fault"


STOP = sa.Table(
    "stop",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("key", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("stopped_by", sa.String(100), nullable=False),
    sa.Column("stopped_at", Instant, nullable=False),
    sa.Column("resumed_by", sa.String(200)),
    sa.Column("resumed_at", Instant),
)
sa.Index(
    "uq_stop_in_force",
    STOP.c.scope,
    STOP.c.key,
    unique=True,
    sqlite_where=sa.text("resumed_at IS NULL"),
    postgresql_where=sa.text("resumed_at IS NULL"),
)


_IN_FORCE = sa.select(STOP.c.scope, STOP.c.key).where(STOP.c.resumed_at.is_(None))


@dataclass(frozen=True, slots=True)
class Stops:
    """The stops in force at one moment, as pairs of scope and key."""

    pairs: frozenset[tuple[str, str]] = frozenset()

    def cover(self, *, link: str, command: str) -> bool:
        """Tell whether a message of this link and command may not be worked on at all."""
        wanted = {(Scope.SERVICE, ""), (Scope.LINK, link), (Scope.COMMAND, command)}
        return not wanted.isdisjoint(self.pairs)

    @property
    def disclosure(self) -> bool:
        """Tell whether PINs, results and logs are stopped everywhere."""
        return not {(Scope.SERVICE, ""), (Scope.DISCLOSURE, "")}.isdisjoint(self.pairs)


def in_force(session: Session) -> Stops:
    """Load the stops in force."""
    rows = session.execute(_IN_FORCE).all()
    return Stops(frozenset((row.scope, row.key) for row in rows))


def by_file(state_dir: Path) -> bool:
    """Tell whether this machine is stopped by file; what cannot be told counts as stopped."""
    try:
        (state_dir / STOP_FILE).lstat()
    except FileNotFoundError:
        # A state folder that is gone hides the file rather than lifting the stop.
        return not state_dir.is_dir()
    except OSError:
        return True
    return True


def stop(
    session: Session, scope: Scope, key: str, *, reason: StopReason, by: str, now: datetime
) -> bool:
    """Put a stop in force; return whether it was not already."""
    # Two who stop at once are both right, and one row says so.
    statement = upsert(dialect_of(session), STOP).on_conflict_do_nothing().returning(STOP.c.id)
    row = {"scope": scope, "key": key, "reason": reason, "stopped_by": by, "stopped_at": now}
    return session.execute(statement, row).scalar() is not None
