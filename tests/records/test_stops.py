import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.db import Database
from records import stop_file, stops
from records.errors import StopError
from records.stop_file import StopFile
from records.stops import STOP, Order, Scope, StopReason, Stops
from tests.fakes import NOON

EVERYTHING = Stops(frozenset({(Scope.SERVICE, "")}))


def stop(database: Database, scope: Scope, key: str = "") -> int | None:
    return database.write(
        lambda s: stops.stop(
            s, Order(scope=scope, key=key, reason=StopReason.SECURITY, by="tests"), NOON
        )
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
        (stopped((Scope.OPERATOR, "song-hong")), True, False),
        (stopped((Scope.OPERATOR, "hong-ha")), False, False),
        (stopped((Scope.COMMAND, "DC")), True, False),
        (stopped((Scope.COMMAND, "KHOA")), False, False),
        (stopped((Scope.LINK, "DC"), (Scope.COMMAND, "hong-ha")), False, False),
    ],
)
def test_a_stop_covers_its_scope(found: Stops, *, covered: bool, disclosure: bool) -> None:
    assert found.cover(link="hong-ha", operator="song-hong", command="DC") is covered
    assert found.disclosure is disclosure


def test_nothing_is_stopped_at_first(database: Database) -> None:
    assert database.read(stops.in_force) == Stops()


def test_a_stop_is_in_force_until_it_is_resumed(database: Database) -> None:
    assert stop(database, Scope.LINK, "hong-ha") is not None
    assert stop(database, Scope.DISCLOSURE) is not None
    in_force = database.read(stops.in_force)
    resume(database)

    assert in_force == stopped((Scope.LINK, "hong-ha"), (Scope.DISCLOSURE, ""))
    assert database.read(stops.in_force) == Stops()


def test_what_is_stopped_already_is_not_stopped_twice(database: Database) -> None:
    stop(database, Scope.DISCLOSURE)

    assert stop(database, Scope.DISCLOSURE) is None
    assert len(database.read(lambda s: s.execute(sa.select(STOP)).all())) == 1


def test_it_can_be_stopped_again_after_a_resume(database: Database) -> None:
    stop(database, Scope.DISCLOSURE)
    resume(database)

    assert stop(database, Scope.DISCLOSURE) is not None
    assert database.read(stops.in_force).disclosure


def test_two_who_stop_at_once_are_both_right(postgres_database: Database) -> None:
    meeting = threading.Barrier(2)
    outcomes: list[object] = []

    def work(session: sa.orm.Session) -> int | None:
        meeting.wait(10)
        return stops.stop(
            session,
            Order(scope=Scope.DISCLOSURE, reason=StopReason.REGISTER_FAULT, by="system"),
            NOON,
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

    assert sorted(outcomes, key=str) == [1, None]


def test_the_file_stops_this_machine(tmp_path: Path) -> None:
    assert stop_file.is_there(tmp_path) is False

    (tmp_path / stop_file.NAME).touch()

    assert stop_file.is_there(tmp_path) is True


@pytest.mark.parametrize("kind", ["folder", "link to nowhere"])
def test_whatever_is_called_stop_stops(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        (tmp_path / stop_file.NAME).mkdir()
    else:
        (tmp_path / stop_file.NAME).symlink_to(tmp_path / "nowhere")

    assert stop_file.is_there(tmp_path) is True


def test_a_state_folder_that_is_gone_counts_as_stopped(tmp_path: Path) -> None:
    assert stop_file.is_there(tmp_path / "gone") is True


def test_a_state_folder_that_cannot_be_looked_into_counts_as_stopped(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    assert stop_file.is_there(tmp_path / "file") is True
    assert stop_file.is_there(loop) is True
    assert stop_file.is_there(tmp_path / ("n" * 300)) is True


def test_one_asks_to_lift_a_stop_and_another_lifts_it(database: Database) -> None:
    number = stop(database, Scope.SERVICE) or 0

    database.write(lambda s: stops.ask_resume(s, number, by="officer:lan", note="ok", now=NOON))
    with pytest.raises(StopError, match="somebody else"):
        database.write(lambda s: stops.resume(s, number, by="officer:lan", now=NOON))
    still = database.read(stops.in_force)
    database.write(lambda s: stops.resume(s, number, by="officer:minh", now=NOON))

    assert still == stopped((Scope.SERVICE, ""))
    assert database.read(stops.in_force) == Stops()
    (ended,) = database.read(lambda s: stops.ended(s, 5))
    assert (ended.resumed_by, ended.note) == ("officer:lan, officer:minh", "")


def test_a_stop_that_nobody_asked_to_lift_stands(database: Database) -> None:
    number = stop(database, Scope.SERVICE) or 0

    with pytest.raises(StopError, match="nobody has asked"):
        database.write(lambda s: stops.resume(s, number, by="officer:minh", now=NOON))


def test_a_refused_request_has_to_be_made_again(database: Database) -> None:
    number = stop(database, Scope.SERVICE) or 0
    database.write(lambda s: stops.ask_resume(s, number, by="officer:lan", note="", now=NOON))

    database.write(lambda s: stops.refuse_resume(s, number))

    with pytest.raises(StopError, match="nobody has asked"):
        database.write(lambda s: stops.resume(s, number, by="officer:minh", now=NOON))


def test_a_stop_that_is_lifted_is_lifted_once(database: Database) -> None:
    number = stop(database, Scope.SERVICE) or 0
    database.write(lambda s: stops.ask_resume(s, number, by="officer:lan", note="", now=NOON))
    database.write(lambda s: stops.resume(s, number, by="officer:minh", now=NOON))

    with pytest.raises(StopError, match="no stop"):
        database.write(lambda s: stops.resume(s, number, by="officer:minh", now=NOON))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stop_id": "x"}', "\x00", "{}" * 4000])
def test_a_stop_file_may_hold_anything(tmp_path: Path, text: str) -> None:
    (tmp_path / stop_file.NAME).write_text(text)

    assert stop_file.is_there(tmp_path)
    assert stop_file.read(tmp_path) == StopFile()


def test_a_stop_file_says_whose_it_is(tmp_path: Path) -> None:
    said = StopFile(7, "officer:lan", "security", "một cuộc gọi lạ")

    stop_file.write(tmp_path, said)

    assert stop_file.read(tmp_path) == said
    stop_file.remove(tmp_path)
    assert not stop_file.is_there(tmp_path)
    assert stop_file.read(tmp_path) is None
