"""Brings a database's schema to what this program was written for, and tells whether it is."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.db import Database
from core.errors import MigrationError

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parent.parent / "migrations"


def upgrade(database: Database) -> bool:
    """Run every migration the database lacks; return whether there was one.

    Raises: MigrationError for a database that is ahead of this program.
    """
    # They load slowly, and only set-up and upgrades need them.
    from alembic import command  # noqa: PLC0415 (as said above)
    from alembic.util import CommandError  # noqa: PLC0415 (as said above)

    if current(database) == head():
        return False
    engine = sa.create_engine(database.url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        try:
            command.upgrade(configuration, "head")
        except CommandError as error:
            raise MigrationError(
                "the database stands at a migration that this program does not know: "
                "run the program that belongs to it, or a newer one"
            ) from error
    return True


def current(database: Database) -> str | None:
    """Return the revision the database stands at, None for an empty one."""
    table = sa.table("alembic_version", sa.column("version_num", sa.String))
    known = database.read(lambda s: sa.inspect(s.connection()).has_table(table.name))
    if not known:
        return None
    return database.read(lambda s: s.execute(sa.select(table.c.version_num)).scalar())


def head() -> str:
    """Return the newest revision this program knows."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 (loads slowly)

    revision = ScriptDirectory.from_config(_configuration()).get_current_head()
    if revision is None:
        raise MigrationError("this installation has no migrations: install it again")
    return revision


def require_current(database: Database) -> None:
    """Refuse a database that is behind or ahead of this program.

    Raises: MigrationError saying which, and what to do.
    """
    found, wanted = current(database), head()
    if found is None:
        raise MigrationError("the database is empty: run `python app.py init`")
    if found != wanted:
        raise MigrationError(
            f"the database stands at migration {found}, this program needs {wanted}: "
            "run `python app.py init` to migrate it, or run the program that belongs to it"
        )


def _configuration() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 (loads slowly)

    configuration = Config()
    configuration.set_main_option("script_location", str(_SCRIPTS))
    return configuration
