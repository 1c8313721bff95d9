"""Parts of long messages: each is durable before its OK, and the last of a message joins it.

What is joined stands on, without its text, for as long as parts may be repeated. Parts belong
together that have link, sender, destination, reference and total in common, however they come.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of, locked
from core.keyring import Keyring, Sealed
from sms.links.model import NO_TEXT
from sms.links.smpp import parts
from sms.links.smpp.alphabet import Alphabet
from sms.links.smpp.parts import Piece
from sms.links.smpp.reading import Part
from sms.links.smpp.tables import SMPP_PART

LIFE = timedelta(minutes=5)
_KEPT = 2 * LIFE
_TAG_LABEL = "smpp-part/1"
_CONTENT_LABEL = "smpp-part-content/1"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A part ready to be stored: tagged and encrypted outside the transaction."""

    link_id: int
    tag: bytes = field(repr=False)
    number: int
    total: int
    content_tag: bytes = field(repr=False)
    sealed: Sealed
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """What has become of a group of parts: a text, or none because some never came."""

    link_id: int
    tag: bytes = field(repr=False)
    sender: str = field(repr=False)
    to: str
    text: str = field(repr=False)


def prepare(keyring: Keyring, link_id: int, part: Part, now: datetime) -> Prepared:
    """Make everything that storing a part needs but the database."""
    place = part.place
    belongs = [link_id, part.sender, part.to, place.scheme, place.reference, place.total]
    tag = keyring.pepper(_TAG_LABEL, json.dumps(belongs).encode())
    octets = base64.b64encode(part.piece.octets).decode()
    content = json.dumps([part.sender, part.to, part.piece.alphabet, octets]).encode()
    return Prepared(
        link_id=link_id,
        tag=tag,
        number=place.number,
        total=place.total,
        content_tag=keyring.pepper(_CONTENT_LABEL, content),
        sealed=keyring.encrypt(
            content, "message", table="smpp_part", column="blob", row=_row(tag, place.number)
        ),
        received_at=now,
    )


def store(session: Session, keyring: Keyring, prepared: Sequence[Prepared]) -> list[Joined]:
    """Keep parts and return the messages that are whole by them, in the order they became so."""
    _take_turns(session, prepared)
    whole = [_add(session, keyring, part) for part in prepared]
    return [joined for joined in whole if joined is not None]


def give_up(session: Session, keyring: Keyring, now: datetime) -> list[Joined]:
    """End the groups that did not become whole in time, and forget what stood long enough."""
    # What is not joined is answered first, also where nobody was here to do it in time.
    session.execute(
        sa.delete(SMPP_PART).where(
            SMPP_PART.c.received_at < now - _KEPT, SMPP_PART.c.is_joined.is_(True)
        )
    )
    late = (
        sa.select(SMPP_PART)
        .where(SMPP_PART.c.received_at < now - LIFE, SMPP_PART.c.is_joined.is_(False))
        .order_by(SMPP_PART.c.link_id, SMPP_PART.c.tag, SMPP_PART.c.number)
        .limit(_AT_ONCE)
    )
    first = {(row.link_id, row.tag): row for row in session.execute(locked(late, session)).all()}
    given_up = []
    for row in first.values():
        sender, to, _ = _open(keyring, row)
        _mark(session, row.link_id, row.tag)
        given_up.append(Joined(row.link_id, row.tag, sender, to, NO_TEXT))
    return given_up


def _add(session: Session, keyring: Keyring, part: Prepared) -> Joined | None:
    group = (SMPP_PART.c.link_id == part.link_id, SMPP_PART.c.tag == part.tag)
    statement = sa.select(SMPP_PART).where(*group).order_by(SMPP_PART.c.number)
    rows = session.execute(locked(statement, session)).all()
    same = next((row for row in rows if row.number == part.number), None)
    if same is not None and same.content_tag == part.content_tag:
        return None
    is_over = any(row.is_joined for row in rows)
    if same is not None:
        # The sender's telephone uses the reference again: another message has begun.
        session.execute(sa.delete(SMPP_PART).where(*group))
    session.execute(sa.insert(SMPP_PART), _values(part))
    if is_over and same is None:
        # It was given up without this part, and its sender was told so.
        _mark(session, part.link_id, part.tag)
        return None
    rows = session.execute(statement).all()
    if len(rows) < part.total:
        return None
    opened = {row.number: _open(keyring, row) for row in rows}
    sender, to, _ = opened[part.number]
    text = parts.join({number: piece for number, (_, _, piece) in opened.items()})
    _mark(session, part.link_id, part.tag)
    return Joined(part.link_id, part.tag, sender, to, text)


def _take_turns(session: Session, prepared: Sequence[Prepared]) -> None:
    """Let nobody else store parts of these groups meanwhile: each would miss the other's part."""
    if dialect_of(session) == "postgresql":
        for key in sorted({int.from_bytes(part.tag[:8], "big", signed=True) for part in prepared}):
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _mark(session: Session, link_id: int, tag: bytes) -> None:
    session.execute(
        sa.update(SMPP_PART)
        .where(SMPP_PART.c.link_id == link_id, SMPP_PART.c.tag == tag)
        .values(is_joined=True, blob=None)
    )


def _values(part: Prepared) -> dict[str, object]:
    return {
        "link_id": part.link_id,
        "tag": part.tag,
        "number": part.number,
        "total": part.total,
        "content_tag": part.content_tag,
        "key_id": part.sealed.key_id,
        "blob": part.sealed.blob,
        "received_at": part.received_at,
        "is_joined": False,
    }


def _open(keyring: Keyring, row: Any) -> tuple[str, str, Piece]:  # noqa: ANN401 (a row of SMPP_PART)
    plain = keyring.decrypt(
        Sealed(row.key_id, row.blob),
        table="smpp_part",
        column="blob",
        row=_row(row.tag, row.number),
    )
    sender, to, alphabet, octets = json.loads(plain)
    return sender, to, Piece(base64.b64decode(octets), Alphabet(alphabet))


def _row(tag: bytes, number: int) -> bytes:
    return tag + bytes((number,))
