"""What holds of every decision, whatever the message and whatever the facts."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from journal.accesses import Access, Accesses
from journal.openings import Act
from records.locks import Gate
from records.numbers import Standing
from records.pins import ChallengeState
from records.quotas import Ask, History
from records.register import Status
from records.stops import Scope, Stops
from sms import conversation, replies, segments, wording
from sms.commands import parse
from sms.decision import Decision, Facts, Message, Trace
from sms.inbound import State
from sms.replies import ReplyClass
from tests.fakes import NOON
from tests.sms.deciding import (
    CITIZEN,
    DC,
    ELSEWHERE,
    EVERY_COMMAND,
    FOUND,
    LINK,
    ME,
    POLICY,
    SOMEBODY,
    challenge,
    complaint,
    facts,
    message,
    record,
)

# Hypothesis wants its bounds naive.
FIRST, LAST = (datetime(2026, *day) for day in ((2, 27), (3, 4)))  # noqa: DTZ001 (as said)
TIMES = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
COMMANDS = st.sampled_from(EVERY_COMMAND) | st.text(max_size=40).map(parse)
MESSAGES = st.builds(
    message,
    COMMANDS,
    link_id=st.sampled_from([LINK, ELSEWHERE]),
    is_assessed=st.booleans(),
    is_test_link=st.booleans(),
    sender=st.sampled_from([ME, SOMEBODY, None]),
    received_at=TIMES,
    is_worn_out=st.sampled_from([False, False, False, True]),
)
GATES = st.builds(
    Gate,
    pins=st.lists(TIMES, max_size=6).map(tuple),
    results=st.lists(TIMES, max_size=6).map(tuple),
    failures=st.integers(0, 31),
    locked_until=st.none() | TIMES,
    owner_locked=st.booleans(),
)
HISTORIES = st.builds(
    History,
    day=st.dates(date(2026, 3, 1), date(2026, 3, 3)),
    asks=st.lists(st.builds(Ask, TIMES, st.integers(20, 26)), max_size=11).map(tuple),
    replies=st.integers(0, 12),
    mistakes=st.integers(0, 6),
    told=st.booleans(),
)
CHALLENGES = st.none() | st.builds(
    challenge,
    st.sampled_from(["DC", "NK", "KHOA", "MO"]),
    fields=st.sampled_from(["", "CT", "TT"]),
    language=st.sampled_from(["vi", "en"]),
    tries_left=st.integers(1, 3),
    expires_at=TIMES,
)
NUMBERS = st.builds(
    Standing,
    sim_changed_at=st.none() | TIMES,
    left_at=st.none() | TIMES,
    barred_at=st.none() | TIMES,
    barred_until=st.none() | TIMES,
)
RECORDS = st.none() | st.builds(
    record,
    phone=st.sampled_from([ME, ME, SOMEBODY, None]),
    phone_verified_on=st.none() | st.dates(date(2026, 1, 1), date(2026, 3, 5)),
    status=st.sampled_from([Status.ACTIVE, Status.ACTIVE, Status.DECEASED, Status.MISSING]),
    full_name=st.text(min_size=1, max_size=60),
    is_test=st.booleans(),
)
STOPS = st.builds(
    Stops,
    st.frozensets(
        st.sampled_from(
            [
                (Scope.SERVICE, ""),
                (Scope.DISCLOSURE, ""),
                (Scope.LINK, "hong-ha"),
                (Scope.COMMAND, "DC"),
                (Scope.COMMAND, "KHOA"),
            ]
        ),
        max_size=2,
    ),
)
SEES = st.builds(
    Access,
    TIMES,
    st.builds(
        Act,
        st.just(b""),
        st.fixed_dictionaries(
            {},
            optional={
                "group": st.sampled_from(["", "CT", "TT"]),
                "outcome": st.sampled_from(["RESULT", "LOG"]),
                "act": st.sampled_from(["journal-extract", "something-new"]),
                "receiver": st.text(max_size=80),
            },
        ).map(json.dumps),
        st.sampled_from([None, "officer:an"]),
    ),
)
# A log is always read before it is told, so it is never missing here.
TRACES = st.builds(
    Trace,
    accesses=st.builds(
        Accesses,
        st.lists(SEES, max_size=5).map(tuple),
        st.integers(5, 10**7),
        st.sampled_from([0, 1, 99, 10**7]),
    ),
    found=st.sampled_from([None, FOUND]),
    complaint=st.sampled_from(
        [
            None,
            complaint().complaint,
            complaint(open=3).complaint,
            complaint(about=replace(FOUND, told_as=None)).complaint,
        ]
    ),
)
FACTS = st.builds(
    facts,
    history=HISTORIES,
    challenge=CHALLENGES,
    gate=GATES,
    stops=STOPS | st.just(Stops()),
    record=RECORDS,
    register_is_up=st.booleans(),
    journal_is_up=st.booleans(),
    sharing=st.integers(0, 5),
    number=NUMBERS,
    pin_matches=st.booleans(),
    price_hundredths=st.none() | st.integers(0, 10**9),
    trace=TRACES,
)


# What only a right PIN leads to, and what it was sent for.
OPENED: dict[ReplyClass | None, str] = {
    ReplyClass.RESULT: "DC",
    ReplyClass.LOG: "NK",
    ReplyClass.LOCKED: "KHOA",
    ReplyClass.UNLOCKED: "MO",
}


def decide(told: Message, known: Facts) -> Decision:
    return conversation.decide(told, known, policy=POLICY, now=NOON)


def kind(decision: Decision) -> ReplyClass | None:
    return decision.reply.reply_class if decision.reply else None


@settings(max_examples=60)
@given(MESSAGES, FACTS)
def test_everything_comes_to_an_end_and_fits_one_segment(told: Message, known: Facts) -> None:
    decision = decide(told, known)

    assert decision.state is not State.RECEIVED
    assert 0 < len(decision.reason) <= 40, "the column's width"
    if decision.reply is not None:
        text = wording.render(replies.with_code(decision.reply, "7F3K92"))
        measured = segments.measure(text)
        assert (measured.encoding, measured.segments) == ("gsm7", 1)
        assert told.sender is not None


@settings(max_examples=60)
@given(MESSAGES, FACTS)
def test_nothing_is_disclosed_without_a_matching_live_pin_from_the_number_on_file(
    told: Message, known: Facts
) -> None:
    decision = decide(told, known)

    if (opened := OPENED.get(kind(decision))) is not None:
        assert known.pin_matches
        assert known.challenge is not None
        assert known.challenge.expires_at > NOON
        assert known.challenge.link_id == told.link_id
        assert known.record is not None
        assert known.record.phone == told.sender
        assert known.record.status is Status.ACTIVE
        assert told.is_assessed
        assert not known.stops.disclosure
        assert decision.closing is not None
        assert decision.closing.state is ChallengeState.SPENT
        assert told.is_test_link or not known.record.is_test
        assert known.challenge.purpose == opened


@settings(max_examples=60)
@given(MESSAGES, FACTS)
def test_a_pin_is_made_for_the_number_on_file_alone(told: Message, known: Facts) -> None:
    decision = decide(told, known)

    opened = decision.opened
    is_open = opened is not None and opened[1] is ChallengeState.OPEN
    assert is_open is (kind(decision) is ReplyClass.PIN)
    if is_open:
        assert known.record is not None
        assert known.record.phone == told.sender
        assert decision.gate is not None
        assert decision.gate.pins[-1] == NOON
        assert told.is_test_link or not known.record.is_test


@settings(max_examples=60)
@given(MESSAGES, FACTS)
def test_whatever_leaves_or_changes_has_an_entry(told: Message, known: Facts) -> None:
    decision = decide(told, known)

    changes = (decision.closing, decision.opened, decision.gate, decision.case)
    if any(changes):
        assert decision.exchange is not None
        assert known.journal_is_up
    has_code = decision.reply is not None and hasattr(decision.reply, "code")
    assert (decision.exchange is not None) is has_code


@settings(max_examples=60)
@given(MESSAGES, FACTS)
def test_tries_and_failures_only_ever_go_down_and_up(told: Message, known: Facts) -> None:
    decision = decide(told, known)

    if decision.closing is not None:
        assert known.challenge is not None
        assert decision.closing.challenge_id == known.challenge.id
        assert 0 <= decision.closing.tries_left <= known.challenge.tries_left
        if decision.closing.state is ChallengeState.OPEN:
            assert decision.closing.tries_left == known.challenge.tries_left - 1 > 0
    if decision.gate is not None and decision.gate.failures < known.gate.failures:
        assert decision.closing is not None
        assert decision.closing.state is ChallengeState.SPENT


@settings(max_examples=60)
@given(MESSAGES, FACTS)
def test_each_reply_is_counted_and_silence_is_not(told: Message, known: Facts) -> None:
    before = known.history.on(NOON)

    decision = decide(told, known)

    assert decision.history.replies - before.replies == (decision.reply is not None)


@given(FACTS, st.sampled_from([ME, SOMEBODY]))
def test_what_is_not_told_looks_alike(known: Facts, sender: str) -> None:
    """Whatever the register and the locks say, those who are told nothing cannot tell why."""
    told = message(DC, sender=sender)
    unknown = replace(known, record=None, gate=Gate(), sharing=0, citizen_id=CITIZEN)

    decision, other = decide(told, known), decide(told, unknown)

    if kind(decision) is not ReplyClass.PIN:
        assert decision.reply == other.reply
        assert decision.state == other.state
        assert decision.history == other.history
        assert (decision.opened is None) == (other.opened is None)
        assert decision.closing == other.closing
