"""What machines watch: alive, ready, and what is counted."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.db import Database
from records import stops
from records.stops import Order, Scope, StopReason
from tests.fakes import FixedClock
from tests.sms.door import PHONE, Door, opened


@pytest.fixture
def door(database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Door]:
    with opened(database, keys_dir, tmp_path / "door", clock) as made:
        yield made


def checks(door: Door) -> tuple[int, dict[str, bool]]:
    response = door.client.get("/readyz")
    document = json.loads(response.data)
    assert document["ready"] is (response.status_code == 200)
    return response.status_code, document["checks"]


def failing(door: Door) -> set[str]:
    status, found = checks(door)
    assert status == 503
    return {name for name, holds in found.items() if not holds}


def test_a_process_that_runs_is_alive_whatever_else(door: Door) -> None:
    door.database.away = True

    response = door.client.get("/healthz")

    assert (response.status_code, json.loads(response.data)) == (200, {"alive": True})


def test_everything_in_order_is_ready(door: Door) -> None:
    status, found = checks(door)

    assert status == 200
    assert set(found) >= {"database", "migrations", "journal", "queue"}
    assert all(found.values())


def test_without_a_database_nothing_is_ready(door: Door) -> None:
    door.database.away = True

    assert {"database", "journal", "queue"} <= failing(door)


def test_a_database_that_is_behind_is_not_ready(door: Door) -> None:
    behind = sa.text("UPDATE alembic_version SET version_num = '0001'")

    door.database.inner.write(lambda s: s.execute(behind).close())

    assert failing(door) == {"migrations"}


def test_a_queue_that_does_not_move_is_not_ready(door: Door) -> None:
    door.post(door.event())
    door.later(60)
    still = checks(door)[0]
    door.later(1)

    assert still == 200
    assert failing(door) == {"queue"}


def test_a_journal_fault_is_not_ready_until_it_is_resumed(door: Door) -> None:
    now = door.clock.now()
    door.database.inner.write(
        lambda s: stops.stop(
            s, Order(scope=Scope.DISCLOSURE, reason=StopReason.JOURNAL_FAULT, by="system"), now
        )
    )

    assert failing(door) == {"journal"}


def test_metrics_count_and_name_nobody(door: Door) -> None:
    door.post(door.event(text="DC 001085123456"))
    door.clock.advance(timedelta(seconds=1))

    told = door.client.get("/metrics").text

    assert 'tradan_messages_in_total{link="hong-ha",result="new"}' in told
    assert "001085123456" not in told
    assert PHONE[1:] not in told
