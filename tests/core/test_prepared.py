"""Prepared statements say what Core says, on the driver's own cursor."""

from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import databases
from core.db import Database
from core.errors import UnavailableError
from core.ids import uuid7
from core.prepared import among, prepared
from records.stops import STOP
from sms.tables import OUTBOUND, SENDER

NOON = datetime(2026, 3, 2, 5, tzinfo=UTC)
TOKEN = UUID(int=7)
ADD = prepared(sa.insert(SENDER))
ALL = sa.select(SENDER).order_by(SENDER.c.id)
WHICH = prepared(
    sa.select(SENDER.c.id, SENDER.c.waiting_since, SENDER.c.lease_token)
    .where(among(SENDER.c.id, "ids"), SENDER.c.waiting >= 0)
    .order_by(SENDER.c.id)
)
WAIT = prepared(
    sa.update(SENDER)
    .where(SENDER.c.id == sa.bindparam("which"))
    .values(waiting=SENDER.c.waiting + sa.bindparam("more"), lease_token=None)
)


def sender(key: int) -> dict[str, object]:
    return {
        "id": key, "tag": bytes([abs(key) % 256]) * 32, "waiting": 1, "waiting_since": NOON,
        "lease_until": None, "lease_token": TOKEN, "history": "{}",
    }  # fmt: skip


def filled(session: Session) -> None:
    session.execute(ADD, [sender(key) for key in (-(2**63), 3, 2**63 - 1)])


def test_what_was_written_is_what_core_reads(database: Database) -> None:
    database.write(filled)

    rows = database.read(lambda s: s.execute(ALL).all())

    assert [row._asdict() for row in rows] == [sender(key) for key in (-(2**63), 3, 2**63 - 1)]


@pytest.mark.parametrize("keys", [[], [3], [3, 4, -(2**63)], list(range(500))])
def test_one_text_finds_any_number(database: Database, keys: list[int]) -> None:
    database.write(filled)

    rows = database.read(lambda s: s.execute(WHICH, {"ids": keys}).all())

    assert [tuple(row) for row in rows] == [
        (key, NOON, TOKEN) for key in sorted({-(2**63), 3, 2**63 - 1}.intersection(keys))
    ]
    assert [row.waiting_since for row in rows] == [NOON] * len(rows)


def test_identifiers_are_found_among_others_and_not_among_others(database: Database) -> None:
    inside = prepared(sa.select(sa.func.count()).where(among(OUTBOUND.c.id, "ids")))
    neither = prepared(
        sa.select(SENDER.c.id).where(sa.not_(among(SENDER.c.id, "ids"))).order_by(SENDER.c.id)
    )
    database.write(filled)

    def work(session: Session) -> tuple[object, ...]:
        count = session.execute(inside, {"ids": [uuid7(), uuid7()]}).scalar()
        but_three = session.execute(neither, {"ids": [3]}).scalars().all()
        all_of_them = session.execute(neither, {"ids": []}).scalars().all()
        return count, but_three, all_of_them

    assert database.read(work) == (0, [-(2**63), 2**63 - 1], [-(2**63), 3, 2**63 - 1])


def test_an_update_tells_how_many_rows_it_changed(database: Database) -> None:
    database.write(filled)

    def work(session: Session) -> tuple[int, int]:
        one = session.execute(WAIT, {"which": 3, "more": 4})
        many = session.execute(WAIT, [{"which": 3, "more": 1}, {"which": 5, "more": 1}])
        return one.rowcount, many.rowcount  # type: ignore[attr-defined]  # an UPDATE's result counts rows

    assert database.write(work) == (1, 1)
    row = database.read(lambda s: s.execute(ALL.where(SENDER.c.id == 3)).one())
    assert (row.waiting, row.lease_token) == (6, None)


def test_rows_are_asked_for_as_of_core(database: Database) -> None:
    database.write(filled)

    def work(session: Session) -> None:
        def found(*ids: int) -> object:
            return session.execute(WHICH, {"ids": ids})

        assert found(3).one().id == found(3).first().id == found(3).scalar() == 3  # type: ignore[attr-defined]  # an UPDATE's result counts rows
        assert found().one_or_none() is found().first() is found().scalar() is None  # type: ignore[attr-defined]  # an UPDATE's result counts rows
        with pytest.raises(sa.exc.NoResultFound):
            found().one()  # type: ignore[attr-defined]  # an UPDATE's result counts rows
        with pytest.raises(sa.exc.MultipleResultsFound):
            found(3, 2**63 - 1).one_or_none()  # type: ignore[attr-defined]  # an UPDATE's result counts rows

    database.read(work)


def test_the_drivers_errors_are_those_of_core_and_quote_nothing(database: Database) -> None:
    database.write(filled)

    def again(session: Session) -> None:
        session.execute(ADD, sender(3))

    with pytest.raises(sa.exc.IntegrityError) as caught:
        database.write(again)

    assert "{}" not in str(caught.value)
    assert database.read(lambda s: len(s.execute(ALL).all())) == 3, "and it was rolled back"


def test_a_table_that_is_away_is_a_database_that_is_away(sqlite_database: Database) -> None:
    statement = prepared(sa.select(STOP.c.id))

    def drop_and_ask(session: Session) -> None:
        session.execute(sa.text("DROP TABLE stop"))
        session.execute(statement)

    with pytest.raises(UnavailableError):
        sqlite_database.write(drop_and_ask)


def test_a_connection_that_was_cut_is_made_anew(postgres_database: Database) -> None:
    postgres_database.write(filled)
    cut = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    with closing(databases.open_database(postgres_database.url)) as another:

        def cut_off(session: Session) -> None:
            another.write(lambda other: other.execute(cut).close())
            session.execute(WHICH, {"ids": [3]})

        with pytest.raises(UnavailableError):
            postgres_database.write(cut_off)

    assert postgres_database.read(lambda s: s.execute(WHICH, {"ids": [3]}).scalar()) == 3


def test_many_rows_at_once_are_written_as_a_few_are(database: Database) -> None:
    rows = [
        {
            **sender(key),
            "tag": bytes(range(key, key + 32)),
            "history": f'a\tb\\n\n{key}"\\N é',
            "lease_token": None if key % 2 else TOKEN,
        }
        for key in range(100)
    ]

    database.write(lambda s: s.execute(ADD, rows))

    assert [row._asdict() for row in database.read(lambda s: s.execute(ALL).all())] == rows


def test_of_many_rows_one_that_is_there_refuses_all(database: Database) -> None:
    database.write(filled)

    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda s: s.execute(ADD, [sender(key) for key in range(100)]))

    assert len(database.read(lambda s: s.execute(ALL).all())) == 3
