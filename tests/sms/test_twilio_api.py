"""Twilio's API as the service uses it: what is asked for, and what its answers lead to."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from core import metrics
from sms import inbound
from sms.links import registry
from sms.links.model import (
    Accepted,
    Envelope,
    Link,
    LinkKind,
    LinkState,
    Outgoing,
    Refused,
    Unknown,
)
from sms.links.twilio import NotPolledError, TwilioSender
from sms.links.twilio_codes import MEANINGS, Then, judge, note
from sms.polling import EVERY, Polling
from sms.tables import INBOUND, LINK_POLL
from tests.e2e.fake_twilio import FakeTwilio
from tests.fakes import NOON
from tests.sms.gateway import Gateway

PHONE, OTHER_PHONE = "+84912345678", "+84912345679"
PUBLIC = "https://gateway.example"
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    made = FakeTwilio()
    yield made
    made.close()


@pytest.fixture
def sender() -> Iterator[TwilioSender]:
    made = TwilioSender(connections=2, public_url=PUBLIC)
    yield made
    made.close()


def link_to(twilio: FakeTwilio) -> Link:
    return Link(
        id=1, code="abroad", operator="abroad", kind=LinkKind.TWILIO, state=LinkState.ACTIVE,
        is_test=False, url=twilio.api_url, account_sid=twilio.account_sid,
        from_number=twilio.number, prefixes="", rate=100, assessed_by=None, assessed_until=None,
        secrets=(twilio.token,), path_secret="0" * 32,
    )  # fmt: skip


def reply(twilio: FakeTwilio, text: str = "CSDLDC: Ma GD 7F3K92") -> Outgoing:
    return Outgoing(
        id="01998f6e-5c3a-7d10-9a51-2f4be1c07a33", to=PHONE, sender=twilio.number, text=text,
        encoding="gsm7", segments=1, expires_at=NOON + 10 * MINUTE, in_reply_to="SM1",
        created_at=NOON,
    )  # fmt: skip


def test_receipts_are_asked_for_at_the_secret_path_with_our_id(
    twilio: FakeTwilio, sender: TwilioSender
) -> None:
    outcome = sender.send(link_to(twilio), reply(twilio), NOON)

    (posted,) = twilio.posted
    assert posted.value("StatusCallback") == (
        f"{PUBLIC}/sms/abroad/status/{'0' * 32}?id={reply(twilio).id}"
    )
    assert outcome == Accepted(str(twilio.messages[0]["sid"]))


def test_a_reply_that_was_sent_is_found(twilio: FakeTwilio, sender: TwilioSender) -> None:
    for text in ("before", reply(twilio).text, "after", "later", "last"):
        twilio.add(twilio.number, PHONE, text, direction="outbound-api", at=NOON)
    sid = str(twilio.messages[3]["sid"])

    assert sender.look(link_to(twilio), reply(twilio)) == Accepted(sid)
    assert len(twilio.listed) > 1, "it was on the second page"


def test_a_reply_that_was_not_sent_is_not_found(twilio: FakeTwilio, sender: TwilioSender) -> None:
    text = reply(twilio).text
    twilio.add(twilio.number, OTHER_PHONE, text, direction="outbound-api", at=NOON)
    twilio.add(twilio.number, PHONE, text, direction="outbound-api", at=NOON - MINUTE)
    twilio.add(twilio.number, PHONE, "something else", direction="outbound-api", at=NOON)

    assert sender.look(link_to(twilio), reply(twilio)) is None


def test_who_cannot_look_does_not_send(twilio: FakeTwilio, sender: TwilioSender) -> None:
    twilio.is_listing = False
    failing = sender.look(link_to(twilio), reply(twilio))
    link = link_to(twilio)
    twilio.close()

    away = sender.look(link, reply(twilio))

    assert failing == away == Refused("not-looked", retryable=True)


def test_what_came_in_is_listed_as_its_webhook_would_have_brought_it(
    twilio: FakeTwilio, sender: TwilioSender
) -> None:
    sids = [
        twilio.add(PHONE, twilio.number, text, direction="inbound", at=NOON + place * SECOND)
        for place, text in enumerate(("HD", "", "PHI"))
    ]
    twilio.add(PHONE, twilio.number, "old", direction="inbound", at=NOON - SECOND)
    twilio.add(PHONE, "+18445550199", "HD", direction="inbound", at=NOON)
    twilio.add(PHONE, twilio.number, "x" * 1001, direction="inbound", at=NOON)

    found = sender.received(link_to(twilio), NOON)

    assert {(each.operator_message_id, each.text) for each in found} == set(
        zip(sids, ("HD", " ", "PHI"), strict=True)
    )
    assert {(each.sender, each.to) for each in found} == {(PHONE, twilio.number)}
    assert min(each.received_at for each in found) == NOON


def test_an_account_that_does_not_answer_is_said_to(
    twilio: FakeTwilio, sender: TwilioSender
) -> None:
    twilio.is_listing = False

    with pytest.raises(NotPolledError):
        sender.received(link_to(twilio), NOON)


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_every_code_leads_to_what_the_table_says(code: int) -> None:
    expected = {
        Then.STOP: Refused(f"twilio-{code}", retryable=False),
        Then.LATER: Refused(f"twilio-{code}", retryable=True),
        Then.ONCE: Unknown(f"twilio-{code}"),
    }

    assert judge(code) == expected[MEANINGS[code].then]


def test_a_code_that_is_not_listed_decides_nothing(twilio: FakeTwilio) -> None:
    alarms = metrics.ALARMS.labels("twilio-error")
    before = alarms._value.get()

    note(link_to(twilio), 99999)

    assert (judge(99999), alarms._value.get()) == (None, before)


@pytest.fixture
def polled(gateway: Gateway, twilio: FakeTwilio) -> Polling:
    """A gateway that polls a link of Twilio's."""
    new = registry.NewLink(
        code="abroad", kind=LinkKind.TWILIO, url=twilio.api_url, secret=twilio.token,
        account_sid=twilio.account_sid, from_number=twilio.number, assessed_by="tests",
    )  # fmt: skip
    gateway.database.write(lambda s: registry.add(s, gateway.keyring, new, gateway.clock.now()))
    gateway.clock.advance(2 * SECOND)
    return Polling(
        database=gateway.database, keyring=gateway.keyring, links=gateway.links,
        clock=gateway.clock, fetch=TwilioSender(connections=1, public_url="").received,
    )  # fmt: skip


def test_what_twilio_could_not_deliver_is_fetched_once(
    gateway: Gateway, polled: Polling, twilio: FakeTwilio
) -> None:
    missed = twilio.add(PHONE, twilio.number, "HD", direction="inbound", at=NOON - 2 * MINUTE)

    for _ in range(3):
        polled.poll()
        gateway.clock.advance(EVERY)

    (row,) = gateway.rows(INBOUND)
    assert (row.operator_message_id, row.received_at) == (missed, NOON - 2 * MINUTE)
    assert gateway.handle() == 1


@ONE_DATABASE
def test_what_the_webhook_brought_is_not_stored_again(
    gateway: Gateway, polled: Polling, twilio: FakeTwilio
) -> None:
    came = twilio.add(PHONE, twilio.number, "HD", direction="inbound", at=NOON - 2 * MINUTE)
    envelope = Envelope(came, PHONE, twilio.number, "HD", gateway.clock.now())
    arrival = inbound.prepare(
        gateway.keyring, gateway.link("abroad"), envelope, gateway.clock.now()
    )
    gateway.database.write(lambda s: inbound.store(s, [arrival]))

    polled.poll()

    assert len(gateway.rows(INBOUND)) == 1


@ONE_DATABASE
def test_what_may_be_on_its_way_to_the_webhook_waits_for_the_next_time(
    gateway: Gateway, polled: Polling, twilio: FakeTwilio
) -> None:
    twilio.add(PHONE, twilio.number, "HD", direction="inbound", at=gateway.clock.now())

    polled.poll()
    before = len(gateway.rows(INBOUND))
    gateway.clock.advance(EVERY)
    polled.poll()

    assert (before, len(gateway.rows(INBOUND))) == (0, 1)


def test_one_process_polls_and_looks_back_as_far_as_it_has_not_seen(
    gateway: Gateway, polled: Polling, twilio: FakeTwilio
) -> None:
    polled.poll()
    replace(polled).poll()  # another process
    assert len(twilio.listed) == 1

    gateway.clock.advance(EVERY)
    twilio.is_listing = False
    with pytest.raises(NotPolledError):
        polled.poll()
    gateway.clock.advance(EVERY)
    twilio.is_listing = True
    polled.poll()

    since = [asked["DateSent>"][0] for asked in twilio.listed]
    assert since[1] == since[2], "what could not be asked for is asked for again"
    assert since[0] < since[1]
    (row,) = gateway.rows(LINK_POLL)
    assert row.seen_until == gateway.clock.now()


@ONE_DATABASE
def test_a_late_message_is_as_late_as_twilio_says(
    gateway: Gateway, polled: Polling, twilio: FakeTwilio
) -> None:
    twilio.add(PHONE, twilio.number, "HD", direction="inbound", at=NOON - 20 * MINUTE)

    polled.poll()
    gateway.handle()

    (row,) = gateway.replies()
    assert row.reply == "LATE"
