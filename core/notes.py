"""What processes remember of themselves, written down so that one can tell it of all of them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of, upsert
from core.diary import Kind, Note
from core.tables import PROCESS_NOTE as NOTE

_KEPT = timedelta(days=2)


def store(session: Session, name: str, notes: Iterable[Note], now: datetime) -> None:
    """Write the notes of a process down, and forget those of processes of long ago."""
    session.execute(sa.delete(NOTE).where(NOTE.c.at < now - _KEPT))
    rows = [
        {
            "process": name,
            "kind": note.kind,
            "name": note.name,
            "at": note.at,
            "count": note.count,
            "detail": note.detail,
        }
        for note in notes
        if note.at >= now - _KEPT
    ]
    if rows:
        statement = upsert(dialect_of(session), NOTE)
        new = {column: statement.excluded[column] for column in ("at", "count", "detail")}
        keys = ["process", "kind", "name"]
        session.execute(statement.on_conflict_do_update(index_elements=keys, set_=new), rows)


def of_all(session: Session, own: str, notes: Iterable[Note]) -> list[Note]:
    """Put the notes of this process together with what the others wrote down."""
    found = {(note.kind, note.name): note for note in notes}
    others = sa.select(NOTE.c.kind, NOTE.c.name, NOTE.c.at, NOTE.c.count, NOTE.c.detail)
    for kind, name, at, count, detail in session.execute(others.where(NOTE.c.process != own)):
        note = Note(Kind(kind), name, at, count, detail)
        known = found.get((note.kind, note.name))
        if known is not None:
            newest = max(known, note, key=lambda each: each.at)
            note = replace(newest, count=known.count + note.count)
        found[note.kind, note.name] = note
    return sorted(found.values(), key=lambda note: (note.kind, note.name))
