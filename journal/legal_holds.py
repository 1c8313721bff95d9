"""Legal holds: openings that neither expiry nor an order may touch until the hold is lifted."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.keyring import Keyring, Sealed
from journal.entries import Retention
from journal.erasing import Standing
from journal.tables import LEGAL_HOLD

_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Scope:
    """What is held: entries about or by somebody, or all of some months, of one class or both."""

    subject_index: int | None = None
    actor_index: int | None = None
    first_month: int | None = None
    last_month: int | None = None
    retention: Retention | None = None


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A hold, in force while it is not lifted."""

    id: int
    scope: Scope
    reason: str = field(repr=False)
    added_by: str
    added_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """Everything under hold at one moment."""

    scopes: tuple[Scope, ...] = ()

    def has_month(self, retention: Retention, month: int) -> bool:
        """Tell whether a whole month of a class is held."""
        return any(
            scope.first_month is not None
            and scope.last_month is not None
            and scope.first_month <= month <= scope.last_month
            and scope.retention in {None, retention}
            for scope in self.scopes
        )

    def has(self, each: Standing) -> bool:
        """Tell whether an entry is held, for its month or for whom it is about or by."""
        return self.has_month(each.retention, each.month) or any(
            (each.subject_index is not None and each.subject_index == scope.subject_index)
            or (each.actor_index is not None and each.actor_index == scope.actor_index)
            for scope in self.scopes
        )


def add(
    session: Session, keyring: Keyring, scope: Scope, *, reason: str, by: str, now: datetime
) -> int:
    """Put a hold in force and return its number."""
    tag = secrets.token_bytes(_TAG_BYTES)
    why = keyring.encrypt(
        json.dumps(reason).encode(), "journal", table="legal_hold", column="enc_why", row=tag
    )
    row = {
        "subject_index": scope.subject_index,
        "actor_index": scope.actor_index,
        "first_month": scope.first_month,
        "last_month": scope.last_month,
        "retention": scope.retention,
        "tag": tag,
        "why_key_id": why.key_id,
        "enc_why": why.blob,
        "added_by": by,
        "added_at": now,
    }
    number: int = session.execute(
        sa.insert(LEGAL_HOLD).returning(LEGAL_HOLD.c.id), row
    ).scalar_one()
    return number


def lift(session: Session, number: int, *, by: str, now: datetime) -> bool:
    """Lift a hold and return whether it was in force."""
    statement = (
        sa.update(LEGAL_HOLD)
        .where(LEGAL_HOLD.c.id == number, LEGAL_HOLD.c.lifted_at.is_(None))
        .values(lifted_by=by, lifted_at=now)
        .returning(LEGAL_HOLD.c.id)
    )
    return session.execute(statement).scalar() is not None


def in_force(session: Session) -> Held:
    """Load what is held now."""
    rows = session.execute(sa.select(LEGAL_HOLD).where(LEGAL_HOLD.c.lifted_at.is_(None)))
    return Held(tuple(_scope(row) for row in rows))


def everything(session: Session, keyring: Keyring) -> list[LegalHold]:
    """Load all holds, lifted ones included, the newest first."""
    rows = session.execute(sa.select(LEGAL_HOLD).order_by(LEGAL_HOLD.c.id.desc()))
    return [_hold(row, keyring) for row in rows]


def _hold(row: sa.Row[tuple[object, ...]], keyring: Keyring) -> LegalHold:
    sealed = Sealed(row.why_key_id, row.enc_why)
    why = keyring.decrypt(sealed, table="legal_hold", column="enc_why", row=row.tag)
    return LegalHold(
        id=row.id,
        scope=_scope(row),
        reason=json.loads(why),
        added_by=row.added_by,
        added_at=row.added_at,
        lifted_by=row.lifted_by,
        lifted_at=row.lifted_at,
    )


def _scope(row: sa.Row[tuple[object, ...]]) -> Scope:
    retention = None if row.retention is None else Retention(row.retention)
    return Scope(row.subject_index, row.actor_index, row.first_month, row.last_month, retention)
