"""The stop: what may not leave now, and why.

A stop is a row that is not resumed yet, or the file `stop` in the state folder of a machine
(`records.stop_file`). One person stops; two resume. State that cannot be read counts as stopped.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Instant, dialect_of, locked, metadata, upsert
from core.prepared import prepared
from records.errors import NobodyAskedError, SamePersonError, StopError

LONGEST_NOTE = 500


class Scope(StrEnum):
    """What a stop covers; `disclosure` lets everything pass but PINs, results and logs."""

    SERVICE = "service"
    OPERATOR = "operator"
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
    sa.Column("note", sa.String(LONGEST_NOTE), nullable=False, server_default=""),
    sa.Column("stopped_by", sa.String(100), nullable=False),
    sa.Column("stopped_at", Instant, nullable=False),
    sa.Column("resume_asked_by", sa.String(100)),
    sa.Column("resume_asked_at", Instant),
    sa.Column("resume_note", sa.String(LONGEST_NOTE)),
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


_IN_FORCE = prepared(sa.select(STOP.c.scope, STOP.c.key).where(STOP.c.resumed_at.is_(None)))


@dataclass(frozen=True, slots=True)
class Stops:
    """The stops in force at one moment, as pairs of scope and key."""

    pairs: frozenset[tuple[str, str]] = frozenset()

    def cover(self, *, link: str, operator: str, command: str) -> bool:
        """Tell whether a message of this link and command may not be worked on at all."""
        wanted = {
            (Scope.SERVICE, ""),
            (Scope.OPERATOR, operator),
            (Scope.LINK, link),
            (Scope.COMMAND, command),
        }
        return not wanted.isdisjoint(self.pairs)

    @property
    def disclosure(self) -> bool:
        """Tell whether PINs, results and logs are stopped everywhere."""
        return not {(Scope.SERVICE, ""), (Scope.DISCLOSURE, "")}.isdisjoint(self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A stop as somebody orders it.

    Shape: *key* is the operator, link or command; empty for the whole service and for disclosure.
    """

    scope: Scope
    key: str = ""
    reason: StopReason
    note: str = ""
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A stop as it stands."""

    id: int
    scope: Scope
    key: str
    reason: StopReason
    note: str
    stopped_by: str
    stopped_at: datetime
    resume_asked_by: str | None
    resume_asked_at: datetime | None
    resume_note: str | None
    resumed_by: str | None
    resumed_at: datetime | None


def in_force(session: Session) -> Stops:
    """Load the stops in force."""
    rows = session.execute(_IN_FORCE).all()
    return Stops(frozenset((row.scope, row.key) for row in rows))


def standing(session: Session) -> list[Stop]:
    """Return the stops in force, the newest first."""
    return _load(session, STOP.c.resumed_at.is_(None), None)


def ended(session: Session, most: int) -> list[Stop]:
    """Return the last stops that were resumed, the newest first."""
    return _load(session, STOP.c.resumed_at.is_not(None), most)


def find(session: Session, stop_id: int) -> Stop | None:
    """Return one stop."""
    found = _load(session, STOP.c.id == stop_id, None)
    return found[0] if found else None


def stop(session: Session, order: Order, now: datetime) -> int | None:
    """Put a stop in force and return its number; None if it was in force already."""
    # Two who stop at once are both right, and one row says so.
    statement = upsert(dialect_of(session), STOP).on_conflict_do_nothing().returning(STOP.c.id)
    row = {
        "scope": order.scope,
        "key": order.key,
        "reason": order.reason,
        "note": order.note,
        "stopped_by": order.by,
        "stopped_at": now,
    }
    number: int | None = session.execute(statement, row).scalar()
    return number


def ask_resume(session: Session, stop_id: int, *, by: str, note: str, now: datetime) -> Stop:
    """Ask that a stop be lifted; somebody else then lifts it.

    Raises: StopError if it is not in force.
    """
    found = _for_change(session, stop_id)
    _change(session, stop_id, resume_asked_by=by, resume_asked_at=now, resume_note=note)
    return found


def refuse_resume(session: Session, stop_id: int) -> Stop:
    """Let a stop stand that somebody asked to lift.

    Raises: StopError if it is not in force.
    """
    found = _for_change(session, stop_id)
    _change(session, stop_id, resume_asked_by=None, resume_asked_at=None, resume_note=None)
    return found


def resume(session: Session, stop_id: int, *, by: str, now: datetime) -> Stop:
    """Lift a stop that somebody else has asked to lift.

    Raises: StopError if it is not in force, nobody asked, or the same person did.
    """
    found = _for_change(session, stop_id)
    if found.resume_asked_by is None:
        raise NobodyAskedError("nobody has asked yet to lift this stop: one asks, another lifts it")
    if found.resume_asked_by == by:
        raise SamePersonError("who asked to lift a stop does not lift it: somebody else has to")
    _change(session, stop_id, resumed_by=f"{found.resume_asked_by}, {by}", resumed_at=now)
    return found


def _for_change(session: Session, stop_id: int) -> Stop:
    wanted = sa.select(STOP).where(STOP.c.id == stop_id, STOP.c.resumed_at.is_(None))
    row = session.execute(locked(wanted, session)).one_or_none()
    if row is None:
        raise StopError(f"no stop {stop_id} is in force")
    return _read(row)


def _change(session: Session, stop_id: int, **values: object) -> None:
    session.execute(sa.update(STOP).where(STOP.c.id == stop_id).values(**values))


def _load(session: Session, which: sa.ColumnElement[bool], most: int | None) -> list[Stop]:
    wanted = sa.select(STOP).where(which).order_by(STOP.c.id.desc()).limit(most)
    return [_read(row) for row in session.execute(wanted)]


def _read(row: sa.Row[*tuple[object, ...]]) -> Stop:
    values = row._asdict()
    return Stop(
        **{**values, "scope": Scope(values["scope"]), "reason": StopReason(values["reason"])}
    )
