import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.db import Database
from records import stops
from records.stops import STOP, STOP_FILE, Scope, StopReason, Stops
from tests.fakes import NOON

EVERYTHING = Stops(frozenset({(Scope.SERVICE, "")}))


def stop(database: Database, scope: Scope, key: str = "") -> bool:
    return database.write(
        lambda s: stops.stop(s, scope, key, reason=StopReason.SECURITY, by="tests", now=NOON)
    )


def resume(database: Database) -> None:
    def work(session: sa.orm.Session) -> None:
        session.execute(sa.update(STOP).values(resumed_at=NOON, resumed_by="two people"))

    database.write(work)


def stopped(*pairs: tuple[Scope, str]) -> Stops:
    return Stops(frozenset(pairs))


@pytest.mark.parametrize(
    ("found", "covered", "disclosure"),
    [
        (stopped(), False, False),
        (stopped((Scope.SERVICE, "")), True, True),
        (EVERYTHING, True, True),
        (stopped((Scope.DISCLOSURE, "")), False, True),
        (stopped((Scope.LINK, "hong-ha")), True, False),
        (stopped((Scope.LINK, "other")), False, False),
        (stopped((Scope.COMMAND, "DC")), True, False),
        (stopped((Scope.COMMAND, "KHOA")), False, False),
        (stopped((Scope.LINK, "DC"), (Scope.COMMAND, "hong-ha")), False, False),
    ],
)
def test_a_stop_covers_its_scope(found: Stops, *, covered: bool, disclosure: bool) -> None:
    assert found.cover(link="hong-ha", command="DC") is covered
    assert found.disclosure is disclosure


def test_nothing_is_stopped_at_first(database: Database) -> None:
    assert database.read(stops.in_force) == Stops()


def test_a_stop_is_in_force_until_it_is_resumed(database: Database) -> None:
    assert stop(database, Scope.LINK, "hong-ha") is True
    assert stop(database, Scope.DISCLOSURE) is True
    in_force = database.read(stops.in_force)
    resume(database)

    assert in_force == stopped((Scope.LINK, "hong-ha"), (Scope.DISCLOSURE, ""))
    assert database.read(stops.in_force) == Stops()


def test_what_is_stopped_already_is_not_stopped_twice(database: Database) -> None:
    stop(database, Scope.DISCLOSURE)

    assert stop(database, Scope.DISCLOSURE) is False
    assert len(database.read(lambda s: s.execute(sa.select(STOP)).all())) == 1


def test_it_can_be_stopped_again_after_a_resume(database: Database) -> None:
    stop(database, Scope.DISCLOSURE)
    resume(database)

    assert stop(database, Scope.DISCLOSURE) is True
    assert database.read(stops.in_force).disclosure


def test_two_who_stop_at_once_are_both_right(postgres_database: Database) -> None:
    meeting = threading.Barrier(2)
    outcomes: list[object] = []

    def work(session: sa.orm.Session) -> bool:
        meeting.wait(10)
        return stops.stop(
            session, Scope.DISCLOSURE, "", reason=StopReason.REGISTER_FAULT, by="system", now=NOON
        )

    def write() -> None:
        try:
            outcomes.append(postgres_database.write(work))
        except sa.exc.SQLAlchemyError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(outcomes, key=str) == [False, True]


def test_the_file_stops_this_machine(tmp_path: Path) -> None:
    assert stops.by_file(tmp_path) is False

    (tmp_path / STOP_FILE).touch()

    assert stops.by_file(tmp_path) is True


@pytest.mark.parametrize("kind", ["folder", "link to nowhere"])
def test_whatever_is_called_stop_stops(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        (tmp_path / STOP_FILE).mkdir()
    else:
        (tmp_path / STOP_FILE).symlink_to(tmp_path / "nowhere")

    assert stops.by_file(tmp_path) is True


def test_a_state_folder_that_is_gone_counts_as_stopped(tmp_path: Path) -> None:
    assert stops.by_file(tmp_path / "gone") is True


def test_a_state_folder_that_cannot_be_looked_into_counts_as_stopped(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    assert stops.by_file(tmp_path / "file") is True
    assert stops.by_file(loop) is True
    assert stops.by_file(tmp_path / ("n" * 300)) is True
