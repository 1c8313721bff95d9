"""Officers as they are kept: their names, roles and secrets."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from console.access import factor
from console.access.roles import Right, Role, rights_of
from console.errors import OfficerExistsError, UnknownOfficerError
from console.tables import OFFICER, RECOVERY_CODE
from core.keyring import Keyring, Sealed

_PURPOSE = "officer"
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Somebody who may enter the console."""

    id: int
    name: str
    full_name: str
    roles: tuple[Role, ...]
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None
    is_enrolled: bool
    password_hash: str | None = field(repr=False)
    totp: Sealed | None = field(repr=False)
    totp_step: int = field(repr=False)

    @property
    def rights(self) -> frozenset[Right]:
        """Everything that this officer may do."""
        return frozenset() if self.disabled_at else rights_of(self.roles)

    @property
    def actor(self) -> str:
        """The name that acts stand under in the journal."""
        return f"officer:{self.name}"


def is_name(text: str) -> bool:
    """Tell whether an officer may be called so: small letters, digits, underscores."""
    is_plain = text.isascii() and text.isidentifier() and text == text.lower()
    return is_plain and len(text) <= _LONGEST_NAME


def add(
    session: Session, name: str, full_name: str, roles: Iterable[Role], now: datetime
) -> Officer:
    """Add an officer, who enrols by invitation.

    Raises: OfficerExistsError.
    """
    row = {
        "name": name,
        "full_name": full_name,
        "roles": _written(roles),
        "totp_step": 0,
        "created_at": now,
    }
    if find(session, name) is not None:
        raise OfficerExistsError(f"there is an officer {name} already")
    session.execute(sa.insert(OFFICER), row)
    return by_name(session, name)


def find(session: Session, name: str) -> Officer | None:
    """Return the officer of that name, if there is one."""
    found = session.execute(sa.select(OFFICER).where(OFFICER.c.name == name)).one_or_none()
    return None if found is None else _read(found)


def by_name(session: Session, name: str) -> Officer:
    """Return the officer of that name.

    Raises: UnknownOfficerError.
    """
    found = find(session, name)
    if found is None:
        raise UnknownOfficerError(f"there is no officer {name}: `user list` names them")
    return found


def by_id(session: Session, officer_id: int) -> Officer:
    """Return the officer of that number."""
    return _read(session.execute(sa.select(OFFICER).where(OFFICER.c.id == officer_id)).one())


def everybody(session: Session) -> list[Officer]:
    """Return all officers by name."""
    return [_read(row) for row in session.execute(sa.select(OFFICER).order_by(OFFICER.c.name))]


def seed_of(officer: Officer, keyring: Keyring) -> str | None:
    """Return the seed of an officer's second factor."""
    return None if officer.totp is None else open_seed(keyring, officer.totp, officer.id)


def seal_seed(keyring: Keyring, seed: str, officer_id: int) -> Sealed:
    """Encrypt the seed of an officer's second factor."""
    return keyring.encrypt(
        seed.encode(), _PURPOSE, table="officer", column="totp", row=_row(officer_id)
    )


def open_seed(keyring: Keyring, sealed: Sealed, officer_id: int) -> str:
    """Decrypt the seed of an officer's second factor."""
    opened = keyring.decrypt(sealed, table="officer", column="totp", row=_row(officer_id))
    return opened.decode()


def enrol(
    session: Session,
    officer: Officer,
    *,
    password_hash: str,
    totp: Sealed,
    recovery_codes: Collection[str],
) -> None:
    """Give an officer a password, a second factor and recovery codes in place of earlier ones."""
    session.execute(
        sa.update(OFFICER)
        .where(OFFICER.c.id == officer.id)
        .values(password_hash=password_hash, totp_key_id=totp.key_id, totp_blob=totp.blob)
    )
    session.execute(sa.delete(RECOVERY_CODE).where(RECOVERY_CODE.c.officer_id == officer.id))
    session.execute(
        sa.insert(RECOVERY_CODE),
        [{"hash": factor.recovery_hash(c), "officer_id": officer.id} for c in recovery_codes],
    )


def set_password(session: Session, officer_id: int, password_hash: str) -> None:
    """Put a hash in place of the earlier one."""
    change = sa.update(OFFICER).where(OFFICER.c.id == officer_id)
    session.execute(change.values(password_hash=password_hash))


def set_roles(session: Session, officer: Officer, roles: Iterable[Role]) -> None:
    """Have an officer play other parts."""
    change = sa.update(OFFICER).where(OFFICER.c.id == officer.id)
    session.execute(change.values(roles=_written(roles)))


def disable(session: Session, officer: Officer, now: datetime | None) -> None:
    """Shut an officer out from *now* on, or, without a time, let the officer in again."""
    change = sa.update(OFFICER).where(OFFICER.c.id == officer.id)
    session.execute(change.values(disabled_at=now))


def spend(session: Session, officer: Officer, keyring: Keyring, code: str, now: datetime) -> bool:
    """Spend a code of the second factor; False if it is none, or was spent before."""
    seed = seed_of(officer, keyring)
    if seed is None:
        return False
    step = factor.step_of(seed, code, now, after=officer.totp_step)
    if step is None:
        change = sa.update(RECOVERY_CODE).where(
            RECOVERY_CODE.c.hash == factor.recovery_hash(code),
            RECOVERY_CODE.c.officer_id == officer.id,
            RECOVERY_CODE.c.used_at.is_(None),
        )
        spent = session.execute(change.values(used_at=now))
    else:
        advance = sa.update(OFFICER).where(OFFICER.c.id == officer.id, OFFICER.c.totp_step < step)
        spent = session.execute(advance.values(totp_step=step))
    return bool(spent.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result counts rows


def logged_in(session: Session, officer_id: int, now: datetime) -> None:
    """Note when an officer was last let in."""
    session.execute(sa.update(OFFICER).where(OFFICER.c.id == officer_id).values(last_login_at=now))


def _written(roles: Iterable[Role]) -> str:
    return " ".join(sorted(set(roles)))


def _row(officer_id: int) -> bytes:
    return officer_id.to_bytes(8, "big")


def _read(row: sa.Row[*tuple[object, ...]]) -> Officer:
    totp = None if row.totp_blob is None else Sealed(row.totp_key_id, row.totp_blob)
    return Officer(
        id=row.id,
        name=row.name,
        full_name=row.full_name,
        roles=tuple(Role(role) for role in row.roles.split()),
        created_at=row.created_at,
        last_login_at=row.last_login_at,
        disabled_at=row.disabled_at,
        is_enrolled=row.password_hash is not None and totp is not None,
        password_hash=row.password_hash,
        totp=totp,
        totp_step=row.totp_step,
    )
