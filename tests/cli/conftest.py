"""What the tests of verbs may ask for: a deployment on each kind of database."""

from pathlib import Path

import pytest

from core.db import Database
from tests.cli.deployment import Deployment, deployment_on
from tests.journal.conftest import administrator, house


@pytest.fixture
def deployment(database: Database, keys_dir: Path, tmp_path: Path) -> Deployment:
    """A deployment on each kind of database."""
    return deployment_on(database, keys_dir, tmp_path)


@pytest.fixture
def embedded(sqlite_database: Database, keys_dir: Path, tmp_path: Path) -> Deployment:
    """A deployment on SQLite, for what has nothing to do with the kind of database."""
    return deployment_on(sqlite_database, keys_dir, tmp_path)
