"""One-time PINs: how they are made, what they are bound to, and how many guesses are left.

The digits are hashed as Argon2id over a peppered HMAC of what the PIN is bound to; the pepper lies
outside the database. ADR 0005.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import argon2
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Instant, locked, metadata
from core.keyring import Keyring, Sealed
from core.prepared import among, prepared
from core.settings import PinProfile

PIN_DIGITS = 6
_LABEL = "pin/1"
_TOLD_OF = timedelta(hours=1)
_COSTS = {PinProfile.STANDARD: (1, 1024), PinProfile.OWASP: (5, 7 * 1024)}


class ChallengeState(StrEnum):
    """How far a challenge has come; all but `open` are final."""

    OPEN = "open"
    SPENT = "spent"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    VOID = "void"


CHALLENGE = sa.Table(
    "challenge",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("sender_id", sa.BigInteger, nullable=False),
    sa.Column("citizen_id", sa.BigInteger, nullable=False),
    sa.Column("link_id", sa.Integer, nullable=False),
    sa.Column("purpose", sa.String(8), nullable=False),
    sa.Column("fields", sa.String(8), nullable=False),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("key_id", sa.Integer),
    sa.Column("blob", sa.LargeBinary),
    sa.Column("pin_hash", sa.String(128)),
    sa.Column("tries_left", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    sa.CheckConstraint("tries_left >= 0", name="tries_left_not_negative"),
)
sa.Index(
    "uq_challenge_open",
    CHALLENGE.c.sender_id,
    unique=True,
    sqlite_where=sa.text("state = 'open'"),
    postgresql_where=sa.text("state = 'open'"),
)


_OPEN_OF = prepared(
    sa.select(CHALLENGE)
    .where(
        among(CHALLENGE.c.sender_id, "senders"),
        # Written out: a value that is bound later chooses no index of a part of the table.
        sa.text("challenge.state = 'open'"),
    )
    .order_by(CHALLENGE.c.sender_id)
)
_USE_TRY = prepared(
    sa.update(CHALLENGE)
    .where(CHALLENGE.c.id == sa.bindparam("which"))
    .values(tries_left=sa.bindparam("left"))
)
_END = prepared(
    sa.update(CHALLENGE)
    .where(CHALLENGE.c.id == sa.bindparam("which"))
    .values(
        state=sa.bindparam("became"),
        tries_left=sa.bindparam("left"),
        closed_at=sa.bindparam("at"),
        pin_hash=None,
        blob=None,
    )
)
_INSERT = prepared(sa.insert(CHALLENGE))


@dataclass(frozen=True, slots=True)
class PinPolicy:
    """How long a PIN lives and how often it may be guessed."""

    life: timedelta = timedelta(minutes=5)
    tries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A PIN sent to the telephone on file, and what a right answer would open."""

    id: UUID
    sender_id: int
    citizen_id: int
    personal_id: str = field(repr=False)
    link_id: int
    purpose: str
    fields: str
    language: str
    pin_hash: str | None = field(repr=False)
    tries_left: int
    created_at: datetime
    expires_at: datetime

    def binding(self) -> bytes:
        """Return what the PIN is bound to: it is worth nothing for anything else."""
        return binding(self.id, self.sender_id, self.citizen_id, self.link_id, self.purpose)


@dataclass(frozen=True, slots=True)
class Closing:
    """A change to an open challenge: fewer tries, or its end."""

    challenge_id: UUID
    state: ChallengeState
    tries_left: int


class PinHasher:
    """Hashes and checks PINs; slow on purpose, so it runs outside every transaction."""

    def __init__(self, keyring: Keyring, profile: PinProfile) -> None:
        time_cost, memory_cost = _COSTS[profile]
        self._keyring = keyring
        self._argon2 = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory_cost, parallelism=1
        )

    def hash(self, pin: str, binding: bytes) -> str:
        """Return the hash of *pin* for what it is bound to; it names its own parameters."""
        return self._argon2.hash(self._digest(pin, binding))

    def matches(self, pin_hash: str, pin: str, binding: bytes) -> bool:
        """Tell whether *pin* is the one that was hashed for this binding."""
        try:
            return self._argon2.verify(pin_hash, self._digest(pin, binding))
        except argon2.exceptions.VerifyMismatchError:
            return False

    def _digest(self, pin: str, binding: bytes) -> bytes:
        return self._keyring.pepper(_LABEL, binding + b"|" + pin.encode())


def binding(
    challenge_id: UUID, sender_id: int, citizen_id: int, link_id: int, purpose: str
) -> bytes:
    """Write what a PIN is bound to."""
    parts = (challenge_id.hex, sender_id, citizen_id, link_id, purpose)
    return "|".join(map(str, parts)).encode()


def draw() -> str:
    """Draw a PIN: six decimal digits, leading zeros kept."""
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"


def open_of(
    session: Session, keyring: Keyring, sender_ids: Collection[int], *, lock: bool = False
) -> dict[int, Challenge]:
    """Load the open challenge of each of these senders, locking the rows if wanted."""
    statement = locked(_OPEN_OF, session) if lock else _OPEN_OF
    rows = session.execute(statement, {"senders": sorted(sender_ids)})
    return {row.sender_id: _from_row(row, keyring) for row in rows}


def close(session: Session, closings: Sequence[Closing], now: datetime) -> None:
    """Apply these changes; a challenge that ends loses its hash and the number asked about."""
    kept = [c for c in closings if c.state is ChallengeState.OPEN]
    ended = [c for c in closings if c.state is not ChallengeState.OPEN]
    if kept:
        session.execute(
            _USE_TRY,
            [{"which": c.challenge_id, "left": c.tries_left} for c in kept],
        )
    if ended:
        session.execute(
            _END,
            [
                {"which": c.challenge_id, "became": c.state, "left": c.tries_left, "at": now}
                for c in ended
            ],
        )


def open_all(
    session: Session, keyring: Keyring, opened: Sequence[tuple[Challenge, ChallengeState]]
) -> None:
    """Insert new challenges; one that is void from the start keeps neither hash nor number."""
    if opened:
        session.execute(_INSERT, [_to_row(c, state, keyring) for c, state in opened])


def expire(session: Session, now: datetime) -> None:
    """Wipe the hash of PINs whose time is over, and an hour later end their challenges.

    In that hour a late answer is still told that the PIN has expired.
    """
    over = (CHALLENGE.c.state == ChallengeState.OPEN, CHALLENGE.c.expires_at < now)
    session.execute(
        sa.update(CHALLENGE).where(*over, CHALLENGE.c.pin_hash.is_not(None)).values(pin_hash=None)
    )
    session.execute(
        sa.update(CHALLENGE)
        .where(CHALLENGE.c.state == ChallengeState.OPEN, CHALLENGE.c.expires_at < now - _TOLD_OF)
        .values(state=ChallengeState.EXPIRED, closed_at=now, blob=None)
    )


def void_all(session: Session, now: datetime) -> None:
    """End every open challenge: nobody knows any more what became of its PIN."""
    session.execute(
        sa.update(CHALLENGE)
        .where(CHALLENGE.c.state == ChallengeState.OPEN)
        .values(state=ChallengeState.VOID, closed_at=now, pin_hash=None, blob=None)
    )


def _to_row(challenge: Challenge, state: ChallengeState, keyring: Keyring) -> dict[str, object]:
    row: dict[str, object] = {
        "id": challenge.id,
        "sender_id": challenge.sender_id,
        "citizen_id": challenge.citizen_id,
        "link_id": challenge.link_id,
        "purpose": challenge.purpose,
        "fields": challenge.fields,
        "language": challenge.language,
        "tries_left": challenge.tries_left,
        "state": state,
        "created_at": challenge.created_at,
        "expires_at": challenge.expires_at,
    }
    sealed = keyring.encrypt(
        challenge.personal_id.encode(),
        "message",
        table="challenge",
        column="blob",
        row=challenge.id.bytes,
    )
    is_open = state is ChallengeState.OPEN
    row["key_id"] = sealed.key_id
    row["blob"] = sealed.blob if is_open else None
    row["pin_hash"] = challenge.pin_hash if is_open else None
    row["closed_at"] = None if is_open else challenge.created_at
    return row


def _from_row(row: sa.Row[tuple[object, ...]], keyring: Keyring) -> Challenge:
    sealed = Sealed(row.key_id, row.blob)
    number = keyring.decrypt(sealed, table="challenge", column="blob", row=row.id.bytes)
    return Challenge(
        id=row.id,
        sender_id=row.sender_id,
        citizen_id=row.citizen_id,
        personal_id=number.decode(),
        link_id=row.link_id,
        purpose=row.purpose,
        fields=row.fields,
        language=row.language,
        pin_hash=row.pin_hash,
        tries_left=row.tries_left,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
