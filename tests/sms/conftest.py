"""What the tests of the message's way share: a gateway without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.db import Database
from core.keyring import Keyring
from tests.fakes import FixedClock
from tests.sms import door as doors
from tests.sms.door import Door
from tests.sms.gateway import Gateway, opened
from tests.sms.two_links import shared


@pytest.fixture
def gateway(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    """A gateway on each kind of database, with nobody in its register."""
    with opened(database, keyring, keys_dir, tmp_path / "gateway", clock) as made:
        yield made


@pytest.fixture
def sqlite_gateway(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    """A gateway on SQLite, for what does not hang on the kind of database."""
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    with opened(sqlite_database, keyring, keys_dir, tmp_path / "gateway", clock) as made:
        yield made


@pytest.fixture
def postgres_gateway(
    postgres_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Gateway]:
    """A gateway on PostgreSQL, for what only several processes do."""
    keyring = Keyring.load(keys_dir, postgres_database, clock)
    with opened(postgres_database, keyring, keys_dir, tmp_path / "gateway", clock) as made:
        yield made


@pytest.fixture
def door(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Door]:
    """A door for operators, with links behind it."""
    with doors.opened(sqlite_database, keys_dir, tmp_path / "door", clock) as made:
        yield made


@pytest.fixture
def either(database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Door]:
    """A door over each kind of database."""
    with doors.opened(database, keys_dir, tmp_path / "door", clock) as made:
        yield made


@pytest.fixture
def pair(gateway: Gateway) -> Gateway:
    """A gateway with two links of one operator, which are drawn by turns."""
    return shared(gateway)


@pytest.fixture
def sqlite_pair(sqlite_gateway: Gateway) -> Gateway:
    """The same, for what does not hang on the kind of database."""
    return shared(sqlite_gateway)
