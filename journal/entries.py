"""Entries: how an act becomes a leaf and its openings, and the only place that stores them."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.ids import uuid7
from core.keyring import Keyring, Sealed
from core.prepared import prepared
from journal import receipts, tree
from journal.cover import MOST_CHARACTERS
from journal.errors import DraftError
from journal.leaf import (
    Announcement,
    Cover,
    PayloadValue,
    Statement,
    Writer,
    canonical,
    commitment,
)
from journal.tables import JOURNAL_ENTRY, JOURNAL_OPEN, JOURNAL_PENDING

_SALT_BYTES = 32
# Only these name a person as actor; every other actor is an office, and no secret of a citizen.
_CITIZEN = "phone:"
# Built once: to build a statement takes as long as to run it.
_ADD_ENTRY = prepared(sa.insert(JOURNAL_ENTRY))
_ADD_OPENING = prepared(sa.insert(JOURNAL_OPEN))
_ADD_PENDING = prepared(sa.insert(JOURNAL_PENDING))
# Ids are in the order of their making, but for what processes make in the same moment.
_OLDEST = 64
_FIRST = (
    sa.select(JOURNAL_PENDING.c.entry_id)
    .order_by(JOURNAL_PENDING.c.entry_id)
    .limit(_OLDEST)
    .subquery("waiting")
)
_MADE_AT = (
    sa.select(JOURNAL_ENTRY.c.created_at)
    .where(JOURNAL_ENTRY.c.id == _FIRST.c.entry_id)
    .limit(1)
    .lateral("entry")
)
_OLDEST_WAITING = sa.select(sa.func.min(_MADE_AT.c.created_at)).select_from(
    _FIRST.join(_MADE_AT, sa.true())
)
_WRITTEN = json.JSONEncoder(separators=(",", ":"))


class Kind(StrEnum):
    """What an entry is about."""

    LOOKUP = "lookup"
    ADMIN = "admin"
    CONTROL = "control"
    ERASE = "erase"
    KEY = "key"


class Retention(StrEnum):
    """The class that decides when what an entry opens to expires."""

    LOOKUP = "lookup"
    ACT = "act"


class ToldAs(StrEnum):
    """What the citizen an entry is about is told of it as, when they ask who looked."""

    ACCESS = "access"
    ATTEMPT = "attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an entry says, before it is written.

    Shape: `actor` is "system", "officer:…", "operator:…", or for a citizen "phone:+84…"; `subject`
    is "person:" and 12 digits; the payload names fields and never holds their values.
    """

    kind: Kind
    retention: Retention
    actor: str
    actor_index: int | None
    subject: str | None
    subject_index: int | None
    payload: Mapping[str, PayloadValue]
    told_as: ToldAs | None = None
    embargo_until: datetime | None = None
    announcement: Announcement | None = None
    cover: Cover | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry ready to be stored: its signed leaf, and its openings under encryption."""

    id: UUID
    kind: Kind
    created_at: datetime
    leaf: bytes
    leaf_hash: bytes
    receipt: str
    code: str
    identity: Sealed
    act: Sealed
    subject_index: int | None
    actor_index: int | None
    told_as: ToldAs | None
    embargo_until: datetime | None


@dataclass(frozen=True, slots=True)
class _Drawn:
    statement: Statement
    identity: dict[str, str | None]
    act: dict[str, str | None]


def prepare(
    drafts: Sequence[Draft], writer: Writer, keyring: Keyring, now: datetime
) -> list[Entry]:
    """Turn drafts into entries, outside any transaction.

    Raises: DraftError if one cannot be committed to.
    """
    # One kind of work at a time over the whole batch: it runs from a warm cache, half as long.
    drawn = [_draw(draft, uuid7(), now) for draft in drafts]
    leaves = [writer.leaf(each.statement) for each in drawn]
    named = [_named(leaf) for leaf in leaves]
    for place, draft in enumerate(drafts):
        # Six free-standing digits in a reply are a PIN and nothing else.
        while receipts.code_of(named[place][1]).isdecimal():
            # The id stays, and with it the entry's place behind those it builds on.
            drawn[place] = _draw(draft, drawn[place].statement.id, now)
            leaves[place] = writer.leaf(drawn[place].statement)
            named[place] = _named(leaves[place])
    identities = [_encrypt(keyring, "identity", each.identity, each.statement) for each in drawn]
    acts = [_encrypt(keyring, "act", each.act, each.statement) for each in drawn]
    return [
        Entry(
            id=each.statement.id,
            kind=draft.kind,
            created_at=now,
            leaf=leaf,
            leaf_hash=leaf_hash,
            receipt=receipt,
            code=receipts.code_of(receipt),
            identity=identity,
            act=act,
            subject_index=draft.subject_index,
            actor_index=draft.actor_index,
            told_as=_told_as(draft),
            embargo_until=draft.embargo_until,
        )
        for draft, each, leaf, (leaf_hash, receipt), identity, act in zip(
            drafts, drawn, leaves, named, identities, acts, strict=True
        )
    ]


def _named(leaf: bytes) -> tuple[bytes, str]:
    """Return what a leaf is known by: its hash and its receipt."""
    leaf_hash = tree.leaf_hash(leaf)
    return leaf_hash, receipts.receipt_of(leaf_hash)


def _told_as(draft: Draft) -> ToldAs | None:
    """Say what the subject is told of an entry as: an officer's is theirs to know unless told."""
    if draft.told_as is None and draft.kind is Kind.ADMIN and draft.subject is not None:
        return ToldAs.ACCESS
    return draft.told_as


def store(session: Session, entries: Sequence[Entry]) -> None:
    """Insert entries and their openings."""
    session.execute(
        _ADD_ENTRY,
        [
            {
                "id": entry.id,
                "kind": entry.kind,
                "leaf": entry.leaf,
                "leaf_hash": entry.leaf_hash,
                "created_at": entry.created_at,
                "receipt": receipts.number_of(entry.leaf_hash),
            }
            for entry in entries
        ],
    )
    session.execute(
        _ADD_OPENING,
        [
            {
                "entry_id": entry.id,
                "identity_key_id": entry.identity.key_id,
                "enc_identity": entry.identity.blob,
                "act_key_id": entry.act.key_id,
                "enc_act": entry.act.blob,
                "subject_index": entry.subject_index,
                "actor_index": entry.actor_index,
                "embargo_until": entry.embargo_until,
                "told_as": entry.told_as,
            }
            for entry in entries
        ],
    )


def await_sealing(session: Session, entries: Sequence[Entry]) -> None:
    """Put entries where the sealer finds them."""
    session.execute(_ADD_PENDING, [{"entry_id": entry.id} for entry in entries])


def oldest_waiting(session: Session) -> datetime | None:
    """Return when the oldest entry that waits for the sealer was made."""
    moment: datetime | None = session.execute(_OLDEST_WAITING).scalar()
    return moment


def _draw(draft: Draft, entry_id: UUID, now: datetime) -> _Drawn:
    """Draw the salts of an entry and commit with them to what its draft says."""
    citizen = draft.actor.startswith(_CITIZEN)
    if not draft.actor or draft.subject == "":
        raise DraftError("an actor or subject must not be empty")
    if citizen is (draft.actor_index is None) or (draft.subject is None) is not (
        draft.subject_index is None
    ):
        raise DraftError("a citizen is named together with the index that finds the entry again")
    if draft.cover is not None and (
        draft.kind is not Kind.ERASE or len(draft.cover.leaves) > MOST_CHARACTERS
    ):
        raise DraftError("only an erase entry covers what is gone, as many leaves as it can name")
    payload = canonical(draft.payload)
    salts = secrets.token_bytes(2 * _SALT_BYTES)
    e, s = salts[:_SALT_BYTES], salts[_SALT_BYTES:]
    # A citizen's own number goes when the identity goes, and so must the salt that hides it.
    identity: dict[str, str | None] = {"s": s.hex(), "subject": draft.subject}
    act: dict[str, str | None] = {"e": e.hex(), "payload": payload.decode()}
    (identity if citizen else act)["actor"] = draft.actor
    statement = Statement(
        id=entry_id,
        kind=draft.kind,
        retention=draft.retention,
        at=now,
        actor=commitment(s if citizen else e, b"actor", draft.actor.encode()),
        subject=commitment(s, b"subject", (draft.subject or "").encode()),
        payload=commitment(e, b"payload", payload),
        announcement=draft.announcement,
        cover=draft.cover,
    )
    return _Drawn(statement, identity, act)


def _encrypt(
    keyring: Keyring, part: str, opening: Mapping[str, str | None], statement: Statement
) -> Sealed:
    plaintext = _WRITTEN.encode(opening).encode()
    return keyring.encrypt(
        plaintext,
        f"journal-{statement.retention}-{part}",
        table="journal_open",
        column=f"enc_{part}",
        row=statement.id.bytes,
        at=statement.at,
    )
