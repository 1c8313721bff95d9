"""Killed under load, again and again: what was acknowledged is there, sealed, and verifies."""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from core import databases, keys
from core.clock import SystemClock
from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from core.sqlite import SqliteDatabase
from journal.audit import verify_live
from journal.entries import Entry
from journal.journal import Journal
from journal.verifier import Report
from tests.databases import NoPostgresError
from tests.fakes import FixedClock
from tests.journal.conftest import ORIGIN, House
from tests.journal.crashable import WAL_MEGABYTES, CrashablePostgres, crashable

_PROGRAM = Path(__file__).parent / "appending_until_killed.py"
_ENOUGH = 20
_LONGEST_SECONDS = 0.4
_MANY = 20
_BLOCKS_A_MEBIBYTE = 2048


@pytest.fixture(scope="module")
def server() -> Iterator[CrashablePostgres]:
    try:
        with crashable() as made:
            yield made
    except NoPostgresError as error:
        pytest.skip(f"no PostgreSQL here: {error}")


@pytest.fixture
def house_on_sqlite(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[House]:
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    journal = Journal.open(sqlite_database, keyring, keys_dir, tmp_path, ORIGIN, clock)
    yield House(journal, sqlite_database, keyring, keys_dir, tmp_path, clock)
    journal.close()


@dataclass(frozen=True, slots=True)
class Load:
    """A process that appends, what it is crashed by, and how what is left is taken up again."""

    url: sa.URL
    home: Path
    crash: Callable[[], None] = lambda: None
    restart: Callable[[], None] = lambda: None

    def rounds(self, count: int) -> Report:
        """Crash it under load, *count* times over; each time all that it told must be there."""
        keys.create(self.home / "keys")
        reports = [self.seen_whole(self.crashed()) for _ in range(count)]
        assert all((report.counts, report.incomplete) == ({}, []) for report in reports)
        return reports[-1]

    def crashed(self) -> list[UUID]:
        """Crash it a moment after it has told enough, and return all that it told."""
        command = [sys.executable, _PROGRAM, self.url.render_as_string(), self.home / "keys"]
        said = self.home / "said"
        with (
            said.open("wb") as stderr,
            subprocess.Popen(
                [str(word) for word in (*command, self.home)],
                stdout=subprocess.PIPE,
                stderr=stderr,
            ) as process,
        ):
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(_ENOUGH)]
            assert lines[-1], said.read_text()
            time.sleep(random.random() * _LONGEST_SECONDS)  # noqa: S311 (a moment, not a secret)
            self.crash()
            process.kill()
            lines += process.stdout.read().splitlines(keepends=True)
        self.restart()
        told = [line.decode().strip() for line in lines if line.endswith(b"\n")]
        assert [line for line in told if line.startswith("fault")] == []
        return [UUID(line) for line in told]

    def seen_whole(self, told: list[UUID]) -> Report:
        """Open the journal as the next process does, and see that every entry told is sealed."""
        with closing(databases.open_database(self.url)) as database:
            keyring = Keyring.load(self.home / "keys", database)
            journal = Journal.open(database, keyring, self.home / "keys", self.home, ORIGIN)
            while database.dialect == "postgresql" and journal.seal_once():
                pass
            places = [database.read(partial(journal.index_of, entry_id=each)) for each in told]
            journal.close()
            now = SystemClock().now()
            report = verify_live(database, keyring, self.home / "keys", self.home, now=now)
        assert len(told) >= _ENOUGH
        assert None not in places
        return report


def on_sqlite(template: Path, home: Path) -> Load:
    path = home / "tradan.db"
    shutil.copyfile(template, path)
    return Load(sa.URL.create("sqlite", database=str(path)), home)


def test_kill_9_under_load_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    assert on_sqlite(sqlite_template, tmp_path).rounds(1).size > _ENOUGH


def test_immediate_shutdown_under_load_on_postgresql(
    server: CrashablePostgres, tmp_path: Path
) -> None:
    load = Load(server.database(), tmp_path, server.crash, server.start)

    assert load.rounds(1).size > _ENOUGH


@pytest.mark.slow
def test_kill_9_under_load_twenty_times_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    assert on_sqlite(sqlite_template, tmp_path).rounds(_MANY).size > _MANY * _ENOUGH


@pytest.mark.slow
def test_immediate_shutdown_under_load_twenty_times_on_postgresql(
    server: CrashablePostgres, tmp_path: Path
) -> None:
    load = Load(server.database(), tmp_path, server.crash, server.start)

    assert load.rounds(_MANY).size > _MANY * _ENOUGH


@pytest.mark.slow
def test_kill_9_of_the_service_under_load_twenty_times_on_postgresql(
    server: CrashablePostgres, tmp_path: Path
) -> None:
    assert Load(server.database(), tmp_path).rounds(_MANY).size > _MANY * _ENOUGH


def test_disk_full_on_sqlite(house_on_sqlite: House) -> None:
    house = house_on_sqlite
    before = house.append(5)
    assert isinstance(house.database, SqliteDatabase)
    writer = house.database._connection()
    writer.exec_driver_sql("PRAGMA max_page_count = 1")  # as far as the file reaches now
    refused = append_until_refused(house)

    # Room is made: the writer is another connection by now, without that limit.
    stands(house, before, refused)


def test_disk_full_on_postgresql(
    server: CrashablePostgres, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    url = server.database()
    server.crash()
    # No file may outgrow a segment of the log: tables are the first that would.
    server.start(largest=str(WAL_MEGABYTES * _BLOCKS_A_MEBIBYTE))
    with closing(databases.open_database(url)) as database:
        keyring = Keyring.load(keys_dir, database, clock)
        journal = Journal.open(database, keyring, keys_dir, tmp_path, ORIGIN, clock)
        house = House(journal, database, keyring, keys_dir, tmp_path, clock)
        before = house.append(5)
        refused = append_until_refused(house, 1200)
        server.crash()
        server.start()
        with suppress(UnavailableError):
            database.read(journal.head)  # finds that its connections are gone

        stands(house, before, refused)
        journal.close()


def append_until_refused(house: House, first: int = 100) -> list[Entry]:
    """Append until there is no room, and return what was refused."""
    made: list[Entry] = []
    for number in range(200):
        made = house.journal.prepare(house.drafts(first if number == 0 else 200))
        try:
            house.database.write(partial(house.journal.append, made=made))
            house.seal()
        except UnavailableError:
            return made
    raise AssertionError


def stands(house: House, before: list[Entry], refused: list[Entry]) -> None:
    """See that what was sealed stands, that what was refused does not, and that it goes on."""
    place = partial(house.journal.index_of, entry_id=refused[-1].id)
    while_full = house.database.read(place)
    after = house.append(5, 5000)
    places = [
        house.database.read(partial(house.journal.index_of, entry_id=each.id))
        for each in (*before, *after)
    ]

    assert while_full is None
    assert None not in places
    assert house.verify().ok
