"""A backup made and put back by files, as docs/operations.md says, and the way out of it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.context import Service
from core.databases import open_database
from journal.mirror import Mirror
from tests.cli.deployment import Deployment, deployment_on
from tests.cli.test_journal_erase import lookup
from tests.databases import NoPostgresError, _as
from tests.journal.crashable import CrashablePostgres, crashable

TWO = ("--approved-by", "Tran Thi B", "--approved-by", "Le Van C", "--reason", "disk 2 failed")
BESIDE = ("-wal", "-shm")

Restore = Callable[[], None]


def made_on(url: sa.URL, home: Path) -> Deployment:
    """Make a deployment, as `init` does, with a link."""
    deployment = deployment_on(open_database(url), home / "keys", home)
    deployment.do("init")
    deployment.add_http("viettel")
    return deployment


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Deployment]:
    made = made_on(sa.URL.create("sqlite", database=str(tmp_path / "tradan.db")), tmp_path)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def server() -> Iterator[CrashablePostgres]:
    try:
        with crashable() as made:
            yield made
    except NoPostgresError as error:
        pytest.skip(f"no PostgreSQL here: {error}")


@pytest.fixture
def on_postgresql(server: CrashablePostgres, tmp_path: Path) -> Iterator[Deployment]:
    if not (server.programs / "pg_basebackup").exists():
        pytest.skip("this PostgreSQL comes without pg_basebackup")
    made = made_on(server.database(), tmp_path)
    yield made
    made.database.close()


def go_on(deployment: Deployment) -> int:
    """Do what the backup will not know of, and have it mirrored; return the size of the log."""
    deployment.do("operator", "disable", "viettel")
    deployment.do("operator", "disable", "viettel", "--undo")
    with closing(Service(dict(deployment.environ))) as service:
        Mirror(service.database, deployment.home, service.clock).catch_up()
    size: int = deployment.read("journal", "head")["size"]
    return size


def follow_the_restore_rule(deployment: Deployment, size: int) -> None:
    """Take the documented way out, and see that it leads out."""
    assert "not a continuation" in deployment.refused("run", code=3)
    assert "nothing to do" in deployment.do("init")
    shown = deployment.do("journal", "recover")
    assert f"remembered  {size} leaves" in shown
    assert f"files       {size} leaves" in shown

    told = deployment.do("journal", "recover", *TWO, "--yes")

    assert f"replayed: leaves {size - 4} to {size - 1}" in told
    report = deployment.read("journal", "verify")
    assert (report["findings"], report["incomplete"]) == ([], [])
    assert "disclosure" in deployment.do("state")
    deployment.do("operator", "disable", "viettel")


def backup_of_sqlite(deployment: Deployment) -> tuple[Restore, Path]:
    """Copy the file of a service that runs, as `sqlite3 FILE ".backup COPY"` does."""
    database = Path(deployment.database.url.database or "")
    kept = deployment.home / "backup.db"
    with closing(sqlite3.connect(database)) as there, closing(sqlite3.connect(kept)) as copy:
        there.backup(copy)

    def restore() -> None:
        for end in BESIDE:
            database.with_name(database.name + end).unlink(missing_ok=True)
        shutil.copyfile(kept, database)

    return restore, database


def test_a_sqlite_file_put_back_is_refused_and_led_out(on_sqlite: Deployment) -> None:
    with closing(Service(dict(on_sqlite.environ))) as running:
        running.journal.keep_memory()
        restore, _ = backup_of_sqlite(on_sqlite)
    size = go_on(on_sqlite)

    restore()

    follow_the_restore_rule(on_sqlite, size)


def test_a_sqlite_file_put_back_beside_the_old_log_is_found_out(on_sqlite: Deployment) -> None:
    restore, database = backup_of_sqlite(on_sqlite)
    with closing(Service(dict(on_sqlite.environ))) as running:
        made = running.journal.prepare([lookup(running)] * 300)
        running.database.write(lambda session: running.journal.append(session, made))
        # What is in the file now the log no longer tells: what comes next overwrites it.
        running.database.checkpoint()
        on_sqlite.do("operator", "disable", "viettel", "--undo")
        # A machine that loses its power leaves them behind: nobody puts them away.
        left = {end: database.with_name(database.name + end).read_bytes() for end in BESIDE}
    restore()
    for end, content in left.items():
        database.with_name(database.name + end).write_bytes(content)

    assert "remove the -wal and -shm files" in on_sqlite.refused("journal", "recover", code=3)

    restore()
    assert "not a continuation" in on_sqlite.refused("run", code=3)


def test_a_base_backup_put_back_is_refused_and_led_out(
    server: CrashablePostgres, on_postgresql: Deployment
) -> None:
    data, kept = server.home / "data", server.home / "backup"
    command = ("pg_basebackup", "-h", server.home, "-U", "tradan", "-D", kept, "-c", "fast")
    words = (server.programs / command[0], *command[1:])
    said, _ = _as(server.account, server.home, *words).communicate()
    assert kept.is_dir(), said
    size = go_on(on_postgresql)

    server.crash()
    shutil.rmtree(data)
    kept.rename(data)
    server.start()

    follow_the_restore_rule(on_postgresql, size)
