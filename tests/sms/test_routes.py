"""Which link a reply leaves by, where its operator has several."""

from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle, pairwise

import pytest
import sqlalchemy as sa

from billing.guard_counts import GUARD_COUNT
from billing.tables import USAGE
from core import databases, metrics
from records import stops
from records.stops import Order, Scope, StopReason
from sms import attempts, outbox, receipts
from sms.attempts import Count
from sms.balance import LATE, Balance
from sms.deliveries import Delivery, News
from sms.dispatch import Claimed, NotStarted, ReplyState, Result
from sms.links import registry
from sms.links.assessments import Assessment
from sms.links.model import (
    Accepted,
    Link,
    LinkKind,
    LinkState,
    Outcome,
    Outgoing,
    Refused,
    Unknown,
)
from sms.links.registry import NewLink
from sms.receipts import Receipt, Taken
from sms.routes import Routes
from sms.tables import LINK
from tests.sms.gateway import REAL, SECRET, TEST, FakeOperator, Gateway, stranger
from tests.sms.test_outbound import sending, wait_for

SECOND = timedelta(seconds=1)
ONE, TWO, FAR = "sao-mai-1", "sao-mai-2", "sao-mai-real"
LATER, UNKNOWN = Refused("status-503", retryable=True), Unknown("timeout")


def add(gateway: Gateway, code: str, **changes: object) -> None:
    new = NewLink(
        code=code, kind=LinkKind.HTTP, url="https://op.example", secret=SECRET, is_test=True,
        assessed_by="tests", operator="sao-mai",
    )  # fmt: skip
    new = replace(new, **changes)  # type: ignore[arg-type]  # fields by name
    now = gateway.clock.now()
    gateway.database.write(lambda s: registry.add(s, gateway.keyring, new, now))


def shared(gateway: Gateway, *picks: int) -> Gateway:
    """Give the gateway two links of one operator, and draws that come out so."""
    add(gateway, ONE)
    add(gateway, TWO)
    refresh(gateway)
    drawn = cycle(picks or (0, 99))
    routes = Routes(gateway.links, lambda most: min(next(drawn), most - 1))
    gateway.handler = replace(gateway.handler, routes=routes)
    return gateway


@pytest.fixture
def pair(gateway: Gateway) -> Gateway:
    """A gateway with two links of one operator, which are drawn by turns."""
    return shared(gateway)


@pytest.fixture
def sqlite_pair(sqlite_gateway: Gateway) -> Gateway:
    """The same, for what does not hang on the kind of database."""
    return shared(sqlite_gateway)


def refresh(gateway: Gateway) -> None:
    """Have the gateway see its links as they are now."""
    gateway.clock.advance(2 * SECOND)


def ask_help(gateway: Gateway, count: int, code: str = ONE) -> None:
    for number in range(count):
        gateway.send(stranger(number), "HD", code=code)
    gateway.handle()


def ways(gateway: Gateway) -> list[str]:
    """Return the links by which the replies that wait are to leave, in the order they were made."""
    codes = {link.id: link.code for link in gateway.links.all()}
    rows = sorted(gateway.replies(), key=lambda row: row.id)
    return [codes[row.link_id] for row in rows if row.state == ReplyState.QUEUED]


def came_to(gateway: Gateway, claimed: Claimed, outcome: Outcome | NotStarted) -> None:
    """Record what came of a claim as the dispatcher does."""
    now, routes, results = gateway.clock.now(), Routes(gateway.links), [Result(claimed, outcome)]

    def work(session: sa.orm.Session) -> None:
        outbox.record(session, results, now, routes.elsewhere(session, results, now))
        attempts.add(session, attempts.count(results, routes.are_shared), now)

    gateway.database.write(work)


def stop(gateway: Gateway, key: str) -> None:
    order = Order(scope=Scope.LINK, key=key, reason=StopReason.SECURITY, by="tests")
    gateway.database.write(lambda s: stops.stop(s, order, gateway.clock.now()))


def weights_of(gateway: Gateway) -> dict[str, int]:
    chosen = sa.select(LINK.c.code, LINK.c.weight).where(LINK.c.operator == "sao-mai")
    return {row.code: row.weight for row in gateway.database.read(lambda s: s.execute(chosen))}


def shifted(gateway: Gateway) -> dict[str, int]:
    Balance(gateway.database, gateway.links, gateway.journal, gateway.clock).shift()
    return weights_of(gateway)


def fail(gateway: Gateway, code: str, count: int, tried: int | None = None) -> None:
    made = {gateway.link(code).id: Count(tried or count, count)}
    gateway.database.write(lambda s: attempts.add(s, made, gateway.clock.now()))


def alarms(kind: str) -> float:
    return float(metrics.ALARMS.labels(kind)._value.get())


def test_replies_leave_by_either_link_of_the_operator(pair: Gateway) -> None:
    ask_help(pair, 4)

    assert ways(pair) == [ONE, TWO, ONE, TWO]
    assert [told.link for told in pair.outbox()].count(TWO) == 2


def test_one_link_of_an_operator_is_not_drawn_for(sqlite_pair: Gateway) -> None:
    ask_help(sqlite_pair, 3, code=TEST)

    assert ways(sqlite_pair) == [TEST] * 3
    assert sqlite_pair.links.peers(sqlite_pair.link(TEST).id) == (sqlite_pair.link(TEST),)


def never(_most: int) -> int:
    raise AssertionError("there was nothing to draw")


def test_nothing_is_drawn_where_no_operator_has_two_links(sqlite_gateway: Gateway) -> None:
    routes = Routes(sqlite_gateway.links, never)
    sqlite_gateway.handler = replace(sqlite_gateway.handler, routes=routes)

    ask_help(sqlite_gateway, 2, code=REAL)

    assert ways(sqlite_gateway) == [REAL] * 2
    assert sqlite_gateway.links.shared() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"is_test": False},
        {"operator": "another"},
        {"kind": LinkKind.TWILIO, "account_sid": "AC" + "0" * 32, "from_number": "+12025550100"},
    ],
)
def test_links_of_another_kind_of_trust_share_nothing(
    sqlite_gateway: Gateway, changes: dict[str, object]
) -> None:
    add(sqlite_gateway, ONE)
    add(sqlite_gateway, FAR, **changes)
    refresh(sqlite_gateway)

    ask_help(sqlite_gateway, 6)

    assert set(ways(sqlite_gateway)) == {ONE}


def take_out(gateway: Gateway, how: str, code: str) -> None:
    link, now = gateway.link(code), gateway.clock.now()
    match how:
        case "disabled":
            gateway.database.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))
        case "unassessed":
            ended = Assessment("tests", now, now)
            gateway.database.write(lambda s: registry.assess(s, link, ended))
        case _:
            stop(gateway, code)
    refresh(gateway)


@pytest.mark.parametrize("how", ["disabled", "unassessed", "stopped"])
def test_a_link_that_may_not_carry_it_is_given_nothing(sqlite_pair: Gateway, how: str) -> None:
    take_out(sqlite_pair, how, TWO)

    ask_help(sqlite_pair, 4)

    assert ways(sqlite_pair) == [ONE] * 4


@pytest.mark.parametrize("how", ["unassessed", "stopped"])
def test_what_came_in_where_nothing_may_be_told_is_told_so_there(
    sqlite_pair: Gateway, how: str
) -> None:
    take_out(sqlite_pair, how, ONE)
    sqlite_pair.send(stranger(), "PHI", code=ONE)
    sqlite_pair.handle()

    assert ways(sqlite_pair) == [ONE]
    assert sqlite_pair.replies()[0].reply == "DOWN"


def test_a_pin_may_be_given_over_any_link_of_the_operator(pair: Gateway) -> None:
    person = pair.person()
    pin = pair.pin(person, code=ONE)

    assert pair.says(person.phone, f"XN {pin}", code=TWO) == "RESULT"


def test_a_pin_over_another_operators_link_opens_nothing(sqlite_pair: Gateway) -> None:
    person = sqlite_pair.person()
    pin = sqlite_pair.pin(person, code=ONE)

    assert sqlite_pair.says(person.phone, f"XN {pin}", code=TEST) == "NOOPEN"
    assert sqlite_pair.says(person.phone, f"XN {pin}", code=TWO) == "RESULT"


def test_a_wrong_pin_over_the_other_link_spends_a_try(sqlite_pair: Gateway) -> None:
    person = sqlite_pair.person()
    wrong = f"{(int(sqlite_pair.pin(person, code=ONE)) + 1) % 10**6:06d}"

    said = [sqlite_pair.says(person.phone, f"XN {wrong}", code=code) for code in (TWO, ONE, TWO)]

    assert said == ["WRONG", "WRONG", "FAILED"]


def test_a_right_pin_counts_on_the_link_where_it_was_made(sqlite_gateway: Gateway) -> None:
    """Else the other link would look like one whose PINs nobody gives (pumping, T16)."""
    for code in (ONE, TWO):
        add(sqlite_gateway, code, is_test=False)
    refresh(sqlite_gateway)
    person = sqlite_gateway.person(is_test=False)
    pin = sqlite_gateway.pin(person, code=ONE)

    assert sqlite_gateway.says(person.phone, f"XN {pin}", code=TWO) == "RESULT"
    rows = [row for row in sqlite_gateway.rows(GUARD_COUNT) if row.pins or row.completed]
    assert [(r.link_id, r.pins, r.completed) for r in rows] == [(sqlite_gateway.link(ONE).id, 1, 1)]


def test_g7_a_stop_of_the_link_a_message_came_by_holds_its_reply_on_the_other(
    pair: Gateway,
) -> None:
    person = pair.person()
    pair.send(person.phone, f"DC {person.personal_id}", code=TWO)
    pair.handle()
    assert ways(pair) == [ONE]

    stop(pair, TWO)

    assert pair.outbox() == []


def test_g7_a_stop_of_the_link_a_pin_was_asked_for_on_holds_what_it_opens(
    sqlite_pair: Gateway,
) -> None:
    person = sqlite_pair.person()
    pin = sqlite_pair.pin(person, code=ONE)
    stop(sqlite_pair, ONE)

    assert sqlite_pair.says(person.phone, f"XN {pin}", code=TWO) == "DOWN"


def test_g7_a_stop_of_the_link_a_pin_was_asked_for_on_holds_what_it_opened(
    pair: Gateway,
) -> None:
    person = pair.person()
    pin = pair.pin(person, code=ONE)
    pair.clock.advance(SECOND)
    pair.send(person.phone, f"XN {pin}", code=TWO)
    pair.handle()
    assert [(row.reply, row.link_id) for row in pair.replies() if row.state == "queued"] == [
        ("RESULT", pair.link(TWO).id)
    ]

    stop(pair, ONE)

    assert pair.outbox() == []


def test_what_one_link_refuses_is_offered_by_the_other(pair: Gateway) -> None:
    ask_help(pair, 1)
    (claimed,) = pair.claim()

    came_to(pair, claimed, LATER)

    assert ways(pair) == [TWO]
    pair.clock.advance(2 * SECOND)
    assert [told.link for told in pair.outbox()] == [TWO]


@pytest.mark.parametrize("first", [UNKNOWN, LATER])
def test_g5_what_may_have_gone_out_is_asked_about_where_it_went(
    sqlite_pair: Gateway, first: Outcome
) -> None:
    ask_help(sqlite_pair, 1)
    (claimed,) = sqlite_pair.claim()
    came_to(sqlite_pair, claimed, UNKNOWN)
    sqlite_pair.clock.advance(2 * SECOND)
    (again,) = sqlite_pair.claim()
    came_to(sqlite_pair, again, first)
    sqlite_pair.clock.advance(5 * SECOND)

    assert ways(sqlite_pair) == ([] if first is UNKNOWN else [ONE])


def test_g5_a_lease_that_ran_out_keeps_its_link(sqlite_pair: Gateway) -> None:
    ask_help(sqlite_pair, 1)
    sqlite_pair.claim()
    sqlite_pair.clock.advance(outbox.LEASE)
    (again,) = sqlite_pair.claim()

    came_to(sqlite_pair, again, LATER)

    assert ways(sqlite_pair) == [ONE]


def test_what_was_not_started_stays_unless_its_link_may_carry_it_no_more(
    sqlite_pair: Gateway,
) -> None:
    ask_help(sqlite_pair, 1)
    (claimed,) = sqlite_pair.claim()
    came_to(sqlite_pair, claimed, NotStarted())
    stayed = ways(sqlite_pair)
    sqlite_pair.clock.advance(SECOND)
    (again,) = sqlite_pair.claim()
    take_out(sqlite_pair, "unassessed", ONE)
    came_to(sqlite_pair, again, NotStarted())

    assert (stayed, ways(sqlite_pair)) == ([ONE], [TWO])


def test_a_receipt_is_matched_on_the_link_by_which_the_reply_left(sqlite_pair: Gateway) -> None:
    ask_help(sqlite_pair, 1)
    (claimed,) = sqlite_pair.claim()
    came_to(sqlite_pair, claimed, LATER)
    sqlite_pair.clock.advance(2 * SECOND)
    sqlite_pair.outbox()
    now = sqlite_pair.clock.now()
    told = [Receipt(news=News(Delivery.DELIVERED, now, None, None), reply_id=claimed.id)]

    taken = [
        sqlite_pair.database.write(partial(receipts.take, link=link, receipts=told, now=now))
        for link in (sqlite_pair.link(ONE), sqlite_pair.link(TWO))
    ]

    assert taken == [[Taken.FOREIGN], [Taken.MOVED]]


def test_untried_replies_go_before_those_that_were_tried(gateway: Gateway) -> None:
    ask_help(gateway, 2, code=TEST)
    first, second = gateway.claim()
    came_to(gateway, first, LATER)
    came_to(gateway, second, UNKNOWN)
    gateway.clock.advance(2 * SECOND)
    for number in range(5, 8):
        gateway.send(stranger(number), "HD")
    gateway.handle()

    assert [one.attempt for one in claim(gateway, 5)] == [1, 1, 1, 2, 2]


def test_what_was_never_started_is_untried(sqlite_gateway: Gateway) -> None:
    ask_help(sqlite_gateway, 1, code=TEST)
    (first,) = sqlite_gateway.claim()
    came_to(sqlite_gateway, first, NotStarted())
    sqlite_gateway.clock.advance(SECOND)
    sqlite_gateway.send(stranger(5), "HD")
    sqlite_gateway.handle()

    assert [one.attempt for one in claim(sqlite_gateway, 2)] == [2, 1]


def test_a_pin_that_was_tried_goes_before_help_that_was_not(sqlite_gateway: Gateway) -> None:
    person = sqlite_gateway.person()
    sqlite_gateway.send(person.phone, f"DC {person.personal_id}")
    sqlite_gateway.handle()
    (pin,) = sqlite_gateway.claim()
    came_to(sqlite_gateway, pin, LATER)
    sqlite_gateway.clock.advance(2 * SECOND)
    ask_help(sqlite_gateway, 1, code=TEST)

    assert [one.reply for one in claim(sqlite_gateway, 2)] == ["PIN", "HELP"]


def claim(gateway: Gateway, limit: int) -> list[Claimed]:
    """Claim one by one, so that the order shows on either database."""
    now = gateway.clock.now()
    return [
        one
        for _ in range(limit)
        for one in gateway.database.write(
            lambda s: outbox.claim(s, now, limit=1, may_disclose=True)
        )
    ]


def test_a_link_whose_attempts_fail_loses_ten_points_a_minute(pair: Gateway) -> None:
    before = alarms("link-failing")
    ask_help(pair, 10)
    for claimed in pair.claim():
        came_to(pair, claimed, LATER if claimed.link_id == pair.link(ONE).id else Accepted())

    seen = [shifted(pair)]
    for pause in (59 * SECOND, SECOND):
        pair.clock.advance(pause)
        fail(pair, ONE, 5)
        seen.append(shifted(pair))

    assert seen == [{ONE: 40, TWO: 60}] * 2 + [{ONE: 30, TWO: 70}]
    assert alarms("link-failing") == before + 2


def test_what_was_judged_once_is_not_judged_again(sqlite_pair: Gateway) -> None:
    fail(sqlite_pair, ONE, 9)
    first = shifted(sqlite_pair)
    sqlite_pair.clock.advance(timedelta(minutes=1))

    assert (first[ONE], shifted(sqlite_pair)[ONE]) == (40, 40)


def test_points_come_back_when_it_has_been_quiet_for_a_quarter_of_an_hour(
    sqlite_pair: Gateway,
) -> None:
    fail(sqlite_pair, ONE, 9)
    seen = [shifted(sqlite_pair)[ONE]]
    for minutes in (14, 1, 15):
        sqlite_pair.clock.advance(timedelta(minutes=minutes))
        seen.append(shifted(sqlite_pair)[ONE])

    assert seen == [40, 40, 50, 50]


def test_several_workers_shift_once(postgres_gateway: Gateway) -> None:
    gateway = shared(postgres_gateway)
    fail(gateway, ONE, 9)
    with closing(databases.open_database(gateway.database.url)) as another:
        for database in (gateway.database, another, gateway.database):
            Balance(database, gateway.links, gateway.journal, gateway.clock).shift()

    assert weights_of(gateway) == {ONE: 40, TWO: 60}


def test_failures_of_a_link_that_is_alone_are_not_counted(sqlite_pair: Gateway) -> None:
    ask_help(sqlite_pair, 3, code=TEST)
    results = [Result(claimed, LATER) for claimed in sqlite_pair.claim()]

    assert attempts.count(results, Routes(sqlite_pair.links).are_shared) == {}


def moved(gateway: Gateway) -> list[str]:
    Balance(gateway.database, gateway.links, gateway.journal, gateway.clock).move()
    return ways(gateway)


def test_what_waits_too_long_for_its_link_is_given_another(pair: Gateway) -> None:
    """As where no process has the link bound: it is never claimed."""
    ask_help(pair, 1)
    pair.clock.advance(LATE - SECOND)
    early = moved(pair)
    pair.clock.advance(SECOND)

    assert (early, moved(pair)) == ([ONE], [TWO])
    counted = pair.database.read(
        lambda s: attempts.since(s, [pair.link(ONE).id], pair.clock.now() - timedelta(minutes=2))
    )
    assert counted == {pair.link(ONE).id: Count(1, 1)}


def test_what_was_moved_is_not_late_where_it_was_moved_to(pair: Gateway) -> None:
    """Else it is sent back by whoever looks next, and counts against the link that works."""
    ask_help(pair, 1)
    pair.clock.advance(LATE)
    seen = [moved(pair), moved(pair)]
    pair.clock.advance(LATE - SECOND)

    assert [*seen, moved(pair)] == [[TWO]] * 3
    counted = pair.database.read(
        lambda s: attempts.since(s, [pair.link(TWO).id], pair.clock.now() - timedelta(minutes=2))
    )
    assert counted == {}
    assert [told.link for told in pair.outbox()] == [TWO]


def test_where_replies_wait_on_every_link_none_is_moved(sqlite_pair: Gateway) -> None:
    ask_help(sqlite_pair, 2)
    sqlite_pair.clock.advance(LATE)

    assert moved(sqlite_pair) == [ONE, TWO]


def test_what_waits_on_a_link_that_was_disabled_is_moved(sqlite_pair: Gateway) -> None:
    ask_help(sqlite_pair, 1)
    take_out(sqlite_pair, "disabled", ONE)
    sqlite_pair.clock.advance(LATE)

    assert moved(sqlite_pair) == [TWO]


def test_what_is_held_for_another_reason_is_not_moved(sqlite_pair: Gateway) -> None:
    person = sqlite_pair.person()
    sqlite_pair.send(person.phone, f"DC {person.personal_id}", code=ONE)
    sqlite_pair.handle()
    stop(sqlite_pair, ONE)
    sqlite_pair.clock.advance(LATE)

    assert moved(sqlite_pair) == [ONE]


def test_what_waits_for_the_journal_is_not_moved(postgres_gateway: Gateway) -> None:
    gateway = shared(postgres_gateway)
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}", code=ONE)
    assert gateway.handler.run_once() == 1
    gateway.clock.advance(LATE)

    assert moved(gateway) == [ONE]
    gateway.seal()
    assert moved(gateway) == [TWO]


def test_g5_what_may_have_gone_out_is_not_moved(sqlite_pair: Gateway) -> None:
    ask_help(sqlite_pair, 1)
    (claimed,) = sqlite_pair.claim()
    came_to(sqlite_pair, claimed, UNKNOWN)
    sqlite_pair.clock.advance(2 * LATE)

    assert moved(sqlite_pair) == [ONE]


class HalfDown(FakeOperator):
    """An operator of whose two sites one cannot be reached."""

    async def send(self, link: Link, outgoing: Outgoing, now: datetime) -> Outcome:
        """Take a reply by the second link alone."""
        if link.code == ONE:
            return Refused("no-connection", retryable=True)
        return await FakeOperator.send(self, link, outgoing, now)


def test_every_reply_leaves_though_one_of_two_links_is_down(pair: Gateway) -> None:
    operator = HalfDown()
    pair.delivery = replace(pair.delivery, senders=dict.fromkeys(LinkKind, operator))
    ask_help(pair, 6)

    with sending(pair):
        wait_for(pair, {ReplyState.QUEUED: 3, ReplyState.ACCEPTED: 3})
        pair.clock.advance(2 * SECOND)
        wait_for(pair, {ReplyState.ACCEPTED: 6})

    one, two = pair.link(ONE).id, pair.link(TWO).id
    assert len({reply.id for _, reply in operator.received}) == len(operator.received) == 6
    assert {row.link_id for row in pair.rows(USAGE) if row.direction == "mt"} == {two}
    since = pair.clock.now() - timedelta(minutes=2)
    counted = pair.database.read(lambda s: attempts.since(s, [one, two], since))
    assert counted == {one: Count(3, 3), two: Count(6, 0)}


def test_what_every_worker_adds_to_is_held_for_the_commit_alone(sqlite_pair: Gateway) -> None:
    """Else a worker that holds it waits for a reply of another's, which waits for it."""
    ask_help(sqlite_pair, 3)
    said: dict[int, list[str]] = defaultdict(list)

    def listen(connection: sa.Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(said[id(driver)].append)

    sa.event.listen(sa.Engine, "begin", listen)
    try:
        with sending(sqlite_pair, at_once=1):
            wait_for(sqlite_pair, {ReplyState.ACCEPTED: 3})
    finally:
        sa.event.remove(sa.Engine, "begin", listen)

    after = [
        following
        for statements in said.values()
        for one, following in pairwise(statements)
        if one.startswith("INSERT INTO link_attempt")
    ]
    assert after == ["COMMIT"] * 3
