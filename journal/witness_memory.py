"""What a witness remembers of each log, and what it was asked to sign and must not.

A SQLite file of its own, flushed before a cosignature leaves. Who loses it must not go on under
the same key: a witness that has forgotten would sign a fork.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from journal.tree import EMPTY, TreeHead

_WAIT_SECONDS = 5.0
# The first are proof enough; more would let a log fill the disk.
_MOST_EVIDENCE = 100

_SCHEMA = """
CREATE TABLE identity (key TEXT NOT NULL) STRICT;
CREATE TABLE seen (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
    note TEXT NOT NULL, cosigned_at INTEGER NOT NULL
) STRICT;
CREATE TABLE evidence (
    origin TEXT NOT NULL, refused_at INTEGER NOT NULL, reason TEXT NOT NULL, request TEXT NOT NULL
) STRICT;
"""
_PUT = """
INSERT INTO seen VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET
    size = excluded.size, root = excluded.root, note = excluded.note,
    cosigned_at = excluded.cosigned_at
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest checkpoint of a log that this witness has cosigned, with its cosignature."""

    head: TreeHead = EMPTY
    cosigned_at: datetime | None = None
    note: str = ""


class Log:
    """What is remembered of one log, while nobody else can change it."""

    def __init__(self, connection: sqlite3.Connection, origin: str) -> None:
        self._connection = connection
        self._origin = origin

    def seen(self) -> Seen:
        """Return the newest checkpoint that was cosigned."""
        row = self._connection.execute(
            "SELECT size, root, cosigned_at, note FROM seen WHERE origin = ?", [self._origin]
        ).fetchone()
        if row is None:
            return Seen()
        return Seen(TreeHead(row[0], row[1]), datetime.fromtimestamp(row[2], UTC), row[3])

    def remember(self, head: TreeHead, note: str, now: datetime) -> None:
        """Remember a checkpoint with its cosignature."""
        values = (self._origin, head.size, head.root, note, int(now.timestamp()))
        self._connection.execute(_PUT, values)

    def keep(self, reason: str, request: str, now: datetime) -> None:
        """Keep a request that the log signed and that contradicts what was cosigned."""
        kept = self._connection.execute(
            "SELECT count(*) FROM evidence WHERE origin = ?", [self._origin]
        ).fetchone()[0]
        if kept < _MOST_EVIDENCE:
            values = (self._origin, int(now.timestamp()), reason, request)
            self._connection.execute("INSERT INTO evidence VALUES (?, ?, ?, ?)", values)


class WitnessMemory:
    """The file that a witness remembers in."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def create(cls, path: Path, key: str) -> "WitnessMemory":
        """Make the memory of the witness that signs by *key*.

        Raises: FileExistsError.
        """
        path.touch(mode=0o600, exist_ok=False)
        memory = cls(path)
        with closing(memory._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
            connection.execute("INSERT INTO identity VALUES (?)", [key])
        return memory

    def key(self) -> str:
        """Return the key of the witness whose memory this is."""
        with closing(self._connect()) as connection:
            row = connection.execute("SELECT key FROM identity").fetchone()
        return "" if row is None else str(row[0])

    @contextmanager
    def alone(self, origin: str) -> Iterator[Log]:
        """Open what is remembered of a log for one writer; what raises changes nothing."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield Log(connection, origin)
            connection.execute("COMMIT")

    def seen(self, origin: str) -> Seen:
        """Return the newest checkpoint of a log that was cosigned."""
        with closing(self._connect()) as connection:
            return Log(connection, origin).seen()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{self._path}?mode=rw", uri=True, timeout=_WAIT_SECONDS, isolation_level=None
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection
