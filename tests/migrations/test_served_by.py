"""Who serves a number is known of numbers that were ported before it was kept."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.orm import Session

from core import databases, migrate
from core.db import Database
from core.ids import uuid7
from core.phone import Msisdn
from records import numbers
from records.numbers import Event, Kind
from tests.fakes import NOON

BEFORE = "0027"
# Of each number: when it was last ported and left, as what counted tells, and who said what of it.
NUMBERS: dict[int, tuple[int | None, int | None, list[tuple[str, str, int, str | None]]]] = {
    1: (5, None, [("a", "ported", 3, "a"), ("a", "ported", 5, "b")]),
    2: (5, None, [("a", "ported", 5, None)]),
    3: (5, 7, [("a", "ported", 5, "b"), ("b", "released", 7, None)]),
    4: (5, 9, [("a", "ported", 5, "b"), ("a", "released", 4, None), ("b", "reassigned", 9, None)]),
    5: (None, None, [("a", "ported", 5, "b")]),
    # Whoever gave the number away speaks for it no more.
    6: (5, 9, [("a", "ported", 5, "b"), ("a", "released", 7, None), ("b", "reassigned", 9, None)]),
    7: (5, 9, [("a", "ported", 5, "b"), ("b", "released", 7, None), ("a", "reassigned", 9, None)]),
    8: (5, 7, [("a", "ported", 5, None), ("b", "released", 7, None)]),
    9: (5, None, [("a", "ported", 3, None), ("b", "ported", 5, "c")]),
}
EXPECTED = {1: "b", 2: "", 3: None, 4: "b", 5: None, 6: "b", 7: None, 8: None, 9: ""}
# What judges them from the next event on, given who has which prefixes.
PREFIXES = {"a": "091", "b": "086", "c": "088"}


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
        " VALUES (:id, 1, :operator, :name, :tag, :number, :tag, 1, :tag, :kind, :at, :to)"
    ).bindparams(sa.bindparam("id", type_=sa.Uuid))
    for key, (ported, left, said) in NUMBERS.items():
        session.execute(number, {"id": key, "ported": ported, "left": left})
        for operator, kind, at, to in said:
            values = {"name": f"{key}-{at}", "tag": b"0" * 32, "number": key, "kind": kind}
            told = {"id": uuid7(), "operator": operator, "at": at, "to": to}
            session.execute(event, told | values)


def test_the_last_porting_that_counted_says_who_serves_a_number(old_database: Database) -> None:
    migrate.upgrade(old_database)

    found = old_database.read(
        lambda s: s.execute(sa.text("SELECT id, served_by FROM number ORDER BY id")).all()
    )

    assert dict(map(tuple, found)) == EXPECTED


@pytest.mark.parametrize("key", [key for key in NUMBERS if NUMBERS[key][0]])
def test_that_is_what_would_be_judged(key: int) -> None:
    events = [
        Event(
            operator=operator,
            id=f"{key}-{at}",
            kind=Kind(kind),
            happened_at=NOON + at * timedelta(days=1),
            to=to,
        )
        for operator, kind, at, to in NUMBERS[key][2]
    ]

    judged = numbers.judge(events, Msisdn("+84912345678"), PREFIXES).standing

    ported, left = (at and NOON + at * timedelta(days=1) for at in NUMBERS[key][:2])
    assert (judged.served_by, judged.ported_at, judged.left_at) == (EXPECTED[key], ported, left)
