"""How the machinery does: database, queues, disk, chores, faults; nothing of it is of a person."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from platform import platform, python_version

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import diary, migrate, notes
from core.clock import Clock
from core.db import Database, dialect_of
from core.diary import Kind, Note
from core.settings import PREFIX, Settings
from core.version import VERSION
from journal.journal import Journal
from sms import depths
from sms.depths import Depth
from sms.dispatch import ReplyState

_LIBRARIES = ("Flask", "SQLAlchemy", "psycopg", "granian", "cryptography")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Everything that the page of diagnostics tells.

    Shape: *apart* is how far the database's clock is ahead of this machine's, None where it is the
    same clock. Units: *size* is in bytes.
    """

    server: str
    revision: str | None
    wanted_revision: str
    size: int | None
    answered_in: timedelta
    apart: timedelta | None
    waiting: Depth
    outgoing: Mapping[ReplyState, Depth]
    unsealed_since: datetime | None
    obstacle: str | None
    chores: tuple[Note, ...]
    faults: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Disk:
    """Room where the deployment writes.

    Units: bytes.
    """

    path: str
    total: int
    free: int


def load(database: Database, journal: Journal, clock: Clock) -> Health:
    """Look at the database and what it holds."""
    revision, began = migrate.current(database), clock.monotonic()

    def read(session: Session) -> Health:
        now = clock.now()
        server, at, size = _server(session)
        own = diary.OURS.notes()
        noted = notes.of_all(session, diary.process(), own)
        return Health(
            server=server,
            revision=revision,
            wanted_revision=migrate.head(),
            size=size,
            answered_in=timedelta(seconds=clock.monotonic() - began),
            apart=None if at is None else at - now,
            waiting=depths.waiting(session),
            outgoing=depths.outgoing(session),
            unsealed_since=journal.oldest_unsealed(session),
            obstacle=journal.obstacle(session, now),
            chores=tuple(note for note in noted if note.kind is Kind.CHORE),
            faults=tuple(
                sorted((n for n in noted if n.kind is Kind.FAULT), key=lambda n: n.at, reverse=True)
            ),
        )

    return database.read(read)


def versions() -> Mapping[str, str]:
    """Name the program, what it stands on, and where it runs."""
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    return {"TraDan": VERSION, "Python": python_version(), **libraries, "OS": platform()}


def settings_of(settings: Settings) -> Mapping[str, str]:
    """Tell the settings in force; the one that may hold a password is told without it."""
    found = {each.name.upper(): getattr(settings, each.name) for each in fields(settings)}
    return {
        PREFIX + (f"{name}_SECONDS" if isinstance(value, timedelta) else name): _told(value)
        for name, value in found.items()
    }


def disk(path: Path) -> Disk:
    """Tell how much room there is for what lies at *path*."""
    found = shutil.disk_usage(path)
    return Disk(str(path), found.total, found.free)


def _told(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, sa.URL):
        return value.render_as_string(hide_password=True)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    return str(value)


def _server(session: Session) -> tuple[str, datetime | None, int | None]:
    """Return the database's version, the time by its own clock, and its size."""
    if dialect_of(session) == "sqlite":
        row = session.execute(
            sa.text(
                "SELECT sqlite_version(), page_count * page_size "
                "FROM pragma_page_count, pragma_page_size"
            )
        ).one()
        return f"SQLite {row[0]}", None, row[1]
    row = session.execute(
        sa.text(
            "SELECT current_setting('server_version'), clock_timestamp(), "
            "pg_database_size(current_database())"
        )
    ).one()
    return f"PostgreSQL {row[0]}", row[1], row[2]
