"""Opens the database that a URL names."""

from pathlib import Path

import sqlalchemy as sa

from core.db import Database
from core.errors import SettingsError


def database_url(text: str, state_dir: Path) -> sa.URL:
    """Read a database URL; a bare file name lies in *state_dir*.

    Raises: SettingsError for a database that is neither SQLite nor PostgreSQL.
    """
    if "://" not in text:
        return sa.URL.create("sqlite", database=str((state_dir / text).absolute()))
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as error:
        raise SettingsError(["TRADAN_DATABASE_URL cannot be read as a database URL"]) from error
    backend = url.get_backend_name()
    if backend == "postgres":
        url, backend = url.set(drivername="postgresql"), "postgresql"
    if backend not in {"sqlite", "postgresql"} or (
        backend == "sqlite" and url.database in {None, "", ":memory:"}
    ):
        fault = "TRADAN_DATABASE_URL must name a SQLite file or a PostgreSQL database"
        raise SettingsError([fault])
    return url


def open_database(url: sa.URL) -> Database:
    """Open the database at *url*, loading only the driver it needs."""
    if url.get_backend_name() == "postgresql":
        from core.postgresql import PostgresDatabase  # noqa: PLC0415 (its driver loads slowly)

        return PostgresDatabase(url)
    from core.sqlite import SqliteDatabase  # noqa: PLC0415 (the other of the two)

    return SqliteDatabase(url)
