"""Databases that stop answering: a SQLite file that somebody locks, a PostgreSQL that is killed."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import sqlalchemy as sa

from tests.databases import PostgresServer
from tests.e2e.waiting import until


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock of a SQLite file."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


@contextmanager
def killed(server: PostgresServer) -> Iterator[None]:
    """Kill a PostgreSQL server as a loss of power does, and start it again afterwards."""
    home = Path(str(server.url.query["host"]))
    owner, pid_file = home.stat(), home / "data" / "postmaster.pid"
    pid = int(pid_file.read_text().split()[0])
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    others = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    os.kill(pid, signal.SIGKILL)
    try:
        yield
    finally:
        # Those who served connections have the shared memory until they see that it is over.
        until(lambda: not any(map(_is_alive, others)), "the last of PostgreSQL to be gone")
        # Its parent waits for it to the end of the tests: to others it seems to live.
        for lock in (pid_file, *home.glob(".s.PGSQL.*.lock")):
            lock.unlink()
        _start(command, home, owner)
        until(lambda: _answers(server.url), "PostgreSQL to be back")


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _start(command: list[str], home: Path, owner: os.stat_result) -> None:
    is_root = os.geteuid() == 0
    subprocess.run(
        ["/bin/sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", *command],
        cwd=home,
        user=owner.st_uid if is_root else None,
        group=owner.st_gid if is_root else None,
        extra_groups=[] if is_root else None,
        start_new_session=True,
        check=True,
    )


def end(server: PostgresServer) -> None:
    """End a server that was started again."""
    home = Path(str(server.url.query["host"]))
    with suppress(FileNotFoundError, ProcessLookupError):
        pid = int((home / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)


def _answers(url: sa.URL) -> bool:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with suppress(psycopg.OperationalError), psycopg.connect(address, connect_timeout=2):
        return True
    return False
