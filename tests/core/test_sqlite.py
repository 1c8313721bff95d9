"""The leader and its followers, over a table of the tests' own."""

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.databases import open_database
from core.db import Database, after_commit
from core.errors import UnavailableError
from core.sqlite import SqliteDatabase

NOTE = sa.table("note", sa.column("word"))
PARENT = sa.table("parent", sa.column("id"))
CHILD = sa.table("child", sa.column("parent"))


@pytest.fixture
def notes(sqlite_database: Database) -> SqliteDatabase:
    assert isinstance(sqlite_database, SqliteDatabase)
    for statement in (
        "CREATE TABLE note (word TEXT UNIQUE)",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    ):
        sqlite_database.write(running(statement))
    return sqlite_database


def running(statement: str) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.execute(sa.text(statement))

    return work


def orphan(session: Session) -> None:
    session.execute(sa.insert(CHILD), {"parent": 1})  # seen to be wrong at COMMIT alone


COUNT_UP = running("UPDATE parent SET id = id + 1")


def add(word: str) -> Callable[[Session], str]:
    def work(session: Session) -> str:
        session.execute(sa.insert(NOTE), {"word": word})
        return word

    return work


def words(database: Database) -> list[str]:
    return sorted(database.read(lambda s: s.execute(sa.select(NOTE.c.word)).scalars().all()))


class Crowd:
    """Writers that all end up in one commit: they queue while a leader is held in its work."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self.outcomes: dict[str, object] = {}
        self.order: list[str] = []
        self._threads: list[threading.Thread] = []

    def run(self, **works: Callable[[Session], object]) -> dict[str, object]:
        """Hold a first writer, let *works* queue in order, and return what came of each."""
        inside, go_on = threading.Event(), threading.Event()

        def hold(_session: Session) -> None:
            inside.set()
            go_on.wait(10)

        self._start("held", hold)
        inside.wait(10)
        for place, (name, work) in enumerate(works.items(), start=1):
            self._start(name, work)
            while len(self.database._writers._waiting) < place:
                threading.Event().wait(0.001)
        go_on.set()
        for thread in self._threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in self._threads)
        return self.outcomes

    def _start(self, name: str, work: Callable[[Session], object]) -> None:
        def write() -> None:
            try:
                self.outcomes[name] = self.database.write(work)
            except BaseException as error:  # noqa: BLE001 (it is what the test looks at)
                self.outcomes[name] = error

        thread = threading.Thread(target=write)
        thread.start()
        self._threads.append(thread)


@pytest.fixture
def crowd(notes: SqliteDatabase) -> Crowd:
    return Crowd(notes)


def fail(_session: Session) -> None:
    raise LookupError("mine alone")


def test_what_returned_is_there_after_a_restart(notes: SqliteDatabase) -> None:
    assert notes.write(add("kept")) == "kept"

    with closing(open_database(notes.url)) as again:
        assert words(again) == ["kept"]


def test_one_failing_work_harms_no_other(crowd: Crowd) -> None:
    def half_done(session: Session) -> None:
        add("half")(session)
        add("a")(session)  # taken already: the database itself says no

    outcomes = crowd.run(a=add("a"), fails=fail, half=half_done, b=add("b"))

    assert (outcomes["a"], outcomes["b"]) == ("a", "b")
    assert isinstance(outcomes["fails"], LookupError)
    assert isinstance(outcomes["half"], sa.exc.IntegrityError)
    assert words(crowd.database) == ["a", "b"]


def test_a_work_sees_what_was_written_before_it_in_the_same_commit(crowd: Crowd) -> None:
    def count(session: Session) -> int:
        return int(session.execute(sa.select(sa.func.count()).select_from(NOTE)).scalar_one())

    outcomes = crowd.run(a=add("a"), counted=count, b=add("b"))

    assert outcomes["counted"] == 1


def test_a_commit_that_fails_fails_everybody_in_it(crowd: Crowd) -> None:
    outcomes = crowd.run(a=add("a"), orphan=orphan, fails=fail, b=add("b"))

    assert isinstance(outcomes["a"], UnavailableError)
    assert isinstance(outcomes["orphan"], UnavailableError)
    assert isinstance(outcomes["b"], UnavailableError)
    assert isinstance(outcomes["fails"], LookupError)
    assert words(crowd.database) == []


def test_after_a_failed_commit_the_next_one_holds(crowd: Crowd) -> None:
    crowd.run(orphan=orphan)

    assert crowd.database.write(add("later")) == "later"
    assert words(crowd.database) == ["later"]


def test_callbacks_run_after_the_commit_in_order_and_before_anybody_is_answered(
    crowd: Crowd,
) -> None:
    seen: list[tuple[str, list[str]]] = []

    def noting(word: str) -> Callable[[Session], str]:
        def work(session: Session) -> str:
            after_commit(session, lambda: seen.append((f"{word}1", words(crowd.database))))
            after_commit(session, lambda: seen.append((f"{word}2", words(crowd.database))))
            return add(word)(session)

        return work

    def noting_and_failing(session: Session) -> None:
        after_commit(session, lambda: seen.append(("never", [])))
        fail(session)

    crowd.run(a=noting("a"), fails=noting_and_failing, b=noting("b"))

    assert seen == [(name, ["a", "b"]) for name in ("a1", "a2", "b1", "b2")]


def test_no_callback_runs_when_the_commit_fails(crowd: Crowd) -> None:
    seen: list[str] = []

    def noting(session: Session) -> None:
        after_commit(session, lambda: seen.append("never"))

    crowd.run(noting=noting, orphan=orphan)

    assert seen == []


def test_a_callback_that_fails_is_its_own_writers_alone(crowd: Crowd) -> None:
    def noting(session: Session) -> None:
        def callback() -> None:
            raise LookupError("after the commit")

        after_commit(session, callback)
        add("kept")(session)

    outcomes = crowd.run(a=add("a"), noting=noting, b=add("b"))

    assert (outcomes["a"], outcomes["b"]) == ("a", "b")
    assert isinstance(outcomes["noting"], LookupError)
    assert words(crowd.database) == ["a", "b", "kept"]


def test_an_interrupt_in_the_leader_wakes_everybody_and_keeps_nothing(crowd: Crowd) -> None:
    def interrupt(_session: Session) -> None:
        raise KeyboardInterrupt

    outcomes = crowd.run(a=add("a"), interrupted=interrupt, b=add("b"))

    # Whoever led is struck by it; the others are told that nothing was kept.
    struck = [each for each in outcomes.values() if isinstance(each, KeyboardInterrupt)]
    told = [each for each in outcomes.values() if isinstance(each, UnavailableError)]
    assert (len(struck), len(told)) == (1, 2)
    assert words(crowd.database) == []
    assert crowd.database.write(add("later")) == "later"


def test_a_reader_sees_one_state_however_long_it_reads(notes: SqliteDatabase) -> None:
    def read(session: Session) -> tuple[int, int]:
        statement = sa.select(sa.func.count()).select_from(NOTE)
        before = session.execute(statement).scalar_one()
        writer = threading.Thread(target=lambda: notes.write(add("meanwhile")))
        writer.start()
        writer.join()
        return before, session.execute(statement).scalar_one()

    assert notes.read(read) == (0, 0)
    assert words(notes) == ["meanwhile"]


def test_a_checkpoint_leaves_everything_where_it_was(notes: SqliteDatabase) -> None:
    notes.write(add("a"))
    path = Path(notes.url.database or "")

    notes.checkpoint()

    assert words(notes) == ["a"]
    assert path.with_name(path.name + "-wal").stat().st_size > 0


def test_writes_are_flushed_before_they_are_answered(notes: SqliteDatabase) -> None:
    names = ("synchronous", "journal_mode")

    asked = notes.write(lambda s: [s.execute(sa.text(f"PRAGMA {name}")).scalar() for name in names])

    assert asked == [2, "wal"]  # 2: FULL


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    path = tmp_path / "tradan.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 99)

    with closing(open_database(sa.URL.create("sqlite", database=str(path)))) as it:
        with pytest.raises(UnavailableError):
            it.write(add("never"))
        with pytest.raises((UnavailableError, sa.exc.DatabaseError)):
            words(it)


COUNTING = """
import sys, sqlalchemy as sa
from core.databases import open_database
database = open_database(sa.URL.create("sqlite", database=sys.argv[1]))
for _ in range(int(sys.argv[2])):
    database.write(lambda s: s.execute(sa.text("UPDATE parent SET id = id + 1")) and None)
database.close()
"""


def test_two_processes_write_without_losing_anything(notes: SqliteDatabase) -> None:
    notes.write(running("INSERT INTO parent VALUES (1)"))
    command = [sys.executable, "-c", COUNTING, str(notes.url.database), "40"]

    others = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(2)]
    for _ in range(40):
        notes.write(COUNT_UP)
    codes = [other.wait(60) for other in others]

    assert codes == [0, 0]
    assert notes.read(lambda s: s.execute(sa.select(PARENT.c.id)).scalar()) == 121


def test_many_threads_write_without_losing_anything(notes: SqliteDatabase) -> None:
    notes.write(running("INSERT INTO parent VALUES (1)"))

    def count() -> None:
        for _ in range(25):
            notes.write(COUNT_UP)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert notes.read(lambda s: s.execute(sa.select(PARENT.c.id)).scalar()) == 201
