"""Which link a reply leaves by, where its operator has several."""

from dataclasses import replace
from functools import partial

import pytest

from billing.guard_counts import GUARD_COUNT
from sms import outbox, receipts
from sms.deliveries import Delivery, News
from sms.dispatch import Claimed, NotStarted
from sms.links.model import (
    LinkKind,
    Outcome,
)
from sms.receipts import Receipt, Taken
from sms.routes import Routes
from tests.sms.gateway import REAL, TEST, Gateway, stranger
from tests.sms.two_links import (
    FAR,
    LATER,
    ONE,
    SECOND,
    TWO,
    UNKNOWN,
    add,
    ask_help,
    came_to,
    refresh,
    stop,
    take_out,
    ways,
)


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
