"""How weight is shifted among the links of an operator, and what is stuck is moved."""

from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa

from billing.tables import USAGE
from core import databases, metrics
from sms import attempts
from sms.attempts import Count
from sms.balance import LATE, Balance
from sms.dispatch import ReplyState, Result
from sms.links.model import (
    Accepted,
    Link,
    LinkKind,
    Outcome,
    Outgoing,
    Refused,
)
from sms.routes import Routes
from sms.tables import LINK
from tests.sms.gateway import TEST, FakeOperator, Gateway
from tests.sms.test_outbound import sending, wait_for
from tests.sms.two_links import (
    LATER,
    ONE,
    SECOND,
    TWO,
    UNKNOWN,
    ask_help,
    came_to,
    shared,
    stop,
    take_out,
    ways,
)


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
