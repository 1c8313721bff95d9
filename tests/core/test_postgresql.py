import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database, after_commit, locked
from core.errors import UnavailableError
from core.postgresql import PostgresDatabase

NOTE = sa.table("note", sa.column("id"), sa.column("count"))


@pytest.fixture
def notes(postgres_database: Database) -> PostgresDatabase:
    assert isinstance(postgres_database, PostgresDatabase)

    def make(session: Session) -> None:
        session.execute(sa.text("CREATE TABLE note (id integer PRIMARY KEY, count integer)"))
        session.execute(sa.insert(NOTE), [{"id": 1, "count": 0}, {"id": 2, "count": 0}])

    postgres_database.write(make)
    return postgres_database


def count_up(session: Session, which: int) -> None:
    statement = sa.update(NOTE).where(NOTE.c.id == which).values(count=NOTE.c.count + 1)
    session.execute(statement)


def counts(database: Database) -> list[int]:
    query = sa.select(NOTE.c.count).order_by(NOTE.c.id)
    return list(database.read(lambda s: s.execute(query).scalars().all()))


def test_the_loser_of_a_deadlock_is_run_again(notes: PostgresDatabase) -> None:
    meeting = threading.Barrier(2)
    runs: list[int] = []
    called_back: list[int] = []

    def crossing(first: int, second: int) -> Callable[[Session], None]:
        is_first_run = True

        def work(session: Session) -> None:
            nonlocal is_first_run
            runs.append(first)
            after_commit(session, lambda: called_back.append(first))
            count_up(session, first)
            if is_first_run:
                is_first_run = False
                meeting.wait(10)
            count_up(session, second)

        return work

    threads = [
        threading.Thread(target=notes.write, args=(crossing(*order),)) for order in ((1, 2), (2, 1))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert counts(notes) == [2, 2]
    assert len(runs) >= 3
    assert sorted(called_back) == [1, 2]


def test_three_times_is_enough(notes: PostgresDatabase) -> None:
    runs: list[int] = []

    def work(session: Session) -> None:
        runs.append(1)
        session.execute(sa.text("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))

    with pytest.raises(UnavailableError):
        notes.write(work)

    assert len(runs) == 3


def test_another_failure_is_not_tried_again(notes: PostgresDatabase) -> None:
    runs: list[int] = []

    def work(session: Session) -> None:
        runs.append(1)
        session.execute(sa.text("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$"))  # disk full

    with pytest.raises(UnavailableError):
        notes.write(work)

    assert len(runs) == 1


def test_a_row_that_stays_locked_is_not_waited_for_long(notes: PostgresDatabase) -> None:
    inside, done = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        count_up(session, 1)
        inside.set()
        done.wait(20)

    holder = threading.Thread(target=notes.write, args=(hold,))
    holder.start()
    inside.wait(10)

    with pytest.raises(UnavailableError):
        notes.write(lambda session: count_up(session, 1))

    done.set()
    holder.join(10)
    assert counts(notes) == [1, 0]


def test_rows_that_are_locked_are_skipped_where_that_is_asked(notes: PostgresDatabase) -> None:
    inside, done = threading.Event(), threading.Event()

    def free_ones(session: Session) -> list[int]:
        query = sa.select(NOTE.c.id).order_by(NOTE.c.id)
        return list(session.execute(locked(query, session, skip=True)).scalars())

    def hold(session: Session) -> None:
        count_up(session, 1)
        inside.set()
        done.wait(20)

    holder = threading.Thread(target=notes.write, args=(hold,))
    holder.start()
    inside.wait(10)
    found = notes.write(free_ones)
    done.set()
    holder.join(10)

    assert found == [2]


def test_a_server_that_takes_no_writes_is_unavailable(notes: PostgresDatabase) -> None:
    def as_on_a_standby(session: Session) -> None:
        session.execute(sa.text("SET TRANSACTION READ ONLY"))
        count_up(session, 1)

    with pytest.raises(UnavailableError):
        notes.write(as_on_a_standby)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    nowhere = sa.make_url("postgresql://tradan@127.0.0.1:1/tradan")

    with closing(PostgresDatabase(nowhere)) as gone:
        with pytest.raises(UnavailableError):
            gone.write(lambda session: None)
        with pytest.raises(UnavailableError):
            gone.read(lambda session: session.execute(sa.select(1)).scalar())


def test_connections_that_were_cut_are_made_anew(notes: PostgresDatabase) -> None:
    cut = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database()"
    )

    with pytest.raises(UnavailableError):
        notes.write(lambda session: session.execute(cut).scalar())

    def survives() -> bool:
        try:
            notes.write(lambda session: count_up(session, 1))
        except UnavailableError:
            return False
        return True

    assert any(survives() for _ in range(3))
    assert counts(notes)[0] == 1


def test_a_commit_is_flushed_and_times_are_utc(notes: PostgresDatabase) -> None:
    asked = notes.write(
        lambda s: [
            s.execute(sa.text(f"SHOW {name}")).scalar()
            for name in ("synchronous_commit", "TimeZone", "lock_timeout")
        ]
    )

    assert asked == ["on", "UTC", "2s"]


def test_the_switch_has_a_connection_that_nobody_else_takes(notes: PostgresDatabase) -> None:
    switch = notes.reserved()

    def alone(session: Session) -> int:
        return int(session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())

    assert switch.read(alone) == switch.read(alone)
    assert notes.read(alone) != switch.read(alone)


def test_the_switch_waits_for_no_lock(notes: PostgresDatabase) -> None:
    switch, began = notes.reserved(), time.monotonic()

    def hold(session: Session) -> None:
        count_up(session, 1)
        with pytest.raises(UnavailableError):
            switch.write(lambda other: count_up(other, 1))

    notes.write(hold)

    assert time.monotonic() - began < 1.5


def test_the_switch_is_there_again_after_its_connection_was_lost(notes: PostgresDatabase) -> None:
    switch = notes.reserved()

    def cut(session: Session) -> None:
        ours = "SELECT pg_backend_pid()"
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        named = "WHERE datname = current_database() AND pid <>"
        session.execute(sa.text(f"{others} {named} ({ours})"))

    notes.write(cut)
    switch.write(lambda session: count_up(session, 1))

    assert counts(notes) == [1, 0]
