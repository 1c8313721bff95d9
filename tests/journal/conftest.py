"""What the journal's tests share: an open journal, drafts, somebody with the database in hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.db import Database
from core.keyring import Keyring, row_id
from journal import receipts, tree
from journal.audit import verify_live
from journal.checkpoint import text_of
from journal.entries import Draft, Entry, Kind, Retention
from journal.journal import Journal
from journal.note import Signer as NoteSigner
from journal.tree import TreeHead
from journal.verifier import Report
from tests.fakes import FixedClock

ORIGIN = "tradan/gateway.example"


@dataclass(frozen=True, slots=True)
class House:
    """A journal and everything it was opened with."""

    journal: Journal
    database: Database
    keyring: Keyring
    keys_dir: Path
    state_dir: Path
    clock: FixedClock

    def reopen(self, state_dir: Path | None = None) -> Journal:
        """Open the journal once more, as another process would."""
        return Journal.open(
            self.database,
            self.keyring,
            self.keys_dir,
            state_dir or self.state_dir,
            ORIGIN,
            self.clock,
        )

    def drafts(self, count: int, start: int = 0) -> list[Draft]:
        """Make drafts of lookups by *count* citizens."""
        return [self.draft(number) for number in range(start, start + count)]

    def draft(self, number: int = 0) -> Draft:
        """Make the draft of a lookup by one citizen."""
        person, phone = f"{number:012d}", f"+8490{number:07d}"
        return Draft(
            kind=Kind.LOOKUP,
            retention=Retention.LOOKUP,
            actor=f"phone:{phone}",
            actor_index=row_id(self.keyring.index("phone", phone)),
            subject=f"person:{person}",
            subject_index=row_id(self.keyring.index("personal_id", person)),
            payload={"command": "DC", "fields": ("name", "sex"), "outcome": "told", "segments": 1},
        )

    def append(self, count: int, start: int = 0) -> list[Entry]:
        """Append entries in one transaction, and have them sealed."""
        made = self.journal.prepare(self.drafts(count, start))
        self.database.write(lambda session: self.journal.append(session, made))
        self.seal()
        return made

    def seal(self) -> None:
        """Have the sealer do what it has to, where there is one."""
        if self.database.dialect == "postgresql":
            while self.journal.seal_once():
                pass

    def size(self) -> int:
        """Return how many leaves the tree has."""
        return self.database.read(self.journal.head).size

    def verify(self, **options: Any) -> Report:  # noqa: ANN401 (the verifier's own options)
        """Verify with everything this deployment has."""
        options.setdefault("now", self.clock.now())
        return verify_live(self.database, self.keyring, self.keys_dir, self.state_dir, **options)


@pytest.fixture
def house(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[House]:
    """An empty journal on each kind of database."""
    state_dir = tmp_path / "journal-state"
    state_dir.mkdir()
    journal = Journal.open(database, keyring, keys_dir, state_dir, ORIGIN, clock)
    yield House(journal, database, keyring, keys_dir, state_dir, clock)
    journal.close()


@dataclass(frozen=True, slots=True)
class Administrator:
    """Somebody who can write anything into the database, triggers or not, but holds no key."""

    engine: sa.Engine

    @contextmanager
    def at_work(self) -> Iterator[sa.Connection]:
        """Open a transaction in which no trigger fires."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET session_replication_role = replica")
                yield connection
                return
            triggers = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).all()
            for name, _ in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            yield connection
            for _, definition in triggers:
                connection.exec_driver_sql(definition)

    def run(self, statement: str, **values: object) -> None:
        """Run one statement behind the triggers' back."""
        with self.at_work() as connection:
            connection.execute(sa.text(statement), values)

    def rows(self, statement: str, **values: object) -> list[Any]:
        """Read rows."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(statement), values))

    def rebuild(self, sign: NoteSigner | None = None) -> None:
        """Recompute what follows from the leaves; sign it with a key, if one is had."""
        leaves = self.rows(
            "SELECT e.id, e.leaf FROM journal_leaf l JOIN journal_entry e ON e.id = l.entry_id "
            "ORDER BY l.seq"
        )
        hashes = [tree.leaf_hash(row.leaf) for row in leaves]
        growth = tree.grow(0, (), hashes)
        head = TreeHead(growth.size, tree.root(growth.edge))
        rows = [
            {
                "seq": seq,
                "id": row.id,
                "hash": leaf_hash,
                "receipt": receipts.number_of(leaf_hash),
            }
            for seq, (row, leaf_hash) in enumerate(zip(leaves, hashes, strict=True))
        ]
        with self.at_work() as connection:
            for table in ("journal_tile", "journal_leaf"):
                connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 (our own words)
            set_hash = (
                "UPDATE journal_entry SET leaf_hash = :hash, receipt = :receipt WHERE id = :id"
            )
            connection.execute(sa.text(set_hash), rows)
            connection.execute(sa.text("INSERT INTO journal_leaf VALUES (:seq, :id, :hash)"), rows)
            tiles = [{"level": t.level, "n": t.n, "hashes": t.hashes} for t in growth.tiles]
            put_tile = sa.text("INSERT INTO journal_tile VALUES (:level, :n, :hashes)")
            connection.execute(put_tile, tiles)
            state = {"size": head.size, "root": head.root}
            connection.execute(sa.text("UPDATE tree_state SET size = :size, root = :root"), state)
            if sign is not None:
                connection.exec_driver_sql("DELETE FROM journal_checkpoint")
                put = "INSERT INTO journal_checkpoint (size, note, signed_at) VALUES (:size, :n, 1)"
                note = sign.sign(text_of(ORIGIN, head))
                connection.execute(sa.text(put), {"size": head.size, "n": note})


@pytest.fixture
def administrator(database: Database) -> Iterator[Administrator]:
    """Somebody with the database in hand."""
    engine = sa.create_engine(database.url, poolclass=sa.pool.NullPool)
    yield Administrator(engine)
    engine.dispose()


def codes(report: Report) -> set[str]:
    """Return what a verification found, by code."""
    return set(report.counts)
