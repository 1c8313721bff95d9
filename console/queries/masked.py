"""What is masked in a message: opened part by part, for whom it was granted to, and nobody else.

A reply's text is none of it: it may hold what the register says, or a PIN that still opens.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from console.reveals import Part
from core.errors import DecryptionError
from core.keyring import Keyring, Sealed
from journal import found
from sms import inbound
from sms.tables import INBOUND

_ID_DIGITS = 12
_DIGIT = re.compile(r"\d")
_PIN = re.compile(r"(?<!\d)\d{6}(?!\d)")
_HIDDEN = "\N{BULLET}"


@dataclass(frozen=True, slots=True)
class Masked:
    """What was opened; None is what was not asked for, or is not kept any more."""

    number: str | None = field(default=None, repr=False)
    person: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)


def subject(session: Session, keyring: Keyring, message_id: UUID) -> str | None:
    """Return the personal number that a message was about, as long as the journal keeps it."""
    entry_ids = _entries_of(session, message_id)
    return next(iter(found.subjects_of(session, keyring, entry_ids).values()), None)


def load(session: Session, keyring: Keyring, message_id: UUID, parts: Collection[Part]) -> Masked:
    """Open these parts of a message."""
    content = _content(session, keyring, message_id)
    number = person = text = None
    if Part.NUMBER in parts:
        number = content.sender if content else _caller(session, keyring, message_id)
    if Part.PERSON in parts:
        person = subject(session, keyring, message_id)
    if Part.TEXT in parts and content is not None:
        text = without_pin(content.text)
    return Masked(number, person, text)


def without_pin(text: str) -> str:
    """Hide what may be a PIN: a wrong one is often a slip away from one that still opens."""
    if len(_DIGIT.findall(text)) < _ID_DIGITS:
        return _DIGIT.sub(_HIDDEN, text)
    return _PIN.sub(lambda pin: _HIDDEN * len(pin[0]), text)


def _content(session: Session, keyring: Keyring, message_id: UUID) -> inbound.Content | None:
    wanted = sa.select(INBOUND.c.key_id, INBOUND.c.blob).where(INBOUND.c.id == message_id)
    row = session.execute(wanted).one_or_none()
    if row is None or row.blob is None:
        return None
    try:
        return inbound.open_content(keyring, message_id, Sealed(row.key_id, row.blob))
    except DecryptionError:
        return None


def _caller(session: Session, keyring: Keyring, message_id: UUID) -> str | None:
    """Return the telephone that the journal has: it keeps that longer than messages are kept."""
    entry_ids = _entries_of(session, message_id)
    return next(iter(found.callers_of(session, keyring, entry_ids).values()), None)


def _entries_of(session: Session, message_id: UUID) -> list[UUID]:
    wanted = sa.select(INBOUND.c.entry_id).where(
        INBOUND.c.id == message_id, INBOUND.c.entry_id.is_not(None)
    )
    return list(session.execute(wanted).scalars())
