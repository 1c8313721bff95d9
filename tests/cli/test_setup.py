"""`init`: makes what is missing, says what, and lets nobody else read it."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app import main
from core.db import Database
from core.sqlite import SqliteDatabase
from tests.databases import PostgresServer


def init(state_dir: Path, **settings: str) -> Result:
    """Run `init` on a state folder."""
    environ = {"STATE_DIR": str(state_dir), **settings}
    env = {f"TRADAN_{name}": value for name, value in environ.items()}
    return CliRunner().invoke(main, ["init"], env=env)


def test_everything_is_made_and_named(tmp_path: Path) -> None:
    done = init(tmp_path / "var")

    assert done.exit_code == 0, done.output
    made = done.stdout.splitlines()
    assert all(line.startswith("made: ") for line in made)
    for what in ("state folder", "pepper.key", "kek-1.key", "sqlite database", "journal tradan/"):
        assert any(what in line for line in made), what
    assert "Keep a copy" in done.stderr
    assert "operator add" in done.stderr


def test_nobody_else_can_read_what_is_made(tmp_path: Path) -> None:
    init(tmp_path / "var")

    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "var").rglob("*")}
    assert (tmp_path / "var").stat().st_mode & 0o077 == 0
    assert {name for name, mode in modes.items() if mode} == set()
    keys = list((tmp_path / "var" / "keys").iterdir())
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o400}


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    init(tmp_path / "var")
    keys = {path: path.read_bytes() for path in (tmp_path / "var" / "keys").iterdir()}

    done = init(tmp_path / "var")

    assert (done.exit_code, done.stdout) == (0, "nothing to do: everything is there\n")
    assert {path: path.read_bytes() for path in keys} == keys


def test_a_database_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    init(tmp_path / "var")
    database = tmp_path / "var" / "tradan.db"
    database.chmod(0o644)

    done = init(tmp_path / "var")

    assert "others could read it" in done.stdout
    assert database.stat().st_mode & 0o777 == 0o600


def test_a_database_may_lie_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "srv" / "tradan" / "people.db"

    done = init(tmp_path / "var", DATABASE_URL=f"sqlite:///{path}")

    assert done.exit_code == 0, done.output
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "var" / "tradan.db").exists()


def test_postgresql_is_migrated_and_its_password_not_said(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create().set(password="hidden")
    text = url.render_as_string(hide_password=False)

    done = init(tmp_path / "var", DATABASE_URL=text)
    again = init(tmp_path / "var", DATABASE_URL=text)

    assert (done.exit_code, again.exit_code) == (0, 0), done.output
    assert "postgresql database" in done.stdout
    assert "hidden" not in done.output
    assert again.stdout == "nothing to do: everything is there\n"
    assert not (tmp_path / "var" / "tradan.db").exists()


def test_a_newer_database_is_not_touched(tmp_path: Path) -> None:
    init(tmp_path / "var")
    database: Database = SqliteDatabase(
        sa.URL.create("sqlite", database=str(tmp_path / "var" / "tradan.db"))
    )
    database.write(lambda s: s.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    database.close()

    done = init(tmp_path / "var")

    assert done.exit_code == 5
    assert "does not know" in done.stderr


def test_keys_of_another_deployment_are_refused(tmp_path: Path) -> None:
    init(tmp_path / "var")
    init(tmp_path / "other")
    shutil.rmtree(tmp_path / "var" / "keys")
    shutil.copytree(tmp_path / "other" / "keys", tmp_path / "var" / "keys")

    done = init(tmp_path / "var")

    assert done.exit_code in {3, 5}, done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("content", ["garbage", "x" * 5000])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "tradan.db").write_text(content)

    done = init(tmp_path / "var")

    assert done.exit_code == 69
    assert "TRADAN_DATABASE_URL" in done.stderr
    assert (tmp_path / "var" / "tradan.db").read_text() == content
