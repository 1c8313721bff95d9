"""Slows whoever fails to log in, by name and by address, and never shuts anybody out for good.

A right second factor opens the throttle: whoever shuts an officer's name by failing under it lacks
that, and so cannot keep the officer from the switch that stops the service.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from console.tables import LOGIN_THROTTLE
from core import metrics
from core.db import dialect_of, locked, upsert

_FREE_FAILURES = 5
_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15))
_ALARM_AT = 10
# Failures that lie this far back are forgotten with the next one.
_FORGOTTEN_AFTER = timedelta(hours=24)


def keys_of(name: str, address: str) -> tuple[bytes, bytes]:
    """Return what the failures of a name and of an address are counted under."""
    return _key("name", name), _key("address", address)


def count_attempt(session: Session, keys: Sequence[bytes], now: datetime) -> bool:
    """Count an attempt as failed before anything is compared; tell whether it was free to be made.

    Whoever then succeeds has it taken back by `forgive`.
    """
    insert = upsert(dialect_of(session), LOGIN_THROTTLE).on_conflict_do_nothing()
    rows = [{"key": key, "failures": 0, "last_at": now} for key in sorted(keys)]
    session.execute(insert, rows)
    found = sa.select(LOGIN_THROTTLE).where(LOGIN_THROTTLE.c.key.in_(keys))
    free = True
    for row in session.execute(locked(found.order_by(LOGIN_THROTTLE.c.key), session)).all():
        shut = row.shut_until is not None and now < row.shut_until
        free = free and not shut
        if not shut:
            session.execute(_counted(row, now))
    return free


def forgive(session: Session, keys: Collection[bytes]) -> None:
    """Forget the failures of who has logged in."""
    session.execute(sa.delete(LOGIN_THROTTLE).where(LOGIN_THROTTLE.c.key.in_(keys)))


def forget(session: Session, now: datetime, most: int) -> int:
    """Let go of failures that slow nobody any more, so many at once; return how many went."""
    # Whoever fails just now holds theirs.
    old = locked(_OLD.where(LOGIN_THROTTLE.c.last_at < now - _FORGOTTEN_AFTER), session, skip=True)
    keys = session.execute(old.limit(most)).scalars().all()
    forgive(session, keys)
    return len(keys)


def _counted(row: sa.Row[bytes, int, datetime, datetime | None], now: datetime) -> sa.Update:
    failures = 1 if now - row.last_at > _FORGOTTEN_AFTER else row.failures + 1
    if failures == _ALARM_AT:
        metrics.ALARMS.labels("console-login-failures").inc()
    delay = _delay(failures)
    return (
        sa.update(LOGIN_THROTTLE)
        .where(LOGIN_THROTTLE.c.key == row.key)
        .values(failures=failures, last_at=now, shut_until=now + delay if delay else None)
    )


def _delay(failures: int) -> timedelta | None:
    if failures < _FREE_FAILURES:
        return None
    return _DELAYS[min(failures - _FREE_FAILURES, len(_DELAYS) - 1)]


def _key(kind: str, value: str) -> bytes:
    return hashlib.sha256(f"login/1\n{kind}\n{value.casefold()}".encode()).digest()


_OLD = sa.select(LOGIN_THROTTLE.c.key).order_by(LOGIN_THROTTLE.c.key)
