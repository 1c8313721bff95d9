"""Statements: made by one and checked by another, once, and never changed afterwards."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from billing import checks, compared, kept_lines, lines, statements
from billing.acts import Act, Told
from billing.carried import Group, Section
from billing.errors import StatementError, Why
from billing.lines import Rating
from billing.periods import Period
from billing.statements import Done, State
from billing.tables import STATEMENT, STATEMENT_LINE
from billing.tariffs import Tariffs
from billing.usage import Direction
from core.db import Database
from tests.billing.books import (
    CHECKER,
    MAKER,
    NOVEMBER,
    NOW,
    OCTOBER,
    PRICE,
    Books,
    day,
    id_of,
    message,
)
from tests.billing.tampering import loosen, rewrite

# When December is over, too.
LATER = datetime(2027, 1, 20, 3, tzinfo=UTC)


@pytest.fixture
def books(database: Database) -> Books:
    """Billing with one price and three messages of October, on each kind of database."""
    return october(database)


@pytest.fixture
def sqlite_books(sqlite_database: Database) -> Books:
    """The same, for what has nothing to do with the kind of database."""
    return october(sqlite_database)


def october(database: Database) -> Books:
    made = Books(database)
    made.price(PRICE)
    made.carry([message(day(1)), message(day(2), link_id=2), message(day(31), segments=2)])
    return made


def test_a_statement_goes_from_draft_to_settled(books: Books) -> None:
    states = [
        done.statement.state
        for done in (books.open(), books.send(), books.compare(), books.close(), books.settle())
    ]

    assert states == [State.DRAFT, State.SENT, State.MATCHED, State.SIGNED, State.SETTLED]
    found = books.database.read(lambda s: statements.find(s, "viettel", OCTOBER))
    assert found is not None
    assert (found.opened_by, found.sent_by, found.closed_by) == (MAKER, MAKER, CHECKER)
    assert (found.net_hundredths, found.reference) == (4 * 19_546, "UNC 7")


def test_messages_of_other_months_and_links_are_not_in_it(books: Books) -> None:
    books.carry([message(day(1, NOVEMBER)), message(day(1), link_id=3)])

    assert lines.total(books.compute(), Direction.MO).messages == 3


# One connection is as good as another to the same rows.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    taken=st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=20),
)
def test_usage_in_any_order_with_repeats_gives_the_same_statement(
    sqlite_database: Database, taken: list[tuple[int, bool]]
) -> None:
    books = Books(sqlite_database)
    sqlite_database.write(loosen)
    sqlite_database.write(lambda s: s.execute(sa.text("DELETE FROM usage")))
    rows = {
        key: message(
            day(key[0]), message_id=id_of(key[0]), segments=key[0] % 3 + 1,
            direction=Direction.MT if key[1] else Direction.MO,
        )
        for key in taken
    }  # fmt: skip
    once = [
        Group(
            short_code="1900", direction=row.direction, encoding="gsm7", day=day(key[0]),
            messages=1, parts=row.segments,
        )
        for key, row in rows.items()
    ]  # fmt: skip

    for key in taken:
        books.carry([rows[key]])

    tariffs = Tariffs(())
    assert books.compute() == lines.of("viettel", once, tariffs)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda books: books.close(by=MAKER), "somebody else"),
        (lambda books: (books.close(), books.settle(by=MAKER)), "somebody else"),
        (lambda books: books.send(), "only a draft"),
        (lambda books: books.open(), "made anew only"),
        (lambda books: books.settle(), "only what is signed"),
        (lambda books: (books.close(), books.compare()), "not signed"),
    ],
    ids=["sign", "settle", "send-again", "open-again", "settle-early", "compare-late"],
)
def test_what_is_not_in_its_turn_is_refused(
    sqlite_books: Books, act: Callable[[Books], object], told: str
) -> None:
    books = sqlite_books
    books.open()
    books.send()
    books.compare()

    with pytest.raises(StatementError, match=told):
        act(books)


def test_whoever_made_the_draft_does_not_sign_what_another_sent(sqlite_books: Books) -> None:
    books = sqlite_books
    books.open(by="officer:third")
    books.send()
    books.compare()

    with pytest.raises(StatementError, match="somebody else"):
        books.close(by="officer:third")


def test_the_database_itself_takes_no_signature_of_the_maker(books: Books) -> None:
    books.open()
    forged = sa.update(STATEMENT).values(state=State.SIGNED, closed_by=MAKER)

    with pytest.raises(sa.exc.IntegrityError):
        books.database.write(lambda s: s.execute(forged))


def test_what_differs_is_signed_only_with_what_was_agreed(sqlite_books: Books) -> None:
    books = sqlite_books
    books.open()
    books.send()
    books.compare(matches=False)

    with pytest.raises(StatementError, match="what was agreed"):
        books.close()
    done = books.close(agreed="our figure stands, minutes of 18/11")

    assert (done.statement.state, done.statement.difference_hundredths) == (State.SIGNED, -50_000)


def test_what_differs_may_be_made_anew(sqlite_books: Books) -> None:
    books = sqlite_books
    books.open()
    books.send()
    books.compare(matches=False)
    books.carry([message(day(3))])

    again = books.open().statement

    assert (again.state, again.file_digest, again.sent_by) == (State.DRAFT, None, None)
    assert again.net_hundredths == 5 * 19_546


def test_closing_and_settling_twice_is_once(books: Books) -> None:
    first = books.close_month()
    second = books.close(by="officer:third")
    settled, again = books.settle(), books.settle(by="officer:third")

    assert (first.is_new, second.is_new, second.statement) == (True, False, first.statement)
    assert (settled.is_new, again.is_new, again.statement) == (True, False, settled.statement)


def test_comparing_twice_with_the_same_file_is_once(sqlite_books: Books) -> None:
    books = sqlite_books
    books.open()
    books.send()

    assert [books.compare().is_new for _ in range(2)] == [True, False]


def test_what_is_signed_or_was_not_compared_is_not_outdated(books: Books) -> None:
    books.close_month()
    books.open(NOVEMBER)
    books.send(NOVEMBER)

    def outdated() -> tuple[list[Period], list[State]]:
        months = books.database.write(lambda s: compared.outdate_all(s, "viettel"))
        found = books.database.read(statements.listed)
        return months, [each.state for each in found]

    before = outdated()
    books.compare(NOVEMBER)

    assert before == ([], [State.SENT, State.SIGNED])
    assert outdated() == ([NOVEMBER], [State.SENT, State.SIGNED])


def test_a_month_is_not_sent_before_it_is_over(sqlite_books: Books) -> None:
    books = sqlite_books
    books.open()
    last_second = datetime(2026, 10, 31, 16, 59, 59, tzinfo=UTC)

    with pytest.raises(StatementError, match="not over"):
        books.send(now=last_second)
    assert books.send(now=last_second + timedelta(seconds=1)).statement.state is State.SENT


def test_what_has_no_price_is_not_sent(database: Database) -> None:
    books = Books(database)
    books.price(replace(PRICE, valid_from=day(2)))
    books.carry([message(day(1)), message(day(2))])
    books.open()

    with pytest.raises(StatementError, match="no price is in force"):
        books.send()


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(STATEMENT_LINE).values(messages=1),
        sa.delete(STATEMENT_LINE),
        sa.update(STATEMENT).values(digest="0" * 64),
        sa.update(STATEMENT).values(net_hundredths=0),
        sa.update(STATEMENT).values(closed_by=None),
        sa.update(STATEMENT).values(state=State.DRAFT),
        sa.delete(STATEMENT),
    ],
    ids=["line", "no-lines", "digest", "net", "signature", "state", "gone"],
)
def test_the_database_refuses_to_change_what_is_signed(
    books: Books, statement: sa.Executable
) -> None:
    books.close_month()

    with pytest.raises(sa.exc.DBAPIError, match="does not change"):
        books.database.write(lambda s: s.execute(statement))


def test_the_database_refuses_a_line_more_of_what_is_signed(books: Books) -> None:
    signed = books.close_month().statement
    kept = books.database.read(lambda s: kept_lines.load(s, signed.id))
    books.carry([message(day(4))])

    with pytest.raises(sa.exc.DBAPIError, match="does not change"):
        books.database.write(lambda s: kept_lines.store(s, signed.id, kept))
    add = sa.insert(STATEMENT_LINE).from_select(
        STATEMENT_LINE.c.keys(),
        sa.select(*(c + 1 if c.name == "place" else c for c in STATEMENT_LINE.c)),
    )
    with pytest.raises(sa.exc.DBAPIError, match="does not change"):
        books.database.write(lambda s: s.execute(add))


def test_lines_that_somebody_changed_before_the_signature_are_not_signed(
    sqlite_books: Books,
) -> None:
    books = sqlite_books
    books.open()
    books.send()
    books.compare()
    books.database.write(lambda s: s.execute(sa.update(STATEMENT_LINE).values(messages=9)))

    with pytest.raises(StatementError, match="changed since"):
        books.close()


def test_lines_changed_together_with_their_digest_are_not_signed(books: Books) -> None:
    books.open()
    books.send()
    books.compare()
    sent = books.told(Act.SEND)
    books.database.write(lambda s: rewrite(s, "viettel", OCTOBER))

    def close(told: Told | None) -> Done:
        return books.database.write(
            lambda s: checks.close(s, "viettel", OCTOBER, None, CHECKER, NOW, told=told)
        )

    for told in (sent, None, books.told(Act.OPEN)):
        with pytest.raises(StatementError, match="the journal's newest sealed entry") as refused:
            close(told)
        assert refused.value.why is Why.UNTOLD


def test_who_compared_a_statement_does_not_sign_it(sqlite_books: Books) -> None:
    books = sqlite_books
    books.open(by="officer:third")
    books.send(by="officer:third")
    books.compare()

    with pytest.raises(StatementError, match="somebody else"):
        books.close(by=MAKER)


def test_what_comes_late_corrects_the_next_month_by_name(books: Books) -> None:
    signed = books.close_month().statement
    books.carry([message(day(31)), message(day(5, NOVEMBER))])

    books.open(NOVEMBER)
    found = books.compute(NOVEMBER)

    assert [(line.terms.section, line.terms.corrects, line.messages) for line in found] == [
        (Section.USAGE, "", 1),
        (Section.CORRECTION, "2026-10", 1),
    ]
    kept = books.database.read(lambda s: kept_lines.load(s, signed.id))
    assert lines.total(kept, Direction.MO).messages == 3


def test_a_price_put_right_takes_back_the_old_one(books: Books) -> None:
    books.close_month()
    books.price(replace(PRICE, price_hundredths=40_000))

    new, old = sorted(books.compute(NOVEMBER), key=lambda line: line.amount, reverse=True)

    assert (new.parts, new.amount) == (4, 160_000)
    assert (old.parts, old.amount) == (-4, -200_000)


def test_a_first_price_of_replies_reaches_back_only_as_far_as_it_says(books: Books) -> None:
    books.carry([message(day(2), direction=Direction.MT)])
    books.close_month()
    books.carry([message(day(3), direction=Direction.MT)])
    first = replace(PRICE, direction=Direction.MT, share_bp=0, price_hundredths=15_000)

    books.price(replace(first, valid_from=day(1, NOVEMBER)))
    books.open(NOVEMBER)
    (late,) = books.compute(NOVEMBER)

    assert (late.terms.rating, late.messages, late.amount) == (Rating.UNBILLED, 1, 0)
    assert books.send(NOVEMBER).statement.state is State.SENT


def test_a_correction_is_in_one_statement_alone(books: Books) -> None:
    december = NOVEMBER.following
    books.close_month()
    books.carry([message(day(31))])

    books.open(NOVEMBER)
    assert books.compute(december) == ()
    books.send(NOVEMBER)
    books.compare(NOVEMBER)
    books.close(NOVEMBER)
    assert books.compute(december) == ()

    books.carry([message(day(30))])
    (second,) = books.compute(december)
    assert (second.terms.corrects, second.messages) == ("2026-10", 1)


def test_two_months_sent_at_once_take_a_correction_once(books: Books) -> None:
    december, began = NOVEMBER.following, threading.Event()
    books.close_month()
    books.carry([message(day(31))])
    # The later month was counted before there was an earlier one to wait for.
    books.open(december)
    counted = {december: books.count(december)}
    books.open(NOVEMBER)
    counted[NOVEMBER] = books.count(NOVEMBER)
    assert counted[NOVEMBER] == counted[december]

    def first(session: Session) -> None:
        found = counted[december]
        statements.send(
            session, "viettel", december, found.lines, MAKER, LATER, beside=found.beside
        )
        began.set()
        # Long enough for the other to come as far as it can.
        threading.Event().wait(0.3)

    with ThreadPoolExecutor() as pool:
        one = pool.submit(books.database.write, first)
        began.wait(5)
        other = pool.submit(books.send_counted, counted[NOVEMBER], NOVEMBER, now=LATER)
        one.result()
        with pytest.raises(StatementError, match="send it once more") as refused:
            other.result()

    def held(period: Period) -> tuple[State, int]:
        found = books.database.read(lambda s: statements.find(s, "viettel", period))
        assert found is not None
        kept = books.database.read(lambda s: kept_lines.load(s, found.id))
        return found.state, sum(line.messages for line in kept)

    assert refused.value.why is Why.MOVED
    assert (held(december), held(NOVEMBER)) == ((State.SENT, 1), (State.DRAFT, 1))
    books.send(NOVEMBER, now=LATER)
    assert (held(december), held(NOVEMBER)) == ((State.SENT, 1), (State.SENT, 0))


def test_a_month_that_was_left_open_holds_no_later_correction_back(sqlite_books: Books) -> None:
    books = sqlite_books
    books.open(OCTOBER.preceding)
    books.close_month()
    books.carry([message(day(31))])

    (line,) = books.compute(NOVEMBER)

    assert (line.terms.corrects, line.messages) == ("2026-10", 1)


def test_statements_are_listed_the_newest_first(sqlite_books: Books) -> None:
    books = sqlite_books
    books.open()
    books.open(NOVEMBER)

    listed = books.database.read(statements.listed)

    assert [each.period for each in listed] == [NOVEMBER, OCTOBER]
    assert books.database.read(lambda s: statements.listed(s, "mobifone")) == []


def test_an_operator_without_a_statement_has_none_to_close(sqlite_books: Books) -> None:
    books = sqlite_books
    with pytest.raises(StatementError, match="open one"):
        books.close()


@pytest.mark.parametrize(
    "values",
    [
        {"agreed": "another word"},
        {"file_digest": "0" * 64},
        {"file_digest": None},
        {"difference_hundredths": 7},
        {"reconciled_by": "officer:other"},
        {"reference": "UNC 8"},
        {"settled_by": "officer:other"},
        {"state": State.SIGNED},
    ],
    ids=str,
)
def test_nothing_that_minutes_say_changes_once_it_is_settled(
    books: Books, values: dict[str, object]
) -> None:
    books.close_month()
    books.settle()

    with pytest.raises(sa.exc.IntegrityError):
        books.database.write(lambda s: s.execute(sa.update(STATEMENT).values(values)))


def test_no_line_is_moved_into_what_is_signed(books: Books) -> None:
    signed = books.close_month().statement.id
    books.carry([message(day(1, NOVEMBER))])
    draft = books.open(NOVEMBER).statement.id
    mine = STATEMENT_LINE.c.statement_id == draft
    moved = sa.update(STATEMENT_LINE).where(mine).values(statement_id=signed, place=99)

    with pytest.raises(sa.exc.IntegrityError):
        books.database.write(lambda s: s.execute(moved))


@pytest.mark.parametrize("table", [STATEMENT, STATEMENT_LINE], ids=["statement", "line"])
def test_statements_are_not_emptied_whole(postgres_database: Database, table: sa.Table) -> None:
    emptied = sa.text(f"TRUNCATE {table.name} CASCADE")

    with pytest.raises(sa.exc.IntegrityError):
        postgres_database.write(lambda s: s.execute(emptied))
