"""Identifiers that sort by the time they were made."""

import secrets
import threading
import time
from datetime import datetime
from uuid import UUID

_COUNTER_BITS = 12
_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """Make a version 7 UUID, greater than every one this process made before.

    Source: RFC 9562, 5.7 and 6.2 method 3: the twelve bits after the milliseconds count on.
    """
    global _last  # noqa: PLW0603 (monotonic within the process needs one memory)
    with _lock:
        now = (time.time_ns() // 1_000_000) << _COUNTER_BITS
        _last = max(now, _last + 1)
        stamp = _last
    milliseconds, counter = stamp >> _COUNTER_BITS, stamp & ((1 << _COUNTER_BITS) - 1)
    tail = secrets.randbits(62)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | tail)


def first_uuid7(instant: datetime) -> UUID:
    """Return an id that sorts before every one made from *instant* on."""
    milliseconds = int(instant.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
