"""A PostgreSQL of a test's own that can be shut down at once and started again on what is left."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from pwd import struct_passwd

import psycopg
import sqlalchemy as sa
from psycopg import sql

from core import databases, migrate
from tests.databases import _account, _as, _find, _reachable, _wait

# Small enough that one table outgrows it: what may not grow then is the table, not the log.
WAL_MEGABYTES = 1

# The pipe holds the server's life: when it closes, the server goes down at once (SIGQUIT).
_UNTIL_THE_PIPE_CLOSES = """
ulimit -f "$2"
"$1" -D "$0/data" -c listen_addresses= -c unix_socket_directories="$0" >"$0/log" 2>&1 &
read -r _
kill -QUIT $!
wait
"""


@dataclass(slots=True)
class CrashablePostgres:
    """A server, its folder, and the shell that runs it."""

    home: Path
    programs: Path
    account: struct_passwd | None
    url: sa.URL
    shell: "subprocess.Popen[str] | None" = None
    made: int = 0

    def database(self) -> sa.URL:
        """Make a database, migrated and empty."""
        self.made += 1
        name = f"crashed_{self.made}"
        address = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, dbname="template1", autocommit=True) as connection:
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE postgres STRATEGY wal_log")
            connection.execute(copy.format(sql.Identifier(name)))
        return self.url.set(database=name)

    def start(self, largest: str = "unlimited") -> None:
        """Start the server on what is there, and wait until it answers.

        Units: *largest* is the size beyond which no file may grow, in blocks of 512 bytes.
        """
        program = self.programs / "postgres"
        words = ("/bin/sh", "-c", _UNTIL_THE_PIPE_CLOSES, self.home, program, largest)
        self.shell = _as(self.account, self.home, *words)
        _wait(self.url, self.home)

    def crash(self) -> None:
        """Shut the server down at once: nothing is finished, nothing is flushed any more."""
        if self.shell is not None:
            self.shell.communicate()
            self.shell = None


@contextmanager
def crashable() -> Iterator[CrashablePostgres]:
    """Run a server with a migrated database, flushing as in production.

    Raises: NoPostgresError if there is none.
    """
    programs, account = _find(""), _account()
    home = Path(tempfile.mkdtemp(prefix="tradan-crash-"))
    try:
        if account:
            shutil.chown(home, account.pw_uid, account.pw_gid)
        folder = _reachable(programs.folder, home, account)
        words = (
            folder / "initdb", "--pgdata", home / "data", "--username=tradan", "--auth=trust",
            "--encoding=UTF8", "--locale=C", "--no-sync", f"--wal-segsize={WAL_MEGABYTES}",
        )  # fmt: skip
        _as(account, home, *words).communicate()
        url = sa.URL.create(
            "postgresql+psycopg", "tradan", database="postgres", query={"host": str(home)}
        )
        server = CrashablePostgres(home, folder, account, url)
        server.start()
        try:
            with closing(databases.open_database(url)) as database:
                migrate.upgrade(database)
            yield server
        finally:
            server.crash()
    finally:
        shutil.rmtree(home, ignore_errors=True)
