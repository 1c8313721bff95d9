"""Who serves a number is known of numbers that were ported before it was kept."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.orm import Session

from core import databases, migrate
from core.db import Database
from core.ids import uuid7

BEFORE = "0027"
# Of each number: when it was last ported and left, as what counted tells, and what was said.
NUMBERS: dict[int, tuple[int | None, int | None, list[tuple[str, int, str | None]]]] = {
    1: (5, None, [("ported", 3, "a"), ("ported", 5, "b")]),
    2: (5, None, [("ported", 5, None)]),
    3: (5, 7, [("ported", 5, "b"), ("released", 7, None)]),
    4: (5, 9, [("ported", 5, "b"), ("released", 4, None), ("reassigned", 9, None)]),
    5: (None, None, [("ported", 5, "b")]),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def old_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database as it stood before the column, with numbers to which something happened."""
    url = sa.URL.create("sqlite", database=str(tmp_path / "old.db"))
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        configuration = migrate._configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, BEFORE)
    with closing(databases.open_database(url)) as made:
        made.write(add_numbers)
        yield made


def add_numbers(session: Session) -> None:
    number = sa.text("INSERT INTO number (id, ported_at, left_at) VALUES (:id, :ported, :left)")
    event = sa.text(
        "INSERT INTO number_event (id, link_id, operator, event_id, content_tag, number_id, tag,"
        " key_id, blob, kind, happened_at, ported_to)"
        " VALUES (:id, 1, 'a', :name, :tag, :number, :tag, 1, :tag, :kind, :at, :to)"
    ).bindparams(sa.bindparam("id", type_=sa.Uuid))
    for key, (ported, left, said) in NUMBERS.items():
        session.execute(number, {"id": key, "ported": ported, "left": left})
        for kind, at, to in said:
            values = {"name": f"{key}-{at}", "tag": b"0" * 32, "number": key, "kind": kind}
            session.execute(event, {"id": uuid7(), "at": at, "to": to, **values})


def test_the_last_porting_that_counted_says_who_serves_a_number(old_database: Database) -> None:
    migrate.upgrade(old_database)

    found = old_database.read(
        lambda s: s.execute(sa.text("SELECT id, served_by FROM number ORDER BY id")).all()
    )

    assert dict(map(tuple, found)) == {1: "b", 2: "", 3: None, 4: "b", 5: None}
