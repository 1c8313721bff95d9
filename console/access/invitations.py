"""Links that let their holder in once: to enrol, or, where everybody is made up, straight in."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from console.access import factor, officers
from console.access.officers import Officer
from console.tables import INVITATION
from core.keyring import Keyring, Sealed

LIFE = timedelta(hours=24)
_TOKEN_BYTES = 32


class InvitationKind(StrEnum):
    """What an invitation opens."""

    ENROL = "enrol"
    ENTER = "enter"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was neither used nor outlived."""

    kind: InvitationKind
    officer: Officer
    totp: Sealed


def invite(
    session: Session, officer: Officer, kind: InvitationKind, keyring: Keyring, now: datetime
) -> str:
    """Make an invitation, in place of earlier ones, and return its token."""
    session.execute(sa.delete(INVITATION).where(INVITATION.c.officer_id == officer.id))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    totp = officers.seal_seed(keyring, factor.new_seed(), officer.id)
    session.execute(
        sa.insert(INVITATION),
        {
            "hash": _hash(token),
            "officer_id": officer.id,
            "kind": kind,
            "totp_key_id": totp.key_id,
            "totp_blob": totp.blob,
            "expires_at": now + LIFE,
        },
    )
    return token


def find(session: Session, token: str, now: datetime) -> Invitation | None:
    """Return the invitation of a token, if it still opens anything."""
    wanted = sa.select(INVITATION).where(
        INVITATION.c.hash == _hash(token),
        INVITATION.c.used_at.is_(None),
        INVITATION.c.expires_at > now,
    )
    row = session.execute(wanted).one_or_none()
    if row is None:
        return None
    officer = officers.by_id(session, row.officer_id)
    if officer.disabled_at is not None:
        return None
    return Invitation(InvitationKind(row.kind), officer, Sealed(row.totp_key_id, row.totp_blob))


def use(session: Session, token: str, now: datetime) -> bool:
    """Use an invitation up; False if somebody was faster."""
    change = sa.update(INVITATION).where(
        INVITATION.c.hash == _hash(token),
        INVITATION.c.used_at.is_(None),
        INVITATION.c.expires_at > now,
    )
    used = session.execute(change.values(used_at=now))
    return bool(used.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result counts rows


def forget(session: Session, now: datetime, most: int) -> int:
    """Let go of invitations that open nothing any more, so many at once; return how many went."""
    is_over = sa.or_(INVITATION.c.used_at.is_not(None), INVITATION.c.expires_at <= now)
    hashes = session.execute(sa.select(INVITATION.c.hash).where(is_over).limit(most)).scalars()
    gone = sa.delete(INVITATION).where(INVITATION.c.hash.in_(hashes.all()))
    return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]  # a DELETE's result counts rows


def _hash(token: str) -> bytes:
    return hashlib.sha256(f"invitation/1\n{token}".encode()).digest()
