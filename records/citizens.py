"""The rows of citizens, as they are written: sealed, indexed, and only where something changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database, dialect_of, upsert
from core.keyring import Keyring, row_id
from records import packing
from records.register import Record
from records.tables import CITIZEN

PURPOSE = "register"
_DIGEST_BYTES = 16
_COLUMNS = [column.name for column in CITIZEN.columns]


@dataclass(frozen=True, slots=True)
class Draft:
    """A record ready to be compared with what the register holds.

    Shape: `tags` is the blind index under each readable generation, the current one first.
    """

    tags: tuple[bytes, ...]
    phone_index: int | None
    digest: bytes
    packed: bytes = field(repr=False)
    is_test: bool


@dataclass(slots=True)
class Comparison:
    """What the drafts of one batch are to the register.

    Shape: `stale` are the keys of rows under an older index generation, replaced by `changed`;
    `clashes` are drafts whose key another citizen's row has, once in many registers.
    """

    added: list[Draft] = field(default_factory=list)
    changed: list[Draft] = field(default_factory=list)
    unchanged: list[Draft] = field(default_factory=list)
    clashes: list[Draft] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)


def draft(keyring: Keyring, record: Record) -> Draft:
    """Pack and index one record."""
    packed = packing.pack(record)
    phone = record.phone
    return Draft(
        tags=keyring.indexes("personal_id", record.personal_id),
        phone_index=None if phone is None else row_id(keyring.index("phone", phone)),
        digest=keyring.pepper("citizen-content/1", packed)[:_DIGEST_BYTES],
        packed=packed,
        is_test=record.is_test,
    )


def compare(session: Session, drafts: Sequence[Draft]) -> Comparison:
    """Tell which drafts are new, which say something else than their row, and which nothing."""
    keys = [row_id(tag) for each in drafts for tag in each.tags]
    query = sa.select(CITIZEN.c.id, CITIZEN.c.tag, CITIZEN.c.digest).where(CITIZEN.c.id.in_(keys))
    held = {key: (tag, digest) for key, tag, digest in session.execute(query)}
    found = Comparison()
    for each in drafts:
        _place(each, held, found)
    return found


def seal(keyring: Keyring, drafts: Iterable[Draft]) -> list[dict[str, Any]]:
    """Encrypt drafts into rows, in the order in which rows are locked."""
    rows = [_row(keyring, each) for each in drafts]
    return sorted(rows, key=lambda row: int(row["id"]))


def put(session: Session, rows: Sequence[dict[str, Any]], stale: Sequence[int] = ()) -> None:
    """Write rows, over what stands under the same keys, and drop the stale ones."""
    if stale:
        session.execute(sa.delete(CITIZEN).where(CITIZEN.c.id.in_(stale)))
    if rows:
        insert = upsert(dialect_of(session), CITIZEN)
        given = {name: insert.excluded[name] for name in _COLUMNS if name != "id"}
        session.execute(insert.on_conflict_do_update(index_elements=["id"], set_=given), rows)


def store(database: Database, keyring: Keyring, records: Iterable[Record]) -> Comparison:
    """Bring one batch of records into the register, in a transaction of its own."""
    drafts = [draft(keyring, record) for record in records]
    found = database.read(lambda session: compare(session, drafts))
    rows = seal(keyring, [*found.added, *found.changed])
    if rows:
        database.write(lambda session: put(session, rows, found.stale))
    return found


def _place(each: Draft, held: dict[int, tuple[bytes, bytes]], found: Comparison) -> None:
    current, *older = each.tags
    tag, digest = held.get(row_id(current), (None, None))
    if tag is not None and tag != current:
        found.clashes.append(each)
        return
    stale = [row_id(old) for old in older if held.get(row_id(old), (None, None))[0] == old]
    if digest == each.digest or any(held[key][1] == each.digest for key in stale):
        found.unchanged.append(each)
    elif tag is None and not stale:
        found.added.append(each)
    else:
        found.changed.append(each)
        found.stale += stale


def _row(keyring: Keyring, each: Draft) -> dict[str, Any]:
    tag = each.tags[0]
    sealed = keyring.encrypt(each.packed, PURPOSE, table="citizen", column="blob", row=tag)
    return {
        "id": row_id(tag),
        "tag": tag,
        "phone_index": each.phone_index,
        "key_id": sealed.key_id,
        "blob": sealed.blob,
        "digest": each.digest,
        "is_test": each.is_test,
    }
