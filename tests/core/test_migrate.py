from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import migrate
from core.databases import open_database
from core.db import Database
from core.errors import MigrationError

VERSION = sa.table("alembic_version", sa.column("version_num"))


def stand_at(database: Database, revision: str) -> None:
    def work(session: sa.orm.Session) -> None:
        session.execute(sa.update(VERSION).values(version_num=revision))

    database.write(work)


def test_a_migrated_database_is_taken(database: Database) -> None:
    migrate.require_current(database)

    assert migrate.current(database) == migrate.head()
    assert migrate.upgrade(database) is False


def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    with (
        closing(open_database(sa.URL.create("sqlite", database=str(tmp_path / "new.db")))) as new,
        pytest.raises(MigrationError, match=r"run `python app\.py init`"),
    ):
        migrate.require_current(new)


def test_an_empty_database_is_filled(tmp_path: Path) -> None:
    with closing(open_database(sa.URL.create("sqlite", database=str(tmp_path / "new.db")))) as new:
        assert migrate.current(new) is None
        assert migrate.upgrade(new) is True
        migrate.require_current(new)


def test_a_database_that_is_behind_is_refused(database: Database) -> None:
    stand_at(database, "0001")

    with pytest.raises(MigrationError, match=r"stands at migration 0001, .* `python app\.py init`"):
        migrate.require_current(database)


def test_a_database_that_is_ahead_is_refused(database: Database) -> None:
    stand_at(database, "9999")

    with pytest.raises(MigrationError, match="run the program that belongs to it"):
        migrate.require_current(database)
