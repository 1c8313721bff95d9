"""Usage is forgotten 24 months after a month that is settled, and not before."""

from datetime import UTC, datetime

import sqlalchemy as sa

from billing import drafts, retention, statements
from billing.tables import USAGE
from core.db import Database
from tests.billing.books import NOVEMBER, OCTOBER, PRICE, VIETTEL, Books, day, message

KEPT = datetime(2028, 10, 31, 16, 59, tzinfo=UTC)
OVER = datetime(2028, 10, 31, 17, 0, tzinfo=UTC)


def forgotten(books: Books, now: datetime, most: int = 100) -> int:
    return books.database.write(lambda s: retention.forget(s, [VIETTEL], now, most=most))


def left(books: Books) -> int:
    count = sa.select(sa.func.count()).select_from(USAGE)
    return books.database.read(lambda s: s.execute(count).scalar_one())


def test_settled_usage_is_forgotten_when_24_months_are_over(database: Database) -> None:
    books = Books(database)
    books.price(PRICE)
    books.carry([message(day(1)), message(day(31)), message(day(1), link_id=9)])
    books.carry([message(day(1, NOVEMBER))])
    books.close_month()
    assert forgotten(books, OVER) == 0, "not settled yet"
    books.settle()

    assert forgotten(books, KEPT) == 0
    assert forgotten(books, OVER) == 2
    assert left(books) == 2, "what is another's, and of another month"

    assert forgotten(books, OVER) == 0
    found = books.database.read(lambda s: statements.find(s, "viettel", OCTOBER))
    assert found is not None
    assert found.forgotten_at == OVER
    assert database.read(lambda s: statements.is_intact(s, found))
    assert database.read(lambda s: drafts.due(s, VIETTEL, [found])) == {}


def test_a_month_that_is_half_forgotten_is_corrected_no_more(database: Database) -> None:
    books = Books(database)
    books.price(PRICE)
    books.carry([message(day(1)) for _ in range(3)])
    books.close_month()
    books.settle()

    assert forgotten(books, OVER, most=2) == 2

    assert left(books) == 1
    assert books.compute(NOVEMBER) == ()
    assert [forgotten(books, OVER), forgotten(books, OVER)] == [1, 0]
