"""Letting an officer in: the attempt is counted first, then compared, then forgiven or not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from sqlalchemy.orm import Session

from console.access import factor, invitations, officers, passwords, sessions, throttle
from console.access.invitations import Invitation, InvitationKind
from console.access.officers import Officer
from console.access.passwords import Passwords
from core.clock import Clock
from core.db import Database
from core.keyring import Keyring

T = TypeVar("T")


class Refusal(StrEnum):
    """Why nobody was let in; the page says no more than this."""

    WRONG = "wrong"
    SLOWED = "slowed"
    SHORT = "short"
    LONG = "long"
    GUESSABLE = "guessable"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """An officer who was let in, and the token of the new session."""

    officer: Officer
    token: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


class Reception:
    """Lets officers in, or says why not."""

    def __init__(
        self, database: Database, keyring: Keyring, passwords: Passwords, clock: Clock
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._passwords = passwords
        self._clock = clock

    def log_in(self, name: str, password: str, code: str, visitor: Visitor) -> Admitted | Refusal:
        """Let in who knows the password and holds the device of *name*."""

        def admit(session: Session, officer: Officer) -> Admitted:
            return Admitted(officer, _begin(session, officer, visitor, self._clock))

        return self._prove(name, password, code, visitor, admit)

    def confirm(self, name: str, password: str, code: str, visitor: Visitor) -> Officer | Refusal:
        """Return the officer who knows the password and holds the device of *name*."""
        return self._prove(name, password, code, visitor, lambda _session, officer: officer)

    def _prove(
        self,
        name: str,
        password: str,
        code: str,
        visitor: Visitor,
        then: Callable[[Session, Officer], T],
    ) -> T | Refusal:
        now = self._clock.now()
        keys = throttle.keys_of(name, visitor.address)

        def attempt(session: Session) -> tuple[bool, Officer | None]:
            return throttle.count_attempt(session, keys, now), officers.find(session, name)

        is_free, officer = self._database.write(attempt)
        if officer is not None and (officer.disabled_at is not None or not officer.is_enrolled):
            officer = None
        # Whoever floods the entrance lacks the device: who shows it waits for a turn, they do not.
        is_free = is_free and not self._passwords.is_busy()
        if not is_free and not (officer is not None and self._shows_device(officer, code)):
            return Refusal.SLOWED
        stored = None if officer is None else officer.password_hash
        if not self._passwords.holds(stored, password) or officer is None:
            return Refusal.WRONG
        is_outdated = self._passwords.is_outdated(stored or "")
        renewed = self._passwords.hash(password) if is_outdated else None

        def admit(session: Session) -> T | Refusal:
            current = officers.by_id(session, officer.id)
            if current.disabled_at is not None or current.password_hash != stored:
                return Refusal.WRONG
            if not officers.spend(session, current, self._keyring, code, now):
                return Refusal.WRONG
            if renewed is not None:
                officers.set_password(session, officer.id, renewed)
            throttle.forgive(session, keys)
            return then(session, current)

        return self._database.write(admit)

    def invitation(self, token: str) -> Invitation | None:
        """Return what an invitation opens, if anything."""
        now = self._clock.now()
        return self._database.read(lambda session: invitations.find(session, token, now))

    def seed(self, invitation: Invitation) -> str:
        """Return the seed that an invitation lets a device take in."""
        return officers.open_seed(self._keyring, invitation.totp, invitation.officer.id)

    def enrol(self, token: str, password: str, code: str, visitor: Visitor) -> Admitted | Refusal:
        """Let in who was invited, with a password and a device from now on."""
        invitation = self.invitation(token)
        if invitation is None or invitation.kind is not InvitationKind.ENROL:
            return Refusal.GONE
        officer, now = invitation.officer, self._clock.now()
        fault = passwords.fault(password, name=officer.name, full_name=officer.full_name)
        if fault is not None:
            return Refusal(fault)
        if factor.step_of(self.seed(invitation), code, now, after=0) is None:
            return Refusal.WRONG
        password_hash = self._passwords.hash(password)
        recovery_codes = factor.new_recovery_codes()

        def admit(session: Session) -> Admitted | Refusal:
            if not invitations.use(session, token, now):
                return Refusal.GONE
            officers.enrol(
                session,
                officer,
                password_hash=password_hash,
                totp=invitation.totp,
                recovery_codes=recovery_codes,
            )
            current = officers.by_id(session, officer.id)
            officers.spend(session, current, self._keyring, code, now)
            begun = _begin(session, current, visitor, self._clock)
            return Admitted(current, begun, tuple(recovery_codes))

        return self._database.write(admit)

    def enter(self, token: str, visitor: Visitor) -> Admitted | Refusal:
        """Let in who was invited straight in, as is done where everybody is made up."""
        invitation, now = self.invitation(token), self._clock.now()
        if invitation is None or invitation.kind is not InvitationKind.ENTER:
            return Refusal.GONE

        def admit(session: Session) -> Admitted | Refusal:
            if not invitations.use(session, token, now):
                return Refusal.GONE
            officer = invitation.officer
            return Admitted(officer, _begin(session, officer, visitor, self._clock))

        return self._database.write(admit)

    def _shows_device(self, officer: Officer, code: str) -> bool:
        seed = officers.seed_of(officer, self._keyring)
        if seed is None:
            return False
        return factor.step_of(seed, code, self._clock.now(), after=officer.totp_step) is not None


def _begin(session: Session, officer: Officer, visitor: Visitor, clock: Clock) -> str:
    return sessions.begin(session, officer, visitor.address, visitor.agent, clock.now())
