"""DC, KHOA and MO: who gets a PIN, and the one NOMATCH of all who do not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from records.locks import OPEN, Gate
from records.numbers import Standing
from records.pins import ChallengeState, Closing
from records.register import Status
from sms import replies, wording
from sms.commands import AskRecord, Command, Language, Lock
from sms.decision import Decision, Facts, Message
from sms.inbound import State
from sms.replies import NoMatchReply, PinReply, ReplyClass
from tests.fakes import NOON
from tests.sms.deciding import (
    CITIZEN,
    DC,
    EN,
    KHOA,
    LINK,
    MO,
    NK,
    PERSON,
    PIN,
    POLICY,
    SENDER,
    SOMEBODY,
    asked,
    challenge,
    days_ago,
    decide,
    facts,
    message,
    record,
)

TICK = timedelta(microseconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OWNER_LOCKED = Gate(owner_locked=True)
FAILED = Gate(failures=10, locked_until=NOON + DAY)
FAILED_FOR_GOOD = Gate(failures=30)

# Every reason there is for telling nothing.
NOTHING: dict[str, tuple[Message, Facts]] = {
    "unknown-id": (message(DC), facts(record=None)),
    "other-number": (message(DC, sender=SOMEBODY), facts()),
    "no-number": (message(DC), facts(record=record(phone=None))),
    "status-deceased": (message(DC), facts(record=record(status=Status.DECEASED))),
    "status-missing": (message(DC), facts(record=record(status=Status.MISSING))),
    "number-shared": (message(DC), facts(sharing=4)),
    "number-not-verified": (message(DC), facts(record=record(phone_verified_on=None))),
    "number-too-new": (message(DC), facts(record=record(phone_verified_on=days_ago(2)))),
    "number-verified-long-ago": (
        message(DC),
        facts(record=record(phone_verified_on=days_ago(732))),
    ),
    "sim-changed": (message(DC), facts(number=Standing(sim_changed_at=NOON))),
    "number-ported": (message(DC), facts(number=Standing(ported_at=NOON))),
    "number-left": (message(DC), facts(number=Standing(left_at=NOON))),
    "number-barred": (message(DC), facts(number=Standing(barred_at=NOON))),
    "made-up-person": (message(DC), facts(record=record(is_test=True))),
    "owner-locked": (message(DC), facts(gate=OWNER_LOCKED)),
    "failure-lock": (message(DC), facts(gate=FAILED)),
    "failure-lock-for-good": (message(DC), facts(gate=FAILED_FOR_GOOD)),
    "citizen-spacing": (message(DC), facts(gate=Gate(pins=(NOON - MINUTE + TICK,)))),
    "citizen-hour": (
        message(DC),
        facts(gate=Gate(pins=tuple(NOON - MINUTE * each for each in (50, 30, 10)))),
    ),
    "citizen-day": (
        message(DC),
        facts(gate=Gate(pins=tuple(NOON - HOUR * each for each in (10, 8, 6, 4, 2)))),
    ),
    "citizen-results": (
        message(DC),
        facts(gate=Gate(results=tuple(NOON - HOUR * each for each in (10, 8, 6, 4, 2)))),
    ),
    "other-number-owner": (message(KHOA, sender=SOMEBODY), facts()),
    "other-number-owner of a log": (message(NK, sender=SOMEBODY), facts()),
    "owner-locked of a log": (message(NK), facts(gate=OWNER_LOCKED)),
    "failure-lock of a log": (message(NK), facts(gate=FAILED)),
    "citizen-results of a log": (
        message(NK),
        facts(gate=Gate(results=tuple(NOON - HOUR * each for each in (10, 8, 6, 4, 2)))),
    ),
}


def in_words(decision: Decision) -> str:
    assert decision.reply is not None
    return wording.render(replies.with_code(decision.reply, "7F3K92"))


@pytest.mark.parametrize("reason", NOTHING)
def test_nothing_is_told_in_the_same_bytes_whatever_the_reason(reason: str) -> None:
    decision = decide(*NOTHING[reason])

    assert decision.reason == reason.removesuffix(" of a log")
    assert decision.state is State.REFUSED
    assert decision.reply == NoMatchReply(language=Language.VI, code="")
    assert in_words(decision) == in_words(decide(*NOTHING["unknown-id"]))


@pytest.mark.parametrize("reason", NOTHING)
def test_telling_nothing_is_the_same_work_whatever_the_reason(reason: str) -> None:
    told, known = NOTHING[reason]

    decision = decide(told, known)

    assert decision.exchange is not None
    assert decision.exchange.outcome == "NOMATCH"
    assert decision.exchange.reason == reason.removesuffix(" of a log")
    assert decision.exchange.fields == ()
    assert decision.opened is not None
    void, state = decision.opened
    assert state is ChallengeState.VOID
    assert known.fresh is not None
    assert (void.id, void.pin_hash) == (known.fresh.challenge_id, known.fresh.pin_hash)
    assert decision.history == decide(DC, facts()).history
    assert decision.gate is None
    assert decision.is_test is False


def test_a_request_for_ones_own_record_gets_a_pin() -> None:
    known = facts()

    decision = decide(DC, known)

    assert (decision.state, decision.reason) == (State.ANSWERED, "pin")
    assert decision.reply == PinReply(language=Language.VI, code="", pin=PIN, life_seconds=300)
    assert decision.exchange is not None
    assert (decision.exchange.outcome, decision.exchange.purpose) == ("PIN", "DC")
    assert decision.exchange.subject == PERSON.personal_id
    assert decision.gate == replace(OPEN, pins=(NOON,))
    assert decision.closing is None
    assert decision.opened is not None
    opened, state = decision.opened
    assert state is ChallengeState.OPEN
    assert (opened.sender_id, opened.citizen_id, opened.link_id) == (SENDER, CITIZEN, LINK)
    assert (opened.tries_left, opened.expires_at) == (3, NOON + 5 * MINUTE)
    assert (decision.history.replies, len(decision.history.asks)) == (1, 1)


@pytest.mark.parametrize(
    ("command", "purpose"), [(DC, "DC"), (NK, "NK"), (KHOA, "KHOA"), (MO, "MO")]
)
def test_a_pin_is_for_what_was_asked(command: Command, purpose: str) -> None:
    decision = decide(command, facts())

    assert isinstance(decision.reply, PinReply)
    assert decision.opened is not None
    assert decision.opened[0].purpose == purpose


def test_a_request_in_english_is_answered_in_english() -> None:
    asks = AskRecord(DC.personal_id, DC.group, EN)

    assert decide(asks, facts()).reply == PinReply(language=EN, code="", pin=PIN, life_seconds=300)
    assert decide(asks, facts(record=None)).reply == NoMatchReply(language=EN, code="")


@pytest.mark.parametrize(("sharing", "kind"), [(3, ReplyClass.PIN), (4, ReplyClass.NOMATCH)])
def test_three_people_may_share_a_number(sharing: int, kind: ReplyClass) -> None:
    assert reply_class(decide(DC, facts(sharing=sharing))) is kind


@pytest.mark.parametrize(
    ("days", "kind"), [(-1, ReplyClass.NOMATCH), (2, ReplyClass.NOMATCH), (3, ReplyClass.PIN)]
)
def test_a_number_settles_for_three_days(days: int, kind: ReplyClass) -> None:
    known = facts(record=record(phone_verified_on=days_ago(days)))

    assert reply_class(decide(DC, known)) is kind


def test_made_up_people_are_told_over_links_for_tests_alone() -> None:
    known = facts(record=record(is_test=True))

    told = decide(message(DC, is_test_link=True), known)

    assert isinstance(told.reply, PinReply)
    assert told.is_test is True
    assert decide(message(DC, is_test_link=True), facts()).is_test is False


@pytest.mark.parametrize("command", [KHOA, MO])
def test_the_owners_lock_lets_the_owner_through(command: Command) -> None:
    assert isinstance(decide(command, facts(gate=OWNER_LOCKED)).reply, PinReply)


@pytest.mark.parametrize("command", [KHOA, MO])
@pytest.mark.parametrize("gate", [FAILED, FAILED_FOR_GOOD])
def test_a_failure_lock_lets_nobody_through(command: Command, gate: Gate) -> None:
    assert isinstance(decide(command, facts(gate=gate)).reply, NoMatchReply)


@pytest.mark.parametrize("command", [KHOA, MO])
def test_somebody_elses_record_is_not_theirs_to_lock(command: Command) -> None:
    decision = decide(message(command, sender=SOMEBODY), facts())

    assert isinstance(decision.reply, NoMatchReply)
    assert decision.reason == "other-number-owner"


@pytest.mark.parametrize("known", [facts(challenge=challenge()), facts(challenge=challenge("MO"))])
@pytest.mark.parametrize("asks", [DC, KHOA])
def test_a_new_request_voids_the_open_one(known: Facts, asks: Command) -> None:
    closing = Closing(challenge().id, ChallengeState.REPLACED, 3)

    assert decide(asks, known).closing == closing
    assert decide(asks, replace(known, record=None)).closing == closing


@pytest.mark.parametrize("asks", [DC, KHOA, MO, Lock(DC.personal_id, EN)])
@pytest.mark.parametrize("known", [facts(), facts(record=None), facts(gate=FAILED)])
def test_not_again_so_soon_whatever_was_asked(asks: Command, known: Facts) -> None:
    soon = replace(known, history=asked(MINUTE - TICK), challenge=challenge(), fresh=None)

    decision = decide(asks, soon)

    assert (decision.state, decision.reason) == (State.REFUSED, "too-soon")
    assert reply_class(decision) is ReplyClass.QUOTA
    assert (decision.exchange, decision.opened, decision.gate) == (None, None, None)
    assert decision.closing is None, "the open challenge lives on"
    assert len(decision.history.asks) == 1, "what is refused is not counted as asked"


def test_over_the_days_limit_one_quota_and_then_silence() -> None:
    spent = facts(history=asked(*(HOUR * (2 + each) for each in range(10))), fresh=None)

    first = decide(DC, spent)
    second = decide(DC, replace(spent, history=first.history))

    assert (reply_class(first), first.reason) == (ReplyClass.QUOTA, "quota")
    assert (second.reply, second.reason) == (None, "quota-silent")
    assert second.state is State.REFUSED
    assert second.history.replies == first.history.replies == 1


def test_quotas_are_judged_before_the_register_is_asked() -> None:
    soon = facts(history=asked(TICK), register_is_up=False, fresh=None)

    assert reply_class(decide(DC, soon)) is ReplyClass.QUOTA


def test_a_register_that_is_down_is_no_nomatch() -> None:
    decision = decide(DC, facts(register_is_up=False, record=None))

    assert (decision.state, decision.reason) == (State.SUSPENDED, "register-down")
    assert reply_class(decision) is ReplyClass.DOWN
    assert (decision.exchange, decision.opened) == (None, None)
    assert decision.history.asks == (), "the citizen may ask again at once"


def test_a_short_life_is_told_in_seconds() -> None:
    policy = replace(POLICY, pin=replace(POLICY.pin, life=timedelta(seconds=90)))

    decision = decide(DC, facts(), policy)

    assert "90 giay" in in_words(decision)
    assert decision.opened is not None
    assert decision.opened[0].expires_at == NOON + timedelta(seconds=90)


def reply_class(decision: Decision) -> ReplyClass | None:
    return decision.reply.reply_class if decision.reply else None
