"""One way to write and one way to read, over SQLite and PostgreSQL alike.

The tables of every package stand on `metadata`. How the two databases differ in taking writes is
told in ADR 0006.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.prepared import is_prepared, run

T = TypeVar("T")
_R = TypeVar("_R", bound=tuple[Any, ...])

# SQLite keeps a row under its key only if the key's type is spelt INTEGER; it holds 64 bits there.
KEY64 = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_AFTER_COMMIT = "after_commit"

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime, kept as whole microseconds so that both databases agree on it."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """Turn an aware datetime into microseconds since 1970."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """Turn microseconds since 1970 into an aware datetime."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class CoreSession(Session):
    """A session for statements alone: they go straight to its connection.

    The ORM's own road costs as much again as the statement, and nothing here takes it.
    """

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(bind=connection, autoflush=False, join_transaction_mode="rollback_only")
        self._connection_itself = connection

    def execute(self, statement: Any, params: Any = None, **_options: Any) -> Any:  # noqa: ANN401 (SQLAlchemy's own overloads are about rows of the ORM)
        """Run a Core statement, once for each set of parameters."""
        if is_prepared(statement):
            return run(self._connection_itself, statement, params)
        return self._connection_itself.execute(statement, params)

    def begin_nested(self) -> Any:  # noqa: ANN401 (the connection's own savepoint, not the ORM's)
        """Begin a savepoint."""
        return self._connection_itself.begin_nested()

    def in_nested_transaction(self) -> bool:
        """Tell whether a savepoint is open."""
        return self._connection_itself.in_nested_transaction()


class Database(Protocol):
    """Runs work in a transaction; what returns is kept, what raises is not."""

    dialect: str
    url: sa.URL

    def write(self, work: Callable[[Session], T]) -> T:
        """Run *work* in a transaction and return once it is committed and flushed.

        Raises: UnavailableError when the database did not take it.
        """
        ...

    def read(self, work: Callable[[Session], T]) -> T:
        """Run *work* on a consistent state that it cannot change."""
        ...

    def reserved(self) -> "Database":
        """Return this database as the off switch has it: nobody else's use makes it wait."""
        ...

    def checkpoint(self) -> None:
        """Do the database's own tidying that must not stand in a commit's way."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Have *callback* run once this work is committed, before its writer is answered."""
    session.info.setdefault(_AFTER_COMMIT, []).append(callback)


def take_callbacks(session: Session) -> list[Callable[[], None]]:
    """Hand over what `after_commit` collected, leaving none behind."""
    callbacks: list[Callable[[], None]] = session.info.pop(_AFTER_COMMIT, [])
    return callbacks


def locked(
    statement: sa.Select[_R], session: Session, *, skip: bool = False, of: sa.Table | None = None
) -> sa.Select[_R]:
    """Lock the rows of *statement* where rows can be locked; SQLite has one writer anyway."""
    if dialect_of(session) == "postgresql":
        return _for_update(statement, skip=skip, of=of)
    return statement


@lru_cache(maxsize=64)
def _for_update(statement: sa.Select[_R], *, skip: bool, of: sa.Table | None) -> sa.Select[_R]:
    return statement.with_for_update(skip_locked=skip, of=of)


def dialect_of(session: Session) -> str:
    """Return the name of the database that *session* works on."""
    return session.get_bind().dialect.name


def upsert(dialect: str, table: sa.Table) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    """Start an INSERT that knows ON CONFLICT in this dialect."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 (one dialect is loaded)

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 (one dialect is loaded)

    return sqlite.insert(table)
