"""The three-way check: nothing to say of what the service itself wrote, and every gap is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from billing import kept_lines, tariffs
from billing.acts import Act
from billing.drafts import Account
from billing.errors import StatementError
from billing.lines import Line
from billing.periods import Period
from billing.statements import Statement
from billing.tables import STATEMENT, STATEMENT_LINE, USAGE
from core.ids import uuid7
from journal import acts, erasing, retention
from journal.acts import ActTold
from journal.cover import Cause, Part
from journal.entries import Kind
from journal.leaf import Cover
from sms import three_way
from sms.tables import INBOUND, LINK, OUTBOUND
from sms.three_way import Finding, Problem
from tests.billing.books import Books, entry_of
from tests.billing.tampering import loosen, rewrite
from tests.fakes import FixedClock
from tests.sms.gateway import TEST, Gateway, stranger

OLD = datetime(2026, 1, 1, tzinfo=UTC)
MO, MT = USAGE.c.direction == "mo", USAGE.c.direction == "mt"


@pytest.fixture
def clock() -> FixedClock:
    """The present: ids are made by the machine's own clock."""
    return FixedClock(at=datetime.now(UTC))


@pytest.fixture
def carried(gateway: Gateway) -> Gateway:
    """A gateway that has answered a lookup, its PIN, and a word that is no command."""
    person = gateway.person()
    pin = gateway.pin(person)
    gateway.ask(person.phone, f"XN {pin}")
    gateway.ask(stranger(), "xin chao")
    return gateway


def account(gateway: Gateway) -> Account:
    return Account(TEST, frozenset({gateway.link().id}))


def found(gateway: Gateway) -> dict[Problem, int]:
    period = Period.of(gateway.clock.now())
    told = gateway.database.read(
        lambda s: three_way.check(s, gateway.keyring, period, [account(gateway)])
    )
    return {each.problem: each.count for each in told}


def close(gateway: Gateway) -> None:
    """Make a statement of the month up to now and sign it."""
    books, period = books_of(gateway), Period.of(gateway.clock.now())
    books.open(period)
    books.send(period, now=period.following.ends_at)
    books.compare(period)
    books.close(period)


def books_of(gateway: Gateway) -> Books:
    return Books(gateway.database, account(gateway), gateway.journal, gateway.keyring)


def test_what_the_service_wrote_agrees(carried: Gateway) -> None:
    close(carried)

    assert found(carried) == {}
    assert len(carried.rows(USAGE)) == 6


CASES = (
    (
        sa.delete(USAGE).where(MO),
        {Problem.ENTRY_WITHOUT_USAGE: 2, Problem.MESSAGE_WITHOUT_USAGE: 3},
    ),
    (sa.delete(USAGE).where(MT), {Problem.REPLY_WITHOUT_USAGE: 3}),
    (sa.delete(INBOUND), {Problem.ENTRY_WITHOUT_USAGE: 2, Problem.USAGE_WITHOUT_MESSAGE: 3}),
    (sa.delete(OUTBOUND), {Problem.USAGE_WITHOUT_REPLY: 3}),
    (sa.update(USAGE).where(MT).values(segments=2), {Problem.USAGE_WITHOUT_REPLY: 3}),
    (sa.update(USAGE).where(MO).values(link_id=99), {Problem.USAGE_WITHOUT_MESSAGE: 3}),
    (sa.update(USAGE).where(MO).values(status="refused"), {Problem.USAGE_WITHOUT_MESSAGE: 3}),
    (sa.update(USAGE).where(MO).values(at=OLD), {Problem.USAGE_WITHOUT_MESSAGE: 3}),
    (
        sa.update(USAGE).values(is_test=False),
        {Problem.USAGE_WITHOUT_MESSAGE: 3, Problem.USAGE_WITHOUT_REPLY: 3},
    ),
)


class UndoneError(Exception):
    """What was tried is not to be kept."""


def test_what_is_missing_or_other_is_found(carried: Gateway) -> None:
    period = Period.of(carried.clock.now())

    def spoilt(statement: sa.Executable) -> dict[Problem, int]:
        told: dict[Problem, int] = {}

        def work(session: sa.orm.Session) -> None:
            loosen(session)
            session.execute(statement)
            whose = [account(carried)]
            findings = three_way.check(session, carried.keyring, period, whose)
            told.update({each.problem: each.count for each in findings})
            raise UndoneError

        with pytest.raises(UndoneError):
            carried.database.write(work)
        return told

    told = [spoilt(statement) for statement, _ in CASES]

    assert told == [problems for _, problems in CASES]
    assert found(carried) == {}


def test_usage_that_nobody_sent_is_found(carried: Gateway) -> None:
    row = carried.rows(USAGE)[0]._asdict() | {"message_id": uuid7()}
    del row["id"]
    carried.database.write(lambda s: s.execute(sa.insert(USAGE).values(**row)))

    period = Period.of(carried.clock.now())
    (finding,) = carried.database.read(lambda s: three_way.check(s, carried.keyring, period, []))

    assert finding == Finding(Problem.USAGE_WITHOUT_MESSAGE, 1, (str(row["message_id"]),))


def test_a_statement_that_would_be_another_now_is_found(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    gateway.ask(stranger(), "HD")
    close(gateway)
    today = gateway.clock.now().date().replace(day=1)
    gateway.database.write(lambda s: tariffs.set_price(s, TEST, today, 50_000))
    assert found(gateway) == {}, "test traffic is nobody's money"

    def make_real(session: sa.orm.Session) -> None:
        loosen(session)
        for table in (USAGE, LINK):
            session.execute(sa.update(table).values(is_test=False))

    gateway.database.write(make_real)

    assert found(gateway) == {Problem.STATEMENT_NOT_RECOMPUTED: 1}


def test_a_statement_whose_lines_were_changed_is_found(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    gateway.ask(stranger(), "HD")
    books_of(gateway).open(Period.of(gateway.clock.now()))

    gateway.database.write(lambda s: s.execute(sa.update(STATEMENT_LINE).values(parts=7)))

    assert found(gateway) == {Problem.STATEMENT_CHANGED: 1}


def test_lines_changed_together_with_their_digest_are_found_by_the_journal(
    gateway: Gateway,
) -> None:
    gateway.ask(stranger(), "HD")
    period = Period.of(gateway.clock.now())
    books = books_of(gateway)
    books.open(period)
    books.send(period, now=period.following.ends_at)
    assert found(gateway) == {}

    gateway.database.write(lambda s: rewrite(s, TEST, period))

    assert found(gateway) == {Problem.STATEMENT_UNTOLD: 1}


def test_a_signature_that_nobody_gave_is_found_by_the_journal(gateway: Gateway) -> None:
    close(gateway)
    assert found(gateway) == {}
    forged = {"state": "settled", "settled_by": "officer:b", "reference": "UNC 8"}

    gateway.database.write(lambda s: s.execute(sa.update(STATEMENT).values(forged)))

    assert found(gateway) == {Problem.STATEMENT_UNTOLD: 1}


def test_an_older_statement_is_not_told_of_where_the_newest_act_does_not_open(
    sqlite_gateway: Gateway,
) -> None:
    gateway, books = sqlite_gateway, books_of(sqlite_gateway)
    period = Period.of(gateway.clock.now())

    def sent() -> Statement:
        books.open(period)
        return books.send(period, now=period.following.ends_at).statement

    def blank(entries: list[ActTold]) -> None:
        ids = [each.entry_id for each in entries]
        gateway.database.write(lambda s: erasing.blank(s, ids, retention.ACT))

    gateway.ask(stranger(), "xin chao")
    old = sent()
    lines = gateway.database.read(lambda s: kept_lines.load(s, old.id))
    gateway.ask(stranger(), "xin chao")
    books.compare(period, matches=False)
    new = sent()
    newest = gateway.database.read(lambda s: acts.page(s, gateway.keyring, 2, kind=Kind.ADMIN))
    gateway.database.write(lambda s: put_back(s, old, lines))
    blank(newest)

    assert old.digest != new.digest
    assert found(gateway) == {Problem.STATEMENT_UNTOLD: 1}
    with pytest.raises(StatementError, match="the journal's newest sealed entry"):
        books.close(period)


def put_back(session: sa.orm.Session, old: Statement, lines: Sequence[Line]) -> None:
    """Have the database say what was sent first, as its administrator can."""
    kept_lines.store(session, old.id, lines)
    was = {"digest": old.digest, "net_hundredths": old.net_hundredths, "state": "matched"}
    session.execute(sa.update(STATEMENT).values(was))


@pytest.mark.parametrize("part", Part)
def test_an_act_that_was_erased_by_order_since_takes_no_statement_away(
    sqlite_gateway: Gateway, part: Part
) -> None:
    gateway, books = sqlite_gateway, books_of(sqlite_gateway)
    period = Period.of(gateway.clock.now())
    gateway.ask(stranger(), "xin chao")
    close(gateway)
    act = entry_of("officer:an", {"act": "other"})
    gateway.database.write(lambda s: gateway.journal.write(s, [act]))
    (other,) = gateway.database.read(lambda s: acts.page(s, gateway.keyring, 1, kind=Kind.ADMIN))
    assert other.index is not None
    covered = Cover(Cause.ORDER, part, str(other.index))
    erasure = replace(entry_of("officer:an", {"act": "erase"}), kind=Kind.ERASE, cover=covered)
    gateway.database.write(lambda s: erasing.blank(s, [other.entry_id], retention.ACT))
    before = found(gateway)
    gateway.database.write(lambda s: gateway.journal.write(s, [erasure]))

    assert before == {Problem.STATEMENT_UNTOLD: 1}
    assert found(gateway) == ({} if part is Part.ALL else before)
    assert (books.told(Act.CLOSE, period) is not None) == (part is Part.ALL)
