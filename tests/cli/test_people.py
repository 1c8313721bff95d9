import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli.context import Service
from cli.people import demo_people_command, import_group
from cli.progress import EVERY_SECONDS, Progress
from core.db import Database
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF
from records.people_csv import HEADER
from records.personal_id import MADE_UP_PROVINCE
from records.tables import CITIZEN
from tests.fakes import FixedClock
from tests.records.people import PHUONG, line, numbered, write

ROOT = Path(__file__).parents[2]


@dataclass
class Deployment:
    """A deployment to run verbs on."""

    service: Service
    database: Database

    def run(self, command: click.Command, *arguments: object) -> Result:
        return CliRunner().invoke(
            command, [str(each) for each in arguments], obj=self.service, catch_exceptions=False
        )

    def people(self) -> int:
        return self.database.read(
            lambda s: s.execute(sa.select(sa.func.count()).select_from(CITIZEN)).scalar_one()
        )

    def acts(self) -> int:
        """Count the sealed entries of acts."""
        entry, leaf = JOURNAL_ENTRY.c, JOURNAL_LEAF.c
        sealed = sa.select(sa.func.count()).join_from(
            JOURNAL_ENTRY, JOURNAL_LEAF, entry.id == leaf.entry_id
        )
        return self.database.read(
            lambda s: s.execute(sealed.where(entry.kind == "admin")).scalar_one()
        )


def deployment_in(mode: str, database: Database, keys_dir: Path, state_dir: Path) -> Deployment:
    url = database.url.render_as_string(hide_password=False)
    environ = {
        "TRADAN_MODE": mode,
        "TRADAN_STATE_DIR": str(state_dir),
        "TRADAN_KEYS_DIR": str(keys_dir),
        "TRADAN_DATABASE_URL": url,
    }
    return Deployment(Service(dict(environ)), database)


@pytest.fixture
def deployment(database: Database, keys_dir: Path, tmp_path: Path) -> Iterator[Deployment]:
    """A deployment with made-up people, on each kind of database."""
    made = deployment_in("test", database, keys_dir, tmp_path)
    yield made
    made.service.close()


def test_a_file_that_is_right_ends_0_and_leaves_one_entry(
    deployment: Deployment, tmp_path: Path
) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG), line(numbered(1)))

    first = deployment.run(import_group, "people", path)
    second = deployment.run(import_group, "people", path)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.startswith("2 rows, 2 added, 0 changed, 0 unchanged, 0 refused")
    assert second.stdout.startswith("2 rows, 0 added, 0 changed, 2 unchanged, 0 refused")
    assert deployment.people() == 2
    assert deployment.acts() == 2


def test_a_file_with_a_broken_line_ends_4_and_names_it(
    deployment: Deployment, tmp_path: Path
) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG), f"{PHUONG.personal_id},=1+1")
    errors = tmp_path / "errors.csv"

    result = deployment.run(import_group, "people", path, "--errors", errors)

    assert result.exit_code == 4
    assert "line 3: 2 cells where the header has 11" in result.stderr
    with errors.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "reason"],
            ["3", "2 cells where the header has 11"],
        ]
    assert errors.stat().st_mode & 0o077 == 0
    assert deployment.people() == 1


def test_the_result_as_json_has_keys_that_stay(deployment: Deployment, tmp_path: Path) -> None:
    broken = ["broken"] * 150
    header = ",".join((*HEADER, "religion"))
    path = write(tmp_path / "people.csv", line(PHUONG) + ",", *broken, header=header)

    result = deployment.run(import_group, "people", path, "--json", "--test", "--dry-run")

    told = json.loads(result.stdout)
    assert told.pop("errors")[0] == {"line": 3, "reason": "1 cells where the header has 12"}
    assert told == {
        "rows": 151,
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "refused": 150,
        "warnings": 0,
        "warning_reasons": {},
        "errors_left_out": 50,
        "columns_left_out": ["religion"],
        "resumed_after_line": 0,
        "file_digest": hashlib.sha256(path.read_bytes()).hexdigest(),
        "is_test": True,
        "dry_run": True,
    }
    assert result.exit_code == 4
    assert deployment.people() == 0
    assert deployment.acts() == 0


def test_warnings_do_not_change_the_exit_code(deployment: Deployment, tmp_path: Path) -> None:
    odd = line(PHUONG).replace("001185", f"{MADE_UP_PROVINCE}084")
    path = write(tmp_path / "people.csv", odd)

    result = deployment.run(import_group, "people", path, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["warnings"] == 3
    assert "warning on 1 lines: personal_id says another sex" in result.stderr


def test_a_header_that_cannot_be_read_ends_2(deployment: Deployment, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG), header="personal_id")

    result = deployment.run(import_group, "people", path)

    assert result.exit_code == 2
    assert "full_name is missing" in result.stderr


def test_the_imported_file_is_never_written_over(deployment: Deployment, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG))
    before = path.read_bytes()

    result = deployment.run(import_group, "people", path, "--errors", path)

    assert result.exit_code == 2
    assert path.read_bytes() == before


def test_an_errors_file_that_cannot_be_written_ends_2(
    deployment: Deployment, tmp_path: Path
) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG))

    result = deployment.run(import_group, "people", path, "--errors", tmp_path / "no" / "e.csv")

    assert result.exit_code == 2
    assert deployment.people() == 0


def test_a_database_that_is_not_there_ends_69(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", line(PHUONG))
    environ = {
        "TRADAN_STATE_DIR": str(tmp_path / "state"),
        "TRADAN_DATABASE_URL": "postgresql://127.0.0.1:1/nowhere",
    }

    ended = subprocess.run(
        [sys.executable, ROOT / "app.py", "import", "people", path],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (69, "")
    assert "TRADAN_DATABASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_made_up_people_are_added_once(deployment: Deployment) -> None:
    first = deployment.run(demo_people_command, 30, "--seed", 5)
    second = deployment.run(demo_people_command, 30, "--seed", 5)

    assert first.stdout == "30 made-up people added, 0 changed, 0 there already\n"
    assert second.stdout == "0 made-up people added, 0 changed, 30 there already\n"
    marked = deployment.database.read(
        lambda s: s.execute(sa.select(sa.func.count()).where(CITIZEN.c.is_test)).scalar_one()
    )
    assert marked == deployment.people() == 30


def test_made_up_people_in_a_file_can_be_imported(deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"

    made = deployment.run(demo_people_command, 30, "--csv", path)
    result = deployment.run(import_group, "people", path, "--test", "--json")

    assert (made.exit_code, made.stdout) == (0, "")
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(result.stdout)["added"] == 30
    again = deployment.run(demo_people_command, 30)
    assert again.stdout == "0 made-up people added, 0 changed, 30 there already\n"


def test_no_people_are_made_up_among_real_ones(
    database: Database, keys_dir: Path, tmp_path: Path
) -> None:
    deployment = deployment_in("production", database, keys_dir, tmp_path)

    result = deployment.run(demo_people_command, 1)

    assert result.exit_code == 5
    assert "TRADAN_MODE=demo" in result.stderr
    assert deployment.people() == 0


def test_progress_is_a_plain_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FixedClock()

    with Progress("lines", 1000, clock) as progress:
        for step in range(5):
            progress.tell(100 * step, 10 * step)
            clock.advance(timedelta(seconds=EVERY_SECONDS / 2))

    assert capsys.readouterr().err.splitlines() == [
        "20 %, 20 lines, 2 a second, some 40 s left",
        "40 %, 40 lines, 2 a second, some 30 s left",
    ]
