"""XN, HUY and everything that concerns no record; what is late, stopped or worn out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from records.locks import OPEN, CitizenLimits, Gate
from records.numbers import Standing
from records.pins import ChallengeState, Closing
from records.quotas import History
from records.register import Status
from records.stops import Scope, Stops
from sms.commands import (
    Cancel,
    Command,
    GivePin,
    Help,
    Hint,
    NotUnderstood,
)
from sms.decision import Decision, Facts, Trace
from sms.inbound import State
from sms.replies import (
    CancelledReply,
    ExpiredReply,
    FailedReply,
    LateReply,
    LockedReply,
    LogReply,
    NoMatchReply,
    NoOpenReply,
    PriceReply,
    ReplyClass,
    ResultReply,
    SyntaxReply,
    UnlockedReply,
    WrongReply,
)
from tests.fakes import NOON
from tests.sms.deciding import (
    CITIZEN,
    DC,
    ELSEWHERE,
    EN,
    EVERY_COMMAND,
    HD,
    HUY,
    KHOA,
    KT,
    MO,
    NK,
    ODD,
    PERSON,
    PHI,
    PIN,
    SAI,
    SEEN,
    SOMEBODY,
    TODAY,
    VI,
    XN,
    asked,
    challenge,
    complaint,
    days_ago,
    decide,
    facts,
    message,
    record,
)

EVERYTHING = Stops(frozenset({(Scope.SERVICE, "")}))

TICK = timedelta(microseconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SPENT = Closing(challenge().id, ChallengeState.SPENT, 3)
LIMITS = CitizenLimits()


def waiting(purpose: str = "DC", **changes: object) -> Facts:
    """Somebody was sent a PIN, and has just given it."""
    changes.setdefault("challenge", challenge(purpose))
    return facts(pin_matches=True, fresh=None, **changes)


def kind(decision: Decision) -> ReplyClass | None:
    return decision.reply.reply_class if decision.reply else None


def test_the_right_pin_opens_the_record() -> None:
    decision = decide(XN, waiting())

    assert (decision.state, decision.reason) == (State.ANSWERED, "right-pin")
    assert isinstance(decision.reply, ResultReply)
    assert decision.reply.fields.full_name == PERSON.full_name
    assert decision.reply.fields.id_last3 == PERSON.personal_id[-3:]
    assert decision.closing == SPENT
    assert decision.gate == replace(OPEN, results=(NOON,))
    assert decision.exchange is not None
    assert decision.exchange.outcome == "RESULT"
    assert {"full_name", "personal_id"} <= set(decision.exchange.fields)
    assert decision.exchange.subject_id == CITIZEN


def test_the_right_pin_opens_the_log() -> None:
    decision = decide(XN, waiting("NK"))

    assert (decision.state, decision.reason) == (State.ANSWERED, "right-pin")
    assert decision.reply == LogReply(language=VI, code="", accesses=SEEN, now=NOON)
    assert decision.closing == SPENT
    assert decision.gate == replace(OPEN, results=(NOON,)), "it counts as a record told"
    assert decision.exchange is not None
    assert (decision.exchange.outcome, decision.exchange.purpose) == ("LOG", "NK")
    assert decision.exchange.fields == ()


def test_a_log_that_was_not_read_is_not_told_as_an_empty_one() -> None:
    with pytest.raises(ValueError, match="not read"):
        decide(XN, waiting("NK", trace=Trace()))


@pytest.mark.parametrize(
    ("purpose", "reply", "locked"), [("KHOA", LockedReply, True), ("MO", UnlockedReply, False)]
)
def test_the_right_pin_locks_and_unlocks(purpose: str, reply: type, *, locked: bool) -> None:
    decision = decide(XN, waiting(purpose, gate=Gate(owner_locked=not locked, failures=2)))

    assert isinstance(decision.reply, reply)
    assert decision.gate == Gate(owner_locked=locked, failures=0)
    assert decision.closing == SPENT
    assert decision.exchange is not None
    assert decision.exchange.fields == ()


def test_unlocking_leaves_the_failures_lock() -> None:
    gate = Gate(owner_locked=True, failures=10, locked_until=NOON + TICK)

    decision = decide(XN, waiting("MO", gate=gate))

    assert isinstance(decision.reply, NoMatchReply)
    assert (decision.reason, decision.gate) == ("failure-lock", None)
    assert decision.closing == SPENT


@pytest.mark.parametrize(
    ("reason", "known"),
    [
        ("unknown-id", waiting(record=None)),
        ("other-number", waiting(record=record(phone=SOMEBODY))),
        ("no-number", waiting(record=record(phone=None))),
        ("status-deceased", waiting(record=record(status=Status.DECEASED))),
        ("number-shared", waiting(sharing=4)),
        ("number-too-new", waiting(record=record(phone_verified_on=days_ago(0)))),
        ("sim-changed", waiting(number=Standing(sim_changed_at=NOON))),
        ("number-left", waiting(number=Standing(left_at=NOON))),
        ("owner-locked", waiting(gate=Gate(owner_locked=True))),
        ("failure-lock-for-good", waiting(gate=Gate(failures=30))),
        ("citizen-results", waiting(gate=Gate(results=(NOON - HOUR,) * 5))),
    ],
)
@pytest.mark.parametrize("purpose", ["DC", "NK"])
def test_what_changed_since_the_pin_holds_the_record_back(
    purpose: str, reason: str, known: Facts
) -> None:
    if (purpose, reason) == ("NK", "other-number"):
        reason = "other-number-owner"

    decision = decide(XN, replace(known, challenge=challenge(purpose)))

    assert isinstance(decision.reply, NoMatchReply)
    assert (decision.state, decision.reason) == (State.REFUSED, reason)
    assert decision.closing == SPENT, "the PIN is used up all the same"
    assert decision.gate is None
    assert decision.exchange is not None
    assert decision.exchange.outcome == "NOMATCH"


@pytest.mark.parametrize(
    ("left", "reply", "state"),
    [
        (3, WrongReply(language=VI, code="", tries_left=2), ChallengeState.OPEN),
        (2, WrongReply(language=VI, code="", tries_left=1), ChallengeState.OPEN),
        (1, FailedReply(language=VI, code=""), ChallengeState.FAILED),
    ],
)
def test_a_wrong_pin_costs_a_try(
    left: int, reply: WrongReply | FailedReply, state: ChallengeState
) -> None:
    known = facts(challenge=challenge(tries_left=left), fresh=None)

    decision = decide(XN, known)

    assert decision.reply == reply
    assert decision.closing == Closing(challenge().id, state, left - 1)
    assert decision.gate == Gate(failures=1)
    assert decision.state is State.REFUSED
    assert decision.exchange is not None
    assert decision.exchange.reason == "wrong-pin"


@pytest.mark.parametrize(("before", "locked"), [(8, False), (9, True), (19, True), (20, False)])
def test_wrong_pins_lock_at_ten_and_twenty(before: int, *, locked: bool) -> None:
    decision = decide(XN, facts(challenge=challenge(), gate=Gate(failures=before), fresh=None))

    assert decision.gate is not None
    assert decision.gate.failures == before + 1
    assert (decision.gate.locked_until == NOON + LIMITS.lock) is locked


def test_the_thirtieth_wrong_pin_locks_for_good() -> None:
    decision = decide(XN, facts(challenge=challenge(), gate=Gate(failures=29), fresh=None))

    assert decision.gate is not None
    later = waiting(gate=decision.gate)
    assert decide(XN, later).reason == "failure-lock-for-good"


def test_a_wrong_pin_is_told_apart_before_anything_of_the_record_is() -> None:
    known = facts(challenge=challenge(), record=None, gate=Gate(failures=30), fresh=None)

    assert isinstance(decide(XN, known).reply, WrongReply)


@pytest.mark.parametrize("known", [waiting(), facts(challenge=challenge(), fresh=None)])
def test_a_pin_dies_at_its_last_moment(known: Facts) -> None:
    assert known.challenge is not None
    over = replace(known, challenge=replace(known.challenge, expires_at=NOON))

    decision = decide(XN, over)

    assert isinstance(decision.reply, ExpiredReply)
    assert decision.closing == Closing(challenge().id, ChallengeState.EXPIRED, 3)
    assert decision.gate is None, "a late PIN is no failure"


def test_a_pin_lives_to_its_last_moment() -> None:
    last = waiting(challenge=challenge(expires_at=NOON + TICK))

    assert isinstance(decide(XN, last).reply, ResultReply)


@pytest.mark.parametrize("known", [waiting(challenge=None), facts(challenge=None, fresh=None)])
def test_a_pin_without_a_request_opens_nothing(known: Facts) -> None:
    decision = decide(XN, known)

    assert isinstance(decision.reply, NoOpenReply)
    assert (decision.exchange, decision.closing, decision.gate) == (None, None, None)
    assert decision.history.mistakes == 1


def test_a_pin_over_another_link_opens_nothing_and_costs_no_try() -> None:
    decision = decide(message(XN, link_id=ELSEWHERE, peers={ELSEWHERE: "song-lam"}), waiting())

    assert isinstance(decision.reply, NoOpenReply)
    assert (decision.closing, decision.gate, decision.exchange) == (None, None, None)


def test_the_register_down_keeps_the_right_pin_good() -> None:
    decision = decide(XN, waiting(register_is_up=False, record=None))

    assert kind(decision) is ReplyClass.DOWN
    assert (decision.closing, decision.gate) == (None, None)


def test_a_pin_is_answered_in_the_language_of_its_request() -> None:
    english = challenge(language="en")

    assert decide(XN, waiting(challenge=english)).reply == replace(
        decide(XN, waiting()).reply or NoOpenReply(language=VI), language=EN
    )
    vietnamese = decide(GivePin(PIN, EN), waiting())
    assert vietnamese.reply is not None
    assert vietnamese.reply.language is EN


def test_huy_closes_what_is_open() -> None:
    decision = decide(HUY, facts(challenge=challenge()))

    assert decision.reply == CancelledReply(language=VI, code="")
    assert decision.closing == Closing(challenge().id, ChallengeState.CANCELLED, 3)
    assert decision.exchange is not None
    assert (decision.exchange.outcome, decision.exchange.purpose) == ("CANCELLED", "DC")
    assert decision.history.mistakes == 0


def test_huy_with_nothing_open_is_told_the_same() -> None:
    decision = decide(HUY, facts())

    assert decision.reply == decide(HUY, facts(challenge=challenge())).reply
    assert decision.closing is None
    assert decision.exchange is not None
    assert (decision.exchange.subject, decision.exchange.reason) == ("", "nothing-open")
    assert decision.history.mistakes == 1


def test_huy_always_closes_whatever_the_quota() -> None:
    spent = History(day=TODAY, replies=10, mistakes=5, told=True)

    assert decide(HUY, facts(challenge=challenge(), history=spent)).closing is not None
    assert decide(HUY, facts(history=spent)).reply is None


@pytest.mark.parametrize("price", [None, 0, 30000])
def test_phi_says_what_is_known(price: int | None) -> None:
    decision = decide(PHI, facts(price_hundredths=price))

    assert decision.reply == PriceReply(language=VI, price_hundredths=price)


@pytest.mark.parametrize("hint", list(Hint))
def test_what_is_not_understood_is_told_how(hint: Hint) -> None:
    decision = decide(NotUnderstood(hint, 11, EN), facts())

    assert decision.reply == SyntaxReply(language=EN, hint=hint, digits=11)
    assert decision.exchange is None


@pytest.mark.parametrize("command", [HD, PHI, ODD, XN])
def test_help_is_given_five_times_a_day_then_one_quota_then_silence(command: Command) -> None:
    known, told = facts(fresh=None), []

    for _ in range(8):
        decision = decide(command, known)
        told.append(kind(decision))
        known = replace(known, history=decision.history)

    assert told[0] is told[4] is not ReplyClass.QUOTA
    assert told[5:] == [ReplyClass.QUOTA, None, None]


def test_a_quota_told_for_help_is_not_told_again_for_a_request() -> None:
    spent = History(day=TODAY, replies=10, mistakes=5, told=True)

    assert decide(DC, facts(history=spent, fresh=None)).reply is None


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_a_foreign_number_is_told_nothing(command: Command) -> None:
    decision = decide(message(command, sender=None), waiting())

    assert (decision.state, decision.reply) == (State.REFUSED, None)
    assert decision.reason == "not-a-vietnamese-mobile"
    assert (decision.exchange, decision.closing, decision.opened) == (None, None, None)


@pytest.mark.parametrize("command", EVERY_COMMAND)
@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(minutes=15) + TICK, State.EXPIRED),
        (timedelta(hours=24), State.EXPIRED),
        (timedelta(hours=24) + TICK, State.EXPIRED),
        (timedelta(days=300), State.EXPIRED),
    ],
)
def test_what_comes_late_does_nothing(command: Command, age: timedelta, state: State) -> None:
    decision = decide(message(command, received_at=NOON - age), waiting())

    assert decision.state is state
    assert (decision.exchange, decision.closing, decision.opened) == (None, None, None)
    if age > timedelta(hours=24):
        assert decision.reply is None
    else:
        assert isinstance(decision.reply, LateReply)


@pytest.mark.parametrize("age", [timedelta(minutes=15), timedelta(), -timedelta(minutes=10)])
def test_what_comes_within_a_quarter_of_an_hour_is_in_time(age: timedelta) -> None:
    assert isinstance(decide(message(XN, received_at=NOON - age), waiting()).reply, ResultReply)


def test_lateness_is_told_as_often_as_help() -> None:
    late = message(DC, received_at=NOON - HOUR)
    spent = History(day=TODAY, mistakes=5)

    assert kind(decide(late, facts(history=spent))) is ReplyClass.QUOTA


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_a_message_that_wears_us_out_is_told_down_once(command: Command) -> None:
    decision = decide(message(command, is_worn_out=True), facts())

    assert (decision.state, kind(decision)) == (State.QUARANTINED, ReplyClass.DOWN)
    assert (decision.exchange, decision.closing, decision.opened) == (None, None, None)


def test_a_message_that_never_opened_is_put_aside_without_a_word() -> None:
    decision = decide(message(ODD, is_worn_out=True, sender=None), facts())

    assert (decision.state, decision.reply) == (State.QUARANTINED, None)


def stop(*pairs: tuple[Scope, str]) -> Stops:
    return Stops(frozenset(pairs))


@pytest.mark.parametrize("command", EVERY_COMMAND)
@pytest.mark.parametrize("stops", [EVERYTHING, stop((Scope.LINK, "hong-ha"))])
def test_a_service_or_link_that_is_stopped_is_down_for_everything(
    command: Command, stops: Stops
) -> None:
    decision = decide(command, waiting(stops=stops))

    assert (decision.state, decision.reason) == (State.SUSPENDED, "stopped")
    assert kind(decision) is ReplyClass.DOWN
    assert (decision.exchange, decision.closing, decision.opened) == (None, None, None)


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_a_stop_of_disclosure_lets_the_rest_go_on(command: Command) -> None:
    decision = decide(command, waiting(stops=stop((Scope.DISCLOSURE, ""))))

    if command in {DC, NK, KHOA, MO, XN}:
        assert (decision.state, decision.reason) == (State.SUSPENDED, "disclosure-stopped")
        assert decision.closing is None, "the PIN stays good"
    else:
        assert decision.state is State.ANSWERED


@pytest.mark.parametrize(
    ("stopped", "command", "known", "is_down"),
    [
        ("DC", DC, facts(), True),
        ("DC", KHOA, facts(), False),
        ("DC", XN, waiting("DC"), True),
        ("DC", XN, waiting("KHOA"), False),
        ("NK", NK, facts(), True),
        ("NK", XN, waiting("NK"), True),
        ("DC", XN, waiting("NK"), False),
        ("KT", KT, facts(), True),
        ("SAI", SAI, facts(trace=complaint()), True),
        ("KHOA", XN, waiting("KHOA"), True),
        ("MO", MO, facts(), True),
        ("HD", HD, facts(), True),
        ("HD", HUY, facts(), False),
    ],
)
def test_a_command_that_is_stopped_takes_its_pins_along(
    stopped: str, command: Command, known: Facts, *, is_down: bool
) -> None:
    decision = decide(command, replace(known, stops=stop((Scope.COMMAND, stopped))))

    assert (kind(decision) is ReplyClass.DOWN) is is_down


def test_another_links_stop_concerns_nobody_here() -> None:
    known = waiting(stops=stop((Scope.LINK, "other")))

    assert isinstance(decide(XN, known).reply, ResultReply)


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_a_journal_that_lags_is_down_for_all_that_has_an_entry(command: Command) -> None:
    decision = decide(command, waiting(journal_is_up=False))

    assert decision.exchange is None
    if command in {DC, NK, KHOA, MO, XN, HUY, SAI}:
        assert (decision.state, decision.reason) == (State.SUSPENDED, "journal-down")
        assert kind(decision) is ReplyClass.DOWN
    else:
        assert decision.state is State.ANSWERED


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_an_unassessed_link_carries_help_and_down_alone(command: Command) -> None:
    decision = decide(message(command, is_assessed=False), waiting())

    assert kind(decision) is (ReplyClass.HELP if isinstance(command, Help) else ReplyClass.DOWN)
    assert decision.exchange is None
    late = message(command, is_assessed=False, received_at=NOON - HOUR)
    if not isinstance(command, Help):
        assert kind(decide(late, waiting())) is ReplyClass.DOWN


def test_down_is_told_ten_times_a_day_at_most() -> None:
    known = facts(stops=EVERYTHING, history=asked(replies=9))

    first = decide(DC, known)
    second = decide(DC, replace(known, history=first.history))
    third = decide(DC, replace(known, history=second.history))

    assert (kind(first), kind(second), kind(third)) == (ReplyClass.DOWN, ReplyClass.QUOTA, None)


def test_down_in_english_for_whoever_asked_in_english() -> None:
    decision = decide(Cancel(EN), facts(stops=EVERYTHING))

    assert decision.reply is not None
    assert decision.reply.language is EN
