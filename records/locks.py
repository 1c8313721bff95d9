"""What may be told about one citizen: counts of PINs and results, failure and owner's locks."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import KEY64, Instant, dialect_of, locked, metadata, upsert
from core.prepared import among, prepared

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

GATE = sa.Table(
    "citizen_gate",
    metadata,
    sa.Column("id", KEY64, primary_key=True, autoincrement=False),
    sa.Column("pins", sa.Text, nullable=False),
    sa.Column("results", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("locked_until", Instant),
    sa.Column("owner_locked", sa.Boolean, nullable=False),
)


_OF = prepared(sa.select(GATE).where(among(GATE.c.id, "citizens")).order_by(GATE.c.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenLimits:
    """How often one citizen's record may be asked for and told."""

    pin_spacing: timedelta = timedelta(seconds=60)
    pins_per_hour: int = 3
    pins_per_day: int = 5
    results_per_day: int = 5
    failures_to_lock: int = 10
    lock: timedelta = timedelta(hours=24)
    failures_to_lock_for_good: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One citizen's counts and locks; a citizen nobody asked about yet has the empty one."""

    pins: tuple[datetime, ...] = ()
    results: tuple[datetime, ...] = ()
    failures: int = 0
    locked_until: datetime | None = None
    owner_locked: bool = False


OPEN = Gate()


def bars_pin(gate: Gate, limits: CitizenLimits, now: datetime, *, owners: bool) -> str | None:
    """Give the reason why no PIN is made for this citizen now, None if one may be.

    *owners*: the command is the owner's own lock or unlock, which passes the owner's lock.
    """
    if failed := _failure_lock(gate, limits, now):
        return failed
    if gate.owner_locked and not owners:
        return "owner-locked"
    if gate.pins and now - gate.pins[-1] < limits.pin_spacing:
        return "citizen-spacing"
    if _within(gate.pins, now, _HOUR) >= limits.pins_per_hour:
        return "citizen-hour"
    if _within(gate.pins, now, _DAY) >= limits.pins_per_day:
        return "citizen-day"
    return bars_result(gate, limits, now, owners=owners)


def bars_result(gate: Gate, limits: CitizenLimits, now: datetime, *, owners: bool) -> str | None:
    """Give the reason why this citizen's record is not told now, None if it may be."""
    if failed := _failure_lock(gate, limits, now):
        return failed
    if owners:
        return None
    if gate.owner_locked:
        return "owner-locked"
    if _within(gate.results, now, _DAY) >= limits.results_per_day:
        return "citizen-results"
    return None


def pin_made(gate: Gate, now: datetime) -> Gate:
    """Count one PIN."""
    return replace(gate, pins=(*_lately(gate.pins, now), now))


def opened(gate: Gate, now: datetime, *, told: bool) -> Gate:
    """Note a right PIN: failures are forgotten, and a result told is counted."""
    results = (*_lately(gate.results, now), now) if told else gate.results
    return replace(gate, failures=0, results=results)


def failed(gate: Gate, limits: CitizenLimits, now: datetime) -> Gate:
    """Count a wrong PIN, and lock at every tenth in a row."""
    failures = gate.failures + 1
    locks = failures % limits.failures_to_lock == 0
    return replace(
        gate, failures=failures, locked_until=now + limits.lock if locks else gate.locked_until
    )


def set_owner_lock(gate: Gate, *, locked: bool) -> Gate:
    """Set or lift the owner's own lock; a failure lock stays as it is."""
    return replace(gate, owner_locked=locked)


def load(session: Session, ids: Collection[int], *, lock: bool = False) -> dict[int, Gate]:
    """Load the gates of these citizens, locking their rows in key order if wanted."""
    if not ids:
        return {}
    statement = locked(_OF, session) if lock else _OF
    rows = session.execute(statement, {"citizens": sorted(ids)})
    return {row.id: _from_row(row) for row in rows}


def store(session: Session, gates: Sequence[tuple[int, Gate]]) -> None:
    """Write the gates of these citizens."""
    if not gates:
        return
    session.execute(
        _store_statement(dialect_of(session)),
        [
            {
                "id": citizen_id,
                "pins": _dump(gate.pins),
                "results": _dump(gate.results),
                "failures": gate.failures,
                "locked_until": gate.locked_until,
                "owner_locked": gate.owner_locked,
            }
            for citizen_id, gate in sorted(gates)
        ],
    )


@cache
def _store_statement(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    statement = upsert(dialect, GATE)
    columns = {c.name: statement.excluded[c.name] for c in GATE.c if c.name != "id"}
    return prepared(statement.on_conflict_do_update(index_elements=["id"], set_=columns))


def _from_row(row: sa.Row[Any]) -> Gate:
    return Gate(
        pins=_parse(row.pins),
        results=_parse(row.results),
        failures=row.failures,
        locked_until=row.locked_until,
        owner_locked=row.owner_locked,
    )


def _failure_lock(gate: Gate, limits: CitizenLimits, now: datetime) -> str | None:
    if gate.failures >= limits.failures_to_lock_for_good:
        return "failure-lock-for-good"
    if gate.locked_until is not None and now < gate.locked_until:
        return "failure-lock"
    return None


def _within(times: Sequence[datetime], now: datetime, span: timedelta) -> int:
    return sum(1 for time in times if now - time < span)


def _lately(times: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    return tuple(time for time in times if now - time < _DAY)


def _dump(times: Sequence[datetime]) -> str:
    return json.dumps([(time - _EPOCH) // _MICROSECOND for time in times], separators=(",", ":"))


def _parse(text: str) -> tuple[datetime, ...]:
    if text == "[]":
        return ()
    return tuple(_EPOCH + timedelta(microseconds=time) for time in json.loads(text))
