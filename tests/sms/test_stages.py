"""The stages as they run: threads that wake each other, drain, and stop at a fault."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.chores import Keeper
from core.databases import open_database
from core.db import Database
from core.errors import UnavailableError
from core.ids import uuid7
from journal.journal import MEMORY_FILE
from journal.tables import JOURNAL_PENDING
from records.stops import STOP, Scope, StopReason
from sms import outbox, queue
from sms.dispatch import ReplyState
from sms.inbound import State
from sms.stages import Stages
from sms.tables import INBOUND
from tests.sms.gateway import Gateway, stranger
from tests.sms.running import staged

DEADLINE = 20.0


@pytest.fixture
def running(database: Database, keys_dir: Path, tmp_path: Path) -> Iterator[tuple[Gateway, Stages]]:
    with staged(database, keys_dir, tmp_path / "gateway") as made:
        yield made


def wait_until(holds: Callable[[], bool]) -> None:
    gives_up_at = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < gives_up_at
        time.sleep(0.02)


def test_what_was_acknowledged_before_the_end_is_answered_before_the_end(
    running: tuple[Gateway, Stages],
) -> None:
    gateway, stages = running
    people = gateway.population(20)
    stages.start()
    gateway.send_all((str(each.phone), f"DC {each.personal_id}") for each in people)
    wait_until(lambda: len(gateway.operator.received) > 0)

    stages.drain()

    assert {row.state for row in gateway.rows(INBOUND)} == {State.ANSWERED}
    assert {row.state for row in gateway.replies()} == {ReplyState.ACCEPTED}
    assert len({reply.id for _, reply in gateway.operator.received}) == 20


def test_a_start_takes_up_what_a_dead_process_left(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path
) -> None:
    with staged(sqlite_database, keys_dir, tmp_path / "gateway") as (gateway, stages):
        now = gateway.clock.now()
        gateway.send(stranger(1), "HD")
        gateway.handle()
        gateway.claim()
        gateway.send(stranger(2), "HD")
        gateway.database.write(lambda s: queue.claim(s, uuid7(), now, limit=9))

        stages.start()
        wait_until(lambda: len(gateway.operator.received) == 2)
        stages.drain()

        assert sorted(row.unknowns for row in gateway.replies()) == [0, 1]
        assert outbox.LEASE.total_seconds() > DEADLINE - 1, "nobody waited for a lease"


def test_nothing_is_sent_before_what_keeps_the_sessions_is_there(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path
) -> None:
    with staged(sqlite_database, keys_dir, tmp_path / "gateway") as (gateway, made):
        seen: list[set[str]] = []

        class Probe(Keeper):
            """Notes which threads there are when it starts."""

            def start(self) -> None:
                seen.append({each.name for each in threading.enumerate()})
                super().start()

        stages = Stages(made._parts, (Probe("probe", (), gateway.clock),))
        stages.start()
        stages.drain()

        (threads,) = seen
        assert not threads & {"handle", "send"}


def test_a_forged_entry_stops_disclosure(
    postgres_database: Database, keys_dir: Path, tmp_path: Path
) -> None:
    with staged(postgres_database, keys_dir, tmp_path / "gateway") as (gateway, stages):
        person = gateway.person()
        forged = sa.insert(JOURNAL_PENDING).values(entry_id=uuid7())
        gateway.database.write(lambda s: s.execute(forged).close())

        stages.start()
        wait_until(lambda: bool(gateway.rows(STOP)))
        gateway.send(person.phone, f"DC {person.personal_id}")
        wait_until(lambda: len(gateway.operator.received) == 1)
        stages.drain()

        (stop,) = gateway.rows(STOP)
        assert (stop.scope, stop.reason) == (Scope.DISCLOSURE, StopReason.JOURNAL_FAULT)
        assert [row.reply for row in gateway.replies()] == ["DOWN"]


def test_a_spoilt_memory_is_found_without_any_message(running: tuple[Gateway, Stages]) -> None:
    gateway, stages = running
    path = gateway.state_dir / MEMORY_FILE
    path.write_bytes(b"x" * path.stat().st_size)

    stages.start()
    wait_until(lambda: bool(gateway.rows(STOP)))
    stages.drain()

    assert [row.reason for row in gateway.rows(STOP)] == [StopReason.JOURNAL_FAULT]


def test_an_outage_ends_and_the_stages_go_on(
    postgres_database: Database, keys_dir: Path, tmp_path: Path
) -> None:
    cut = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with staged(postgres_database, keys_dir, tmp_path / "gateway") as (gateway, stages):
        stages.start()
        gateway.send(stranger(1), "HD")
        wait_until(lambda: len(gateway.operator.received) == 1)
        with closing(open_database(postgres_database.url)) as elsewhere:
            elsewhere.write(lambda s: s.execute(cut).scalar())

        def goes_on() -> bool:
            try:
                gateway.send(stranger(2), "HD", message_id="the-one")
            except UnavailableError:
                return False
            return True

        wait_until(goes_on)
        wait_until(lambda: len(gateway.operator.received) == 2)
        stages.drain()

        assert {row.state for row in gateway.replies()} == {ReplyState.ACCEPTED}
