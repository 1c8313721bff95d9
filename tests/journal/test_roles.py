"""The roles of PostgreSQL: the service can do its work, and none can do another's."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import pytest
import sqlalchemy as sa

from core.databases import open_database
from core.db import Database
from core.keyring import Keyring
from journal import roles
from journal.cover import Part
from journal.erasures import Erasures
from journal.expiry import Expiry
from journal.journal import Journal
from journal.orders import Order
from journal.targets import Leaves
from tests.fakes import FixedClock
from tests.journal.conftest import ORIGIN, House

FORBIDDEN = (
    "UPDATE journal_entry SET kind = 'admin'",
    "DELETE FROM journal_entry",
    "UPDATE journal_leaf SET seq = seq + 1",
    "DELETE FROM journal_leaf",
    "DELETE FROM journal_tile",
    "DELETE FROM tree_state",
    "DELETE FROM legal_hold",
    "ALTER TABLE journal_entry DISABLE TRIGGER ALL",
    "DROP TABLE journal_leaf",
    "SET session_replication_role = replica",
)


@pytest.fixture
def prefix(postgres_database: Database) -> Iterator[str]:
    """Roles of this test's own, and who the service logs in as, who has all three."""
    prefix = f"t{token_hex(4)}"
    engine = sa.create_engine(
        postgres_database.url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as owner:
        try:
            owner.exec_driver_sql(f"CREATE ROLE {prefix}_service LOGIN")
        except sa.exc.ProgrammingError:
            pytest.skip("the tests may make no roles on this PostgreSQL")
        names = [f"{prefix}_{role}" for role in ("writer", "sealer", "eraser")]
        for _ in range(2):  # as after an upgrade
            for statement in roles.statements(prefix):
                owner.exec_driver_sql(statement.replace("%", "%%"))
        owner.exec_driver_sql(f"GRANT {', '.join(names)} TO {prefix}_service")
        yield prefix
        for name in (f"{prefix}_service", *names):
            owner.exec_driver_sql(f"DROP OWNED BY {name}")
            owner.exec_driver_sql(f"DROP ROLE {name}")


def test_the_service_does_its_work_and_owns_nothing(
    prefix: str, postgres_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    url = postgres_database.url.set(username=f"{prefix}_service")
    with closing(open_database(url)) as database:
        keyring = Keyring.load(keys_dir, database, clock)
        journal = Journal.open(database, keyring, keys_dir, tmp_path, ORIGIN, clock)
        house = House(journal, database, keyring, keys_dir, tmp_path, clock)
        house.append(3)
        erasures = Erasures(database, journal, keyring, clock)
        order = erasures.plan(Leaves([3]), Part.ALL, basis="law", reason="case", by="officer:a")
        assert isinstance(order, Order)
        for by in ("officer:b", "officer:c"):
            erasures.approve(order.id, by=by)
        assert isinstance(erasures.run(order.id, by="officer:a"), Order)
        clock.at = clock.at.replace(year=2028, month=6)
        assert Expiry(database, journal, keyring, clock).run().openings == 2

        report = house.verify()
        journal.close()

        assert (report.findings, report.incomplete) == ([], [])
        assert [each for each in FORBIDDEN if is_allowed(database, each)] == []


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("writer", "UPDATE journal_open SET enc_act = NULL"),
        ("writer", "DELETE FROM journal_pending"),
        ("writer", "DELETE FROM journal_checkpoint"),
        ("sealer", "UPDATE journal_open SET enc_act = NULL"),
        ("sealer", "DELETE FROM journal_open"),
        ("eraser", "DELETE FROM journal_pending"),
        ("eraser", "UPDATE tree_state SET size = 0"),
    ],
)
def test_no_role_does_anothers_work(
    prefix: str, postgres_database: Database, role: str, statement: str
) -> None:
    assert not is_allowed(postgres_database, statement, role=f"{prefix}_{role}")


def is_allowed(database: Database, statement: str, *, role: str = "") -> bool:
    engine = sa.create_engine(database.url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        if role:
            connection.exec_driver_sql(f"SET ROLE {role}")
        try:
            connection.exec_driver_sql(statement)
        except sa.exc.ProgrammingError as error:
            assert "permission denied" in str(error) or "must be owner" in str(error)  # noqa: PT017 (both are refusals)
            return False
        connection.rollback()
    return True
