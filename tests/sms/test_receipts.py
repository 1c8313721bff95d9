"""Receipts: what they move, what they end, and all that they never do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
import sqlalchemy as sa

from billing.tables import USAGE
from core.ids import uuid7
from journal.tables import JOURNAL_ENTRY
from records.pins import CHALLENGE
from sms import outbox, receipts, reports
from sms.deliveries import Delivery, News
from sms.dispatch import Claimed, ReplyState, Result
from sms.links.model import Accepted, Outcome, Refused, Unknown
from sms.message_ids import IdBase, key_of
from sms.outbox import LEASE
from sms.receipts import Receipt, Taken
from sms.tables import EARLY_RECEIPT, INBOUND, OUTBOUND
from tests.sms.gateway import OTHER, REAL, TEST, Gateway, stranger

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
KEY = key_of("4D2", IdBase.HEXADECIMAL)
SAME_KEY = key_of("0000001234", IdBase.DECIMAL)


def with_help(gateway: Gateway) -> Gateway:
    """Have one reply, a HELP, in the outbox."""
    gateway.send(stranger(), "HD")
    gateway.handle()
    return gateway


@pytest.fixture
def waiting(sqlite_gateway: Gateway) -> Gateway:
    """A gateway with one reply in its outbox."""
    return with_help(sqlite_gateway)


@pytest.fixture
def either(gateway: Gateway) -> Gateway:
    """The same on each kind of database."""
    return with_help(gateway)


@pytest.fixture
def handed_over(waiting: Gateway) -> Gateway:
    """A gateway whose one reply its operator has accepted."""
    waiting.outbox()
    return waiting


def only(gateway: Gateway) -> sa.Row[tuple[object, ...]]:
    (row,) = gateway.replies()
    return row


def news(gateway: Gateway, state: Delivery, **more: object) -> News:
    return News(state, gateway.clock.now(), **more)  # type: ignore[arg-type]  # parts of news, by name


def take(gateway: Gateway, *told: Receipt, code: str = TEST) -> list[Taken]:
    link, now = gateway.link(code), gateway.clock.now()
    return gateway.database.write(lambda s: receipts.take(s, link, told, now))


def settle(gateway: Gateway) -> int:
    links, now = {link.id: link for link in gateway.links.all()}, gateway.clock.now()
    return gateway.database.write(lambda s: receipts.settle(s, links, now))


def about(gateway: Gateway, state: Delivery, **more: object) -> Receipt:
    reply_id = only(gateway).id
    assert isinstance(reply_id, UUID)
    return Receipt(news=news(gateway, state, **more), reply_id=reply_id)


def claim(gateway: Gateway) -> Claimed:
    (claimed,) = gateway.claim()
    return claimed


def record(gateway: Gateway, claimed: Claimed, outcome: Outcome) -> None:
    now = gateway.clock.now()
    gateway.database.write(lambda s: outbox.record(s, [Result(claimed, outcome)], now))


def usage(gateway: Gateway) -> list[sa.Row[tuple[object, ...]]]:
    return [row for row in gateway.rows(USAGE) if row.direction == "mt"]


def test_a_receipt_moves_a_reply_forward_once(either: Gateway) -> None:
    either.outbox()
    receipt = about(either, Delivery.DELIVERED)

    assert [take(either, receipt), take(either, receipt)] == [
        [Taken.MOVED],
        [Taken.REPEATED],
    ]
    row = only(either)
    assert (row.delivery, row.delivery_at) == ("delivered", either.clock.now())
    assert (row.state, len(usage(either))) == (ReplyState.ACCEPTED, 1)


@pytest.mark.parametrize(
    "order", tuple(permutations((Delivery.QUEUED, Delivery.SENT, Delivery.DELIVERED)))
)
def test_receipts_out_of_order_end_alike(
    sqlite_gateway: Gateway, order: tuple[Delivery, ...]
) -> None:
    sqlite_gateway.ask(stranger(), "HD")

    for state in order:
        take(sqlite_gateway, about(sqlite_gateway, state))

    assert only(sqlite_gateway).delivery == Delivery.DELIVERED


def test_receipts_of_one_lot_count_alike(handed_over: Gateway) -> None:
    told = [about(handed_over, state) for state in (Delivery.DELIVERED, Delivery.SENT)]

    assert take(handed_over, *told) == [Taken.MOVED, Taken.MOVED]
    assert only(handed_over).delivery == Delivery.DELIVERED


def test_a_receipt_that_is_days_late_still_counts(handed_over: Gateway) -> None:
    handed_over.clock.advance(5 * DAY)

    assert take(handed_over, about(handed_over, Delivery.UNDELIVERED, error="30003")) == [
        Taken.MOVED
    ]
    row = only(handed_over)
    assert (row.delivery, row.delivery_error) == ("undelivered", "30003")


def test_an_error_of_any_length_has_room(handed_over: Gateway) -> None:
    take(handed_over, about(handed_over, Delivery.FAILED, error="x" * 100))

    assert only(handed_over).delivery_error == "x" * 40


Doubt = Callable[[Gateway], None]


def under_way(gateway: Gateway) -> None:
    claim(gateway)


def unknown_once(gateway: Gateway) -> None:
    record(gateway, claim(gateway), Unknown("timeout"))


def unknown_twice(gateway: Gateway) -> None:
    unknown_once(gateway)
    gateway.clock.advance(LEASE)
    unknown_once(gateway)


def refused_for_now(gateway: Gateway) -> None:
    record(gateway, claim(gateway), Refused("status-503", retryable=True))


def expired(gateway: Gateway) -> None:
    gateway.clock.advance(timedelta(hours=1))
    now = gateway.clock.now()
    gateway.database.write(lambda s: outbox.expire(s, now))


def expired_in_doubt(gateway: Gateway) -> None:
    unknown_once(gateway)
    expired(gateway)


def expired_under_way(gateway: Gateway) -> None:
    under_way(gateway)
    expired(gateway)


def refused_and_expired(gateway: Gateway) -> None:
    refused_for_now(gateway)
    expired(gateway)


def refused_after_doubt(gateway: Gateway) -> None:
    unknown_once(gateway)
    gateway.clock.advance(LEASE)
    refused_for_now(gateway)


@pytest.mark.parametrize(
    "doubt",
    [
        under_way,
        unknown_once,
        unknown_twice,
        expired_in_doubt,
        expired_under_way,
        refused_after_doubt,
    ],
)
def test_g5_a_receipt_ends_doubt_and_nothing_is_sent_again(waiting: Gateway, doubt: Doubt) -> None:
    doubt(waiting)

    assert take(waiting, about(waiting, Delivery.SENT)) == [Taken.MOVED]

    row = only(waiting)
    assert (row.state, row.blob, row.reason) == (ReplyState.ACCEPTED, None, None)
    assert [(each.message_id, each.status) for each in usage(waiting)] == [(row.id, "accepted")]
    waiting.clock.advance(LEASE * 3)
    assert waiting.claim() == []


@pytest.mark.parametrize("certain", [refused_for_now, refused_and_expired])
def test_t14_what_was_certainly_not_taken_is_never_charged(
    waiting: Gateway, certain: Doubt
) -> None:
    certain(waiting)
    before = only(waiting)

    for state in Delivery:
        take(waiting, about(waiting, state))

    assert (only(waiting).state, only(waiting).blob) == (before.state, before.blob)
    assert usage(waiting) == []


def test_t14_a_receipt_ends_no_doubt_a_week_after_the_replys_life(waiting: Gateway) -> None:
    expired_in_doubt(waiting)
    told = about(waiting, Delivery.SENT)
    waiting.clock.advance(only(waiting).expires_at + 7 * DAY + SECOND - waiting.clock.now())

    assert take(waiting, told) == [Taken.MOVED]
    assert (only(waiting).state, usage(waiting)) == (ReplyState.EXPIRED, [])


def test_what_was_never_sent_is_not_accepted_by_that(waiting: Gateway) -> None:
    unknown_once(waiting)

    assert take(waiting, about(waiting, Delivery.FAILED)) == [Taken.MOVED]
    assert (only(waiting).state, usage(waiting)) == (ReplyState.QUEUED, [])
    assert take(waiting, about(waiting, Delivery.DELIVERED)) == [Taken.MOVED]
    assert (only(waiting).state, len(usage(waiting))) == (ReplyState.ACCEPTED, 1)


def test_g10_the_answer_to_the_submission_may_come_after_the_receipt(either: Gateway) -> None:
    claimed = claim(either)
    take(either, about(either, Delivery.DELIVERED))

    record(either, claimed, Accepted("theirs-1", KEY))

    row = only(either)
    assert (row.state, row.provider_id, row.provider_key) == ("accepted", "theirs-1", KEY)
    assert row.delivery == Delivery.DELIVERED


@pytest.mark.parametrize("late", [Unknown("timeout"), Refused("status-503", retryable=True)])
def test_a_late_outcome_does_not_undo_what_a_receipt_ended(waiting: Gateway, late: Outcome) -> None:
    claimed = claim(waiting)
    take(waiting, about(waiting, Delivery.SENT))

    record(waiting, claimed, late)

    assert only(waiting).state == ReplyState.ACCEPTED
    waiting.clock.advance(LEASE * 3)
    assert waiting.claim() == []


def test_what_never_left_is_as_unknown_as_nobodys(waiting: Gateway) -> None:
    nobodys = Receipt(news=news(waiting, Delivery.DELIVERED), reply_id=uuid7())

    assert take(waiting, about(waiting, Delivery.DELIVERED), nobodys) == [Taken.UNKNOWN] * 2
    assert (only(waiting).state, only(waiting).delivery) == (ReplyState.QUEUED, None)
    assert len(waiting.outbox()) == 1, "it is sent as if nobody had said anything"


def test_what_was_refused_for_good_stays_so(waiting: Gateway) -> None:
    record(waiting, claim(waiting), Refused("status-400", retryable=False))

    take(waiting, about(waiting, Delivery.DELIVERED))

    row = only(waiting)
    assert (row.state, row.delivery, usage(waiting)) == (ReplyState.REFUSED, "delivered", [])


def test_t14_a_receipt_about_another_links_reply_changes_nothing(handed_over: Gateway) -> None:
    before = only(handed_over)
    receipt = about(handed_over, Delivery.FAILED)

    assert take(handed_over, receipt, code=REAL) == [Taken.FOREIGN]
    assert only(handed_over) == before


def test_t14_another_link_cannot_end_doubt(either: Gateway) -> None:
    unknown_once(either)

    take(either, about(either, Delivery.DELIVERED), code=OTHER)

    either.clock.advance(LEASE)
    assert len(either.claim()) == 1


def test_t14_a_receipt_triggers_nothing(handed_over: Gateway) -> None:
    """No send, no PIN, no disclosure, no entry, no change of the conversation."""
    person = handed_over.person()
    handed_over.pin(person)
    tables = (INBOUND, JOURNAL_ENTRY, CHALLENGE)
    before = {table.name: handed_over.rows(table) for table in tables}
    left = {row.id: row.state for row in handed_over.replies()}

    for state in Delivery:
        for reply_id in (*left, uuid7()):
            take(handed_over, Receipt(news=news(handed_over, state), reply_id=reply_id))
    handled, sent = handed_over.handle(), handed_over.outbox()

    assert {table.name: handed_over.rows(table) for table in tables} == before
    assert ({row.id: row.state for row in handed_over.replies()}, handled, sent) == (left, 0, [])


def test_by_the_operators_id_in_whatever_base(waiting: Gateway) -> None:
    record(waiting, claim(waiting), Accepted("4D2", KEY))

    told = Receipt(news=news(waiting, Delivery.DELIVERED), key=SAME_KEY)

    assert take(waiting, told) == [Taken.MOVED]
    assert only(waiting).delivery == Delivery.DELIVERED


def test_by_the_operators_id_before_its_acceptance(either: Gateway) -> None:
    claimed = claim(either)
    told = Receipt(news=news(either, Delivery.UNDELIVERED, error="99"), key=SAME_KEY)

    assert take(either, told, told) == [Taken.EARLY, Taken.EARLY]
    assert (settle(either), only(either).delivery) == (0, None)
    record(either, claimed, Accepted("4D2", KEY))

    assert settle(either) == 1
    row = only(either)
    assert (row.delivery, row.delivery_error) == ("undelivered", "99")
    assert (settle(either), either.rows(EARLY_RECEIPT)) == (0, [])


def test_early_receipts_of_several_states_are_all_settled(waiting: Gateway) -> None:
    claimed = claim(waiting)
    for state in (Delivery.DELIVERED, Delivery.SENT):
        take(waiting, Receipt(news=news(waiting, state), key=KEY))
    record(waiting, claimed, Accepted("4D2", KEY))

    assert settle(waiting) == 2
    assert only(waiting).delivery == Delivery.DELIVERED


def test_an_id_that_nobody_gets_is_forgotten_after_a_day(sqlite_gateway: Gateway) -> None:
    take(sqlite_gateway, Receipt(news=news(sqlite_gateway, Delivery.SENT), key=KEY))
    sqlite_gateway.clock.advance(DAY)
    settle(sqlite_gateway)
    assert len(sqlite_gateway.rows(EARLY_RECEIPT)) == 1

    sqlite_gateway.clock.advance(SECOND)
    settle(sqlite_gateway)

    assert sqlite_gateway.rows(EARLY_RECEIPT) == []


def test_the_same_id_of_another_link_is_another_message(waiting: Gateway) -> None:
    record(waiting, claim(waiting), Accepted("4D2", KEY))

    told = Receipt(news=news(waiting, Delivery.DELIVERED), key=KEY)

    assert take(waiting, told, code=OTHER) == [Taken.EARLY]
    assert (settle(waiting), only(waiting).delivery) == (0, None)


def test_an_id_that_comes_again_means_the_newest_reply(sqlite_gateway: Gateway) -> None:
    for number in range(2):
        sqlite_gateway.send(stranger(number), "HD")
        sqlite_gateway.handle()
        record(sqlite_gateway, claim(sqlite_gateway), Accepted("4D2", KEY))

    take(sqlite_gateway, Receipt(news=news(sqlite_gateway, Delivery.DELIVERED), key=KEY))

    first, second = sorted(sqlite_gateway.replies(), key=lambda row: row.id)
    assert (first.delivery, second.delivery) == (None, Delivery.DELIVERED)


def test_an_early_receipt_means_the_newest_reply_too(sqlite_gateway: Gateway) -> None:
    claims = []
    for number in range(2):
        sqlite_gateway.send(stranger(number), "HD")
        sqlite_gateway.handle()
        claims.append(claim(sqlite_gateway))
    take(sqlite_gateway, Receipt(news=news(sqlite_gateway, Delivery.DELIVERED), key=KEY))
    for claimed in claims:
        record(sqlite_gateway, claimed, Accepted("4D2", KEY))

    assert settle(sqlite_gateway) == 1

    first, second = sorted(sqlite_gateway.replies(), key=lambda row: row.id)
    assert (first.delivery, second.delivery) == (None, Delivery.DELIVERED)


def test_a_text_in_parts_arrives_when_each_part_has(handed_over: Gateway) -> None:
    handed_over.database.write(lambda s: s.execute(sa.update(OUTBOUND).values(segments=2)))

    take(handed_over, about(handed_over, Delivery.DELIVERED, part=2))
    halfway = only(handed_over).delivery
    take(handed_over, about(handed_over, Delivery.DELIVERED, part=1))

    assert (halfway, only(handed_over).delivery) == (Delivery.SENT, Delivery.DELIVERED)


def test_the_operators_report_says_how_far_it_came(handed_over: Gateway) -> None:
    take(handed_over, about(handed_over, Delivery.EXPIRED))
    message = handed_over.message()

    found = handed_over.database.read(
        lambda s: reports.report(
            s, handed_over.journal, handed_over.link().id, str(message.operator_message_id)
        )
    )

    assert found is not None
    assert (found.reply_state, found.delivery) == ("accepted", "expired")


def test_made_up_traffic_stays_marked_in_the_call_records(waiting: Gateway) -> None:
    unknown_once(waiting)

    take(waiting, replace(about(waiting, Delivery.SENT), provider_id="SM1"))

    (row,) = usage(waiting)
    assert (row.is_test, row.operator_message_id) == (True, "SM1")
