"""Who leads: one of many processes, by an advisory lock that dies with its connection."""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy as sa

from core.errors import UnavailableError

# How long a lost connection may go unnoticed: two leaders may be slow, and must not be wrong.
_CHECK_SECONDS = 1.0


class Leadership:
    """A claim to be the one that does *work* on a PostgreSQL database."""

    def __init__(
        self, url: sa.URL, work: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        digest = hashlib.sha256(f"tradan leadership\n{work}".encode()).digest()
        self._lock = int.from_bytes(digest[:8], "big", signed=True)
        self._engine = sa.create_engine(
            url,
            poolclass=sa.pool.NullPool,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": 2},
        )
        self._monotonic = monotonic
        self._connection: sa.Connection | None = None
        self._leads = False
        self._checked_at = float("-inf")

    def held(self) -> bool:
        """Tell whether this process leads, trying to if nobody does.

        Raises: UnavailableError if the database does not answer.
        """
        now = self._monotonic()
        if self._leads and now - self._checked_at < _CHECK_SECONDS:
            return True
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            if self._leads:
                self._connection.execute(sa.select(1))
            else:
                lock = sa.select(sa.func.pg_try_advisory_lock(self._lock))
                self._leads = bool(self._connection.execute(lock).scalar())
        except sa.exc.OperationalError as error:
            self._drop()
            raise UnavailableError("the database cannot say who leads") from error
        self._checked_at = now
        return self._leads

    def resign(self) -> None:
        """Let another process lead."""
        if self._connection is not None and self._leads:
            with suppress(sa.exc.SQLAlchemyError):  # the lock goes with the connection anyway
                self._connection.execute(sa.select(sa.func.pg_advisory_unlock(self._lock)))
        self._drop()

    def _drop(self) -> None:
        self._leads = False
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
