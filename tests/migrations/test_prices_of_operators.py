"""The prices that links had become those of their operators."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.orm import Session

from billing import tariffs
from billing.tariffs import Tariff
from core import databases, migrate
from core.db import Database

BEFORE = "0017"
LINKS = ((1, "viettel", "viettel"), (2, "viettel-2", "viettel"), (3, "mobi", ""))
PRICES = (
    (1, date(2026, 1, 1), 25_000),
    (1, date(2026, 7, 1), 35_000),
    (2, date(2026, 7, 1), 30_000),
    (3, date(2026, 2, 1), 0),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def old_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database as it stood before, with three links and their prices."""
    url = sa.URL.create("sqlite", database=str(tmp_path / "old.db"))
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        configuration = migrate._configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, BEFORE)
    with closing(databases.open_database(url)) as made:
        made.write(add_links)
        yield made


def add_links(session: Session) -> None:
    link = sa.text(
        "INSERT INTO link (id, code, operator, kind, state, is_test, url, prefixes, rate, tokens, "
        "refilled_at, created_at) "
        "VALUES (:id, :code, :operator, 'http', 'active', false, '', '', 1, 1, 0, 0)"
    )
    session.execute(
        link, [dict(zip(("id", "code", "operator"), row, strict=True)) for row in LINKS]
    )
    price = sa.text(
        "INSERT INTO tariff (link_id, direction, valid_from, price_hundredths) "
        "VALUES (:link_id, 'mo', :day, :price)"
    ).bindparams(sa.bindparam("day", type_=sa.Date))
    session.execute(
        price, [dict(zip(("link_id", "day", "price"), row, strict=True)) for row in PRICES]
    )


def test_each_price_holds_until_the_next_of_its_operator(old_database: Database) -> None:
    migrate.upgrade(old_database)

    assert old_database.read(tariffs.load).all == (
        Tariff(operator="mobi", valid_from=date(2026, 2, 1), price_hundredths=0),
        Tariff(
            operator="viettel",
            valid_from=date(2026, 1, 1),
            valid_to=date(2026, 6, 30),
            price_hundredths=25_000,
        ),
        Tariff(operator="viettel", valid_from=date(2026, 7, 1), price_hundredths=35_000),
    )
