import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database
from core.keyring import Keyring, row_id
from records.csv_lines import Refusal
from records.embedded import EmbeddedRegister
from records.errors import ImportOvertakenError, PeopleFileError
from records.importer import BATCH, Importer, Outcome, Position
from records.people_csv import PeopleFile
from records.register import Record
from records.tables import CITIZEN, PEOPLE_IMPORT
from tests.fakes import FixedClock
from tests.records.people import PHUONG, TODAY, line, numbered, write

ROOT = Path(__file__).parents[2]

# Imports a file and kills itself without notice when so many batches are in.
KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
import sqlalchemy as sa
from core.clock import SystemClock
from core.databases import open_database
from core.keyring import Keyring
from records.importer import Importer
from records.people_csv import PeopleFile

url, keys_dir, path, today, batches = sys.argv[1:]
database = open_database(sa.make_url(url))
left = int(batches)

def progress(outcome):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

importer = Importer(
    database, Keyring.load(Path(keys_dir), database), SystemClock(),
    finish=lambda outcome: lambda session: None, refuse=lambda refusal: None, progress=progress,
)
with open(path, "rb") as file:
    importer.run(PeopleFile(file, today=date.fromisoformat(today), is_test=False))
"""


@dataclass
class Import:
    """An importer, and what it was heard to say."""

    database: Database
    keyring: Keyring
    clock: FixedClock
    refused: list[Refusal] = field(default_factory=list)
    finished: list[Outcome] = field(default_factory=list)
    stop_after: int | None = None

    def run(self, path: Path, *, is_test: bool = False, rehearse: bool = False) -> Outcome:
        self.refused.clear()
        made = Importer(
            self.database,
            self.keyring,
            self.clock,
            finish=lambda outcome: lambda _session: self.finished.append(outcome),
            refuse=self.refused.append,
            progress=self._progress,
        )
        with path.open("rb") as file:
            people_file = PeopleFile(file, today=TODAY, is_test=is_test)
            return made.rehearse(people_file) if rehearse else made.run(people_file)

    def _progress(self, _outcome: Outcome) -> None:
        if self.stop_after is not None:
            self.stop_after -= 1
            if self.stop_after == 0:
                raise KeyboardInterrupt

    def count(self) -> int:
        return self.database.read(
            lambda s: s.execute(sa.select(sa.func.count()).select_from(CITIZEN)).scalar_one()
        )

    def find(self, record: Record) -> Record | None:
        register = EmbeddedRegister(self.database, self.keyring)
        return register.find([record.personal_id])[record.personal_id]


@pytest.fixture
def imports(database: Database, keyring: Keyring, clock: FixedClock) -> Import:
    """Imports into `database`."""
    return Import(database, keyring, clock)


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """A file of three batches and a bit, whose line 5 is refused."""
    lines = [line(numbered(n)) for n in range(3 * BATCH + 10)]
    return write(tmp_path / "long.csv", *lines[:3], "broken", *lines[3:])


def test_a_file_is_imported_whole_and_once(imports: Import, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG), line(numbered(1)))

    first = imports.run(path)
    second = imports.run(path)

    assert first.reached == Position(3, added=2)
    assert second.reached == Position(3, unchanged=2)
    assert imports.count() == 2
    assert imports.find(PHUONG) == PHUONG
    assert [len(first.warnings), first.rows, first.refused] == [0, 2, 0]


def test_a_broken_line_is_told_and_the_rest_imported(imports: Import, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG), "broken", line(numbered(1)))

    outcome = imports.run(path)

    assert imports.refused == [Refusal(3, "1 cells where the header has 11")]
    assert (outcome.rows, outcome.refused, outcome.reached.added) == (3, 1, 2)


def test_what_changed_is_changed_and_nothing_else_is_written(
    imports: Import, tmp_path: Path, database: Database
) -> None:
    imports.run(write(tmp_path / "one.csv", line(PHUONG), line(numbered(1))))
    before = database.read(lambda s: {row.id: row.blob for row in s.execute(sa.select(CITIZEN))})
    moved = replace(PHUONG, commune="Xã Bình Mỹ")

    outcome = imports.run(write(tmp_path / "two.csv", line(moved), line(numbered(1))))

    after = database.read(lambda s: {row.id: row.blob for row in s.execute(sa.select(CITIZEN))})
    assert outcome.reached == Position(3, changed=1, unchanged=1)
    assert sum(before[key] != after[key] for key in before) == 1
    assert imports.find(PHUONG) == moved


def test_a_file_given_again_after_another_has_its_say_again(
    imports: Import, tmp_path: Path
) -> None:
    one = write(tmp_path / "one.csv", line(PHUONG))
    two = write(tmp_path / "two.csv", line(replace(PHUONG, commune="Xã Bình Mỹ")))
    imports.run(one)
    imports.run(two)

    outcome = imports.run(one)

    assert outcome.reached.changed == 1
    assert imports.find(PHUONG) == PHUONG


def test_an_import_of_test_people_is_another_import(imports: Import, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG))
    imports.run(path)

    outcome = imports.run(path, is_test=True)

    assert outcome.reached.changed == 1
    assert imports.find(PHUONG) == replace(PHUONG, is_test=True)


def test_a_rehearsal_says_the_same_and_writes_nothing(imports: Import, long_file: Path) -> None:
    rehearsed = imports.run(long_file, rehearse=True)

    assert imports.count() == 0
    assert imports.finished == []
    outcome = imports.run(long_file)
    assert (rehearsed.reached, rehearsed.refused) == (outcome.reached, outcome.refused)


def test_an_import_that_was_stopped_goes_on_and_tells_all_refusals(
    imports: Import, long_file: Path
) -> None:
    imports.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        imports.run(long_file)
    assert imports.count() == 2 * BATCH
    assert imports.finished == []

    outcome = imports.run(long_file)

    assert outcome.resumed_after == 2 * BATCH + 2
    assert outcome.reached == Position(3 * BATCH + 12, added=3 * BATCH + 10)
    assert outcome.rows == 3 * BATCH + 11
    assert [refusal.line for refusal in imports.refused] == [5]
    assert imports.finished == [outcome]


@pytest.mark.parametrize("batches", [1, 3])
def test_an_import_that_was_killed_goes_on(
    imports: Import,
    long_file: Path,
    database: Database,
    keys_dir: Path,
    batches: int,
) -> None:
    url = database.url.render_as_string(hide_password=False)
    arguments = [url, str(keys_dir), str(long_file), TODAY.isoformat(), str(batches)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert imports.count() == batches * BATCH

    outcome = imports.run(long_file)

    assert outcome.resumed_after > 0
    assert outcome.reached.added == 3 * BATCH + 10
    assert imports.count() == 3 * BATCH + 10
    assert all(imports.find(numbered(n)) == numbered(n) for n in (0, BATCH, 3 * BATCH + 9))


def test_an_import_that_another_run_overtakes_stops(
    imports: Import, long_file: Path, database: Database, keyring: Keyring
) -> None:
    other = Import(database, keyring, FixedClock())

    def overtake(_outcome: Outcome) -> None:
        if not other.finished:
            other.run(long_file)

    overtaken = Importer(
        database,
        keyring,
        FixedClock(),
        finish=lambda _outcome: lambda _session: None,
        refuse=lambda _refusal: None,
        progress=overtake,
    )

    with long_file.open("rb") as file, pytest.raises(ImportOvertakenError):
        overtaken.run(PeopleFile(file, today=TODAY, is_test=False))

    assert other.count() == 3 * BATCH + 10


def test_what_finishing_writes_stands_only_if_the_import_is_finished(
    database: Database, keyring: Keyring, long_file: Path
) -> None:
    def fail(_session: Session) -> None:
        raise RuntimeError

    failing = Importer(
        database,
        keyring,
        FixedClock(),
        finish=lambda _outcome: fail,
        refuse=lambda _refusal: None,
        progress=lambda _outcome: None,
    )
    with long_file.open("rb") as file, pytest.raises(RuntimeError):
        failing.run(PeopleFile(file, today=TODAY, is_test=False))

    row = database.read(lambda s: s.execute(sa.select(PEOPLE_IMPORT)).one())
    assert (row.finished_at, row.last_line) == (None, 3 * BATCH + 12)


def test_a_file_that_is_changed_on_the_way_is_not_finished(
    imports: Import, long_file: Path, database: Database
) -> None:
    def grow(_outcome: Outcome) -> None:
        with long_file.open("a") as more:
            more.write("more\n")

    growing = Importer(
        database,
        imports.keyring,
        FixedClock(),
        finish=lambda outcome: lambda _session: imports.finished.append(outcome),
        refuse=lambda _refusal: None,
        progress=grow,
    )
    with long_file.open("rb") as file, pytest.raises(PeopleFileError, match="was changed"):
        growing.run(PeopleFile(file, today=TODAY, is_test=False))

    assert imports.finished == []


def test_a_citizen_whose_index_begins_like_another_s_is_refused(
    imports: Import, tmp_path: Path, database: Database, keyring: Keyring
) -> None:
    imports.run(write(tmp_path / "one.csv", line(PHUONG)))
    key = row_id(keyring.index("personal_id", PHUONG.personal_id))
    database.write(
        lambda s: s.execute(
            sa.update(CITIZEN).where(CITIZEN.c.id == key).values(tag=b"another citizen's tag")
        )
    )

    outcome = imports.run(write(tmp_path / "two.csv", line(numbered(1)), line(PHUONG)))

    assert [refusal.line for refusal in imports.refused] == [3]
    assert (outcome.rows, outcome.refused, outcome.reached.added) == (2, 1, 1)
