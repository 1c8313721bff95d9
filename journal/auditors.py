"""Auditors: who may read entry bundles over HTTP, each by a token that is stored as its hash."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Instant, dialect_of, metadata, upsert
from journal.errors import AuditorError

# Marks the token for whoever finds one where it should not be.
_PREFIX = "tradan-auditor-"
_TOKEN_BYTES = 32
_TOKEN = re.compile(_PREFIX + "[A-Za-z0-9_-]{43}")

JOURNAL_AUDITOR = sa.Table(
    "journal_auditor",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("added_by", sa.String(100), nullable=False),
    sa.Column("added_at", Instant, nullable=False),
)
_KNOWN = sa.select(JOURNAL_AUDITOR.c.name).where(
    JOURNAL_AUDITOR.c.token_hash == sa.bindparam("token_hash", type_=sa.LargeBinary)
)


@dataclass(frozen=True, slots=True)
class Auditor:
    """An auditor, by the name that the deployment gives them."""

    name: str
    added_by: str
    added_at: datetime


def add(session: Session, name: str, by: str, now: datetime) -> str:
    """Let an auditor in, and return the token that they show: it is kept nowhere.

    Raises: AuditorError if the name is taken.
    """
    token = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    row = {"name": name, "token_hash": _hash(token), "added_by": by, "added_at": now}
    new = upsert(dialect_of(session), JOURNAL_AUDITOR).on_conflict_do_nothing()
    if session.execute(new.returning(JOURNAL_AUDITOR.c.name), row).scalar() is None:
        raise AuditorError(f"there is an auditor {name} already: remove them first")
    return token


def remove(session: Session, name: str) -> None:
    """Let an auditor in no more.

    Raises: AuditorError if there is none of this name.
    """
    gone = session.execute(
        sa.delete(JOURNAL_AUDITOR)
        .where(JOURNAL_AUDITOR.c.name == name)
        .returning(JOURNAL_AUDITOR.c.name)
    )
    if gone.scalar() is None:
        raise AuditorError(f"there is no auditor {name}: see `journal auditor list`")


def every(session: Session) -> Sequence[Auditor]:
    """Return the auditors by name."""
    columns = JOURNAL_AUDITOR.c
    rows = session.execute(
        sa.select(columns.name, columns.added_by, columns.added_at).order_by(columns.name)
    )
    return [Auditor(*row) for row in rows]


def is_token(text: str) -> bool:
    """Tell whether this could be the token of an auditor."""
    return _TOKEN.fullmatch(text) is not None


def named_by(session: Session, token: str) -> str | None:
    """Return whose token this is, None if it is nobody's."""
    # Found by its hash: how long that takes tells nothing about a token of 256 bits.
    name: str | None = session.execute(_KNOWN, {"token_hash": _hash(token)}).scalar()
    return name


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
