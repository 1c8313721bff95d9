"""SQLite's one writer: whoever comes first commits for all who wait.

A queue of waiting writers, not busy time-outs, decides who goes next, so that no writer starves;
each piece of work stands in a SAVEPOINT of its own and all share one flush. Other processes (the
command line) queue behind a file lock. ADR 0006.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from core.db import CoreSession, take_callbacks
from core.errors import UnavailableError
from core.together import Together, Turn

T = TypeVar("T")

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # Else INSERT OR REPLACE asks no trigger about the row that it puts another in the place of.
    "PRAGMA recursive_triggers=ON",
    "PRAGMA busy_timeout=10000",
    # A checkpoint in a commit would stall every waiting writer; housekeeping does it beside them.
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16384",
)


class _Request(Turn, Generic[T]):
    """One piece of work and what came of it."""

    def __init__(self, work: Callable[[Session], T]) -> None:
        super().__init__()
        self.work = work
        self.result: T
        self.callbacks: list[Callable[[], None]] = []

    def call_back(self) -> Exception | None:
        """Run what waits for the commit; what fails there is told to this writer alone."""
        try:
            for callback in self.callbacks:
                callback()
        except Exception as error:  # noqa: BLE001 (handed to the thread that brought the work)
            return error
        return None


class _FileLock:
    """A lock between processes that lets nobody in twice while another waits.

    The turnstile is held while waiting for the lock itself, so the process that has just let go
    queues behind those who came before it.
    """

    def __init__(self, path: Path) -> None:
        self._turnstile = os.open(path.with_suffix(".turn"), os.O_RDWR | os.O_CREAT, 0o600)
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    @contextmanager
    def held(self) -> Iterator[None]:
        fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._turnstile)
        os.close(self._lock)


class SqliteDatabase:
    """A SQLite file in WAL mode with full flushing."""

    dialect = "sqlite"

    def __init__(self, url: sa.URL) -> None:
        path = Path(url.database or "").absolute()
        self.url = url
        self._readers = _engine(url, QueuePool, pool_size=8, max_overflow=24)
        self._engine = _engine(url, NullPool)
        sa.event.listen(self._engine, "begin", _begin_immediate)
        sa.event.listen(self._readers, "begin", _begin_deferred)
        sa.event.listen(self._readers, "connect", _forbid_writing)
        self._file_lock = _FileLock(path.with_name(path.name + ".lock"))
        self._writer: sa.Connection | None = None
        self._writers: Together[_Request[Any]] = Together(self._commit, broken_off=_broken_off)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run *work* among the writers of the next commit."""
        request = _Request(work)
        self._writers.do(request)
        return request.result

    def read(self, work: Callable[[Session], T]) -> T:
        """Run *work* on a snapshot."""
        try:
            with self._readers.connect() as connection, connection.begin():
                return work(CoreSession(connection))
        except sa.exc.OperationalError as error:
            raise UnavailableError("the database cannot be read") from error

    def reserved(self) -> "SqliteDatabase":
        """Return this very database: writers wait in one queue, for one commit at most."""
        return self

    def checkpoint(self) -> None:
        """Move what the write-ahead log holds into the database file."""
        with self._readers.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Let go of every connection."""
        if self._writer is not None:
            self._writer.close()
        self._engine.dispose()
        self._readers.dispose()
        self._file_lock.close()

    def _commit(self, batch: list[_Request[Any]]) -> None:
        try:
            with self._file_lock.held():
                connection = self._connection()
                with connection.begin() as transaction:
                    if len(batch) == 1:
                        _run_alone(connection, transaction, batch[0])
                    else:
                        for request in batch:
                            _run_beside(connection, request)
        except Exception as error:  # noqa: BLE001 (a failed COMMIT fails everybody in it, whatever it was)
            self._drop_writer()
            cause = UnavailableError("the database did not take the commit")
            cause.__cause__ = error
            for request in batch:
                request.finish(request.error or cause)
            return
        for request in batch:
            request.finish(request.call_back())

    def _connection(self) -> sa.Connection:
        if self._writer is None:
            self._writer = self._engine.connect()
        return self._writer

    def _drop_writer(self) -> None:
        if self._writer is not None:
            self._writer.invalidate()
            self._writer.close()
            self._writer = None


def _run_alone(
    connection: sa.Connection, transaction: sa.RootTransaction, request: _Request[Any]
) -> None:
    """Run the only work of a commit: undoing it is undoing the transaction."""
    _run(connection, request)
    if request.error is not None:
        transaction.rollback()


def _run_beside(connection: sa.Connection, request: _Request[Any]) -> None:
    """Run one work of several, so that undoing it leaves the others."""
    connection.exec_driver_sql("SAVEPOINT work")
    _run(connection, request)
    if request.error is not None:
        connection.exec_driver_sql("ROLLBACK TO work")
    connection.exec_driver_sql("RELEASE work")


def _run(connection: sa.Connection, request: _Request[Any]) -> None:
    session = CoreSession(connection)
    try:
        request.result = request.work(session)
        request.callbacks = take_callbacks(session)
    except sa.exc.OperationalError as error:
        request.error = UnavailableError("the database did not take the work")
        request.error.__cause__ = error
    except Exception as error:  # noqa: BLE001 (handed to the thread that brought the work)
        request.error = error


def _broken_off() -> UnavailableError:
    return UnavailableError("the commit was broken off")


def _engine(url: sa.URL, pool: type[sa.Pool], **options: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        poolclass=pool,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
        **options,
    )
    sa.event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions of its own: savepoints would leak past a rollback.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _forbid_writing(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA query_only=ON")


def _begin_immediate(connection: sa.Connection) -> None:
    # A deferred BEGIN that comes to write later fails on a newer snapshot, time-out or not.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
