"""SQLite's one writer: whoever comes first commits for all who wait.

A queue of waiting writers, not busy time-outs, decides who goes next, so that no writer starves;
each piece of work stands in a SAVEPOINT of its own and all share one flush. Other processes (the
command line) queue behind a file lock. ADR 0006.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from core.db import take_callbacks
from core.errors import UnavailableError

T = TypeVar("T")

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    # A checkpoint in a commit would stall every waiting writer; housekeeping does it beside them.
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16384",
)


class _Request(Generic[T]):
    """One piece of work and the thread that waits for it."""

    def __init__(self, work: Callable[[Session], T]) -> None:
        self.work = work
        self.done = False
        self.result: T
        self.error: BaseException | None = None
        self.callbacks: list[Callable[[], None]] = []
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self) -> None:
        self._gate.acquire()

    def wake(self) -> None:
        self._gate.release()

    def finish(self, error: BaseException | None = None) -> None:
        self.error = error or self.error
        self.done = True

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return self.result

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
        self._mutex = threading.Lock()
        self._queue: list[_Request[Any]] = []
        self._busy = False

    def write(self, work: Callable[[Session], T]) -> T:
        """Run *work* among the writers of the next commit."""
        request = _Request(work)
        with self._mutex:
            self._queue.append(request)
            leads, self._busy = not self._busy, True
        if not leads:
            request.wait()
        if not request.done:
            self._lead()
        return request.outcome()

    def read(self, work: Callable[[Session], T]) -> T:
        """Run *work* on a snapshot."""
        try:
            with self._readers.connect() as connection, connection.begin():
                return work(Session(bind=connection, autoflush=False))
        except sa.exc.OperationalError as error:
            raise UnavailableError("the database cannot be read") from error

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

    def _lead(self) -> None:
        with self._mutex:
            batch, self._queue = self._queue, []
        try:
            self._commit(batch)
        finally:
            for request in batch:
                if not request.done:
                    # An interrupt came down on the leader: nobody else may take it for their turn.
                    request.finish(UnavailableError("the commit was broken off"))
            with self._mutex:
                successor = self._queue[0] if self._queue else None
                self._busy = successor is not None
            if successor is not None:
                successor.wake()
            for request in batch[1:]:
                request.wake()

    def _commit(self, batch: list[_Request[Any]]) -> None:
        try:
            with self._file_lock.held():
                connection = self._connection()
                with connection.begin():
                    for request in batch:
                        _run(connection, request)
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


def _run(connection: sa.Connection, request: _Request[Any]) -> None:
    session = Session(bind=connection, autoflush=False, join_transaction_mode="rollback_only")
    connection.exec_driver_sql("SAVEPOINT work")
    try:
        request.result = request.work(session)
        request.callbacks = take_callbacks(session)
    except sa.exc.OperationalError as error:
        _undo(connection)
        request.error = UnavailableError("the database did not take the work")
        request.error.__cause__ = error
    except Exception as error:  # noqa: BLE001 (handed to the thread that brought the work)
        _undo(connection)
        request.error = error
    else:
        connection.exec_driver_sql("RELEASE work")


def _undo(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ROLLBACK TO work")
    connection.exec_driver_sql("RELEASE work")


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
