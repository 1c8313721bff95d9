"""PostgreSQL: one transaction a piece of work, any number of processes and machines."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import CoreSession, take_callbacks
from core.errors import UnavailableError
from core.together import WITHIN

T = TypeVar("T")

_TRIES = 3
_SERVER_SETTINGS = (
    "-c lock_timeout=2000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=60000 "
    "-c timezone=UTC"
)
# Whoever stops the service waits neither for a lock nor for a slow answer.
_SWITCH_SETTINGS = _SERVER_SETTINGS.replace("=2000 ", "=300 ").replace("=15000 ", "=1000 ")
# PostgreSQL, appendix A: deadlock_detected, serialization_failure.
_TRY_AGAIN = frozenset({"40P01", "40001"})


class PostgresDatabase:
    """A PostgreSQL database, 15 or later."""

    dialect = "postgresql"

    def __init__(self, url: sa.URL, *, is_reserved: bool = False) -> None:
        self.url = url.set(drivername="postgresql+psycopg")
        self.engine = _reserved_engine(self.url) if is_reserved else _engine(self.url)
        self._switches: list[PostgresDatabase] = []
        self._writing = threading.local()

    def write(self, work: Callable[[Session], T]) -> T:
        """Run *work* in a transaction of its own; a deadlock's loser is run again."""
        if getattr(self._writing, "is_under_way", False):
            raise RuntimeError(WITHIN)  # two transactions of one thread may wait for each other
        for last in (*(False,) * (_TRIES - 1), True):
            try:
                return self._transact(work)
            except (sa.exc.OperationalError, sa.exc.InternalError) as error:
                # An internal error is how a server that takes no writes answers (a standby).
                state = getattr(error.orig, "sqlstate", None)
                if last or state not in _TRY_AGAIN:
                    raise UnavailableError("the database did not take the work") from error
            except sa.exc.TimeoutError as error:
                raise UnavailableError("no database connection came free") from error
        raise AssertionError  # pragma: no cover (the last try returned or raised)

    def read(self, work: Callable[[Session], T]) -> T:
        """Run *work* on a transaction that writes nothing."""
        try:
            with self.engine.connect() as connection:
                return work(CoreSession(connection))
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            raise UnavailableError("the database cannot be read") from error

    def reserved(self) -> "PostgresDatabase":
        """Return this database over one connection that is open from now on."""
        made = PostgresDatabase(self.url, is_reserved=True)
        with suppress(sa.exc.OperationalError):  # whoever needs it then asks again
            made.engine.connect().close()
        self._switches.append(made)
        return made

    def checkpoint(self) -> None:
        """Do nothing: the server has a process of its own for this."""

    def close(self) -> None:
        """Let go of every connection."""
        for switch in self._switches:
            switch.close()
        self.engine.dispose()

    def _transact(self, work: Callable[[Session], T]) -> T:
        with self.engine.connect() as connection:
            session = CoreSession(connection)
            self._writing.is_under_way = True
            try:
                with connection.begin():
                    result = work(session)
            finally:
                self._writing.is_under_way = False
        for callback in take_callbacks(session):
            callback()
        return result


def _engine(url: sa.URL) -> sa.Engine:
    return sa.create_engine(
        url,
        hide_parameters=True,
        pool_size=12,
        max_overflow=8,
        pool_timeout=5,
        connect_args={"connect_timeout": 2, "options": _SERVER_SETTINGS},
    )


def _reserved_engine(url: sa.URL) -> sa.Engine:
    return sa.create_engine(
        url,
        hide_parameters=True,
        pool_size=1,
        max_overflow=0,
        pool_timeout=1,
        # It is seldom used: the server may have been started anew since.
        pool_pre_ping=True,
        connect_args={"connect_timeout": 2, "options": _SWITCH_SETTINGS},
    )
