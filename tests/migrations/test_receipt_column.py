"""Entries that were there before receipts had a column are found by their receipts all the same."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.orm import Session

from core import databases, migrate
from core.db import Database
from core.ids import uuid7
from journal import receipts

BEFORE = "0003"
HASHES = [bytes([number]) * 32 for number in range(3)]


@pytest.fixture(params=["sqlite", "postgresql"])
def old_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database as it stood before the column, with three entries in it."""
    url = sa.URL.create("sqlite", database=str(tmp_path / "old.db"))
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        configuration = migrate._configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, BEFORE)
    with closing(databases.open_database(url)) as made:
        made.write(add_entries)
        yield made


def add_entries(session: Session) -> None:
    statement = sa.text(
        "INSERT INTO journal_entry (id, kind, leaf, leaf_hash, created_at) "
        "VALUES (:id, 'lookup', :hash, :hash, 0)"
    ).bindparams(sa.bindparam("id", type_=sa.Uuid))
    session.execute(statement, [{"id": uuid7(), "hash": each} for each in HASHES])


def test_the_receipts_of_old_entries_are_filled_in(old_database: Database) -> None:
    migrate.upgrade(old_database)

    found = old_database.read(
        lambda s: s.execute(sa.text("SELECT receipt FROM journal_entry ORDER BY id")).scalars()
    )
    assert list(found) == [receipts.number_of(each) for each in HASHES]


def test_the_journal_only_grows_afterwards_as_it_did_before(old_database: Database) -> None:
    migrate.upgrade(old_database)

    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        old_database.write(lambda s: s.execute(sa.text("UPDATE journal_entry SET receipt = 1")))
