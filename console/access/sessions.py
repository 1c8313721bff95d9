"""Where officers are logged in: rows that can be listed and ended, behind tokens nobody keeps."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from console.access import officers
from console.access.officers import Officer
from console.tables import OFFICER_SESSION
from core.ids import uuid7

IDLE = timedelta(minutes=10)
ABSOLUTE = timedelta(hours=8)
STEP_UP = timedelta(minutes=5)
# A page a second must not be a write a second.
_SEEN_EVERY = timedelta(seconds=30)
_TOKEN_BYTES = 32


class Ended(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    NEW_LOGIN = "new-login"
    REVOKED = "revoked"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A session in force, and whose it is."""

    id: UUID
    officer: Officer
    address: str
    agent: str
    began_at: datetime
    seen_at: datetime
    stepped_up_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the second factor was shown so lately that dangerous acts are free."""
        return now - self.stepped_up_at <= STEP_UP


def begin(session: Session, officer: Officer, address: str, agent: str, now: datetime) -> str:
    """Begin the one session of an officer and return its token, which is stored nowhere."""
    end_all(session, officer.id, Ended.NEW_LOGIN, now)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.execute(
        sa.insert(OFFICER_SESSION),
        {
            "id": uuid7(),
            "token_hash": _hash(token),
            "officer_id": officer.id,
            "address": address,
            "agent": agent,
            "began_at": now,
            "seen_at": now,
            "stepped_up_at": now,
        },
    )
    officers.logged_in(session, officer.id, now)
    return token


def find(session: Session, token: str, now: datetime) -> Login | None:
    """Return the session of a token, if it is in force."""
    wanted = sa.select(OFFICER_SESSION).where(
        OFFICER_SESSION.c.token_hash == _hash(token), *_in_force(now)
    )
    row = session.execute(wanted).one_or_none()
    return None if row is None else _read(session, row)


def in_force(session: Session, now: datetime) -> list[Login]:
    """Return every session in force, the newest first."""
    wanted = sa.select(OFFICER_SESSION).where(*_in_force(now))
    rows = session.execute(wanted.order_by(OFFICER_SESSION.c.began_at.desc())).all()
    return [_read(session, row) for row in rows]


def is_stale(login: Login, now: datetime) -> bool:
    """Tell whether it is time to note that a session is used."""
    return now - login.seen_at >= _SEEN_EVERY


def see(session: Session, login: Login, now: datetime) -> None:
    """Note that a session is used."""
    _change(session, OFFICER_SESSION.c.id == login.id, seen_at=now)


def step_up(session: Session, login: Login, now: datetime) -> str:
    """Note that the second factor was shown, and return the session's new token."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    mine = OFFICER_SESSION.c.id == login.id
    _change(session, mine, token_hash=_hash(token), stepped_up_at=now, seen_at=now)
    return token


def end(session: Session, session_id: UUID, why: Ended, now: datetime) -> None:
    """End one session."""
    this = sa.and_(OFFICER_SESSION.c.id == session_id, OFFICER_SESSION.c.ended_at.is_(None))
    _change(session, this, ended_at=now, ended_why=why)


def end_all(session: Session, officer_id: int, why: Ended, now: datetime) -> None:
    """End every session of an officer."""
    theirs = OFFICER_SESSION.c.officer_id == officer_id
    _change(session, theirs & OFFICER_SESSION.c.ended_at.is_(None), ended_at=now, ended_why=why)


def _in_force(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        OFFICER_SESSION.c.ended_at.is_(None),
        OFFICER_SESSION.c.began_at > now - ABSOLUTE,
        OFFICER_SESSION.c.seen_at > now - IDLE,
    )


def _change(session: Session, which: sa.ColumnElement[bool], **values: object) -> None:
    session.execute(sa.update(OFFICER_SESSION).where(which).values(**values))


def _hash(token: str) -> bytes:
    return hashlib.sha256(f"session/1\n{token}".encode()).digest()


def _read(session: Session, row: sa.Row[*tuple[object, ...]]) -> Login:
    return Login(
        id=row.id,
        officer=officers.by_id(session, row.officer_id),
        address=row.address,
        agent=row.agent,
        began_at=row.began_at,
        seen_at=row.seen_at,
        stepped_up_at=row.stepped_up_at,
    )
