"""KT and SAI: what is in the journal, and what was wrong in it. Decided without the register."""

from dataclasses import replace
from datetime import timedelta

import pytest

from journal.entries import ToldAs
from records.cases import Case, CaseState
from records.quotas import History
from records.stops import Scope, Stops
from sms.codes import Code
from sms.commands import Check, SayWrong
from sms.decision import Decision, Trace
from sms.inbound import State
from sms.replies import CaseReply, IncludedReply, QuotaReply, ReplyClass, UnknownReply
from tests.fakes import NOON
from tests.sms.deciding import (
    EN,
    FOUND,
    KT,
    PERSON,
    SAI,
    TODAY,
    VI,
    asked,
    complaint,
    decide,
    facts,
)

NUMBER = "7K3M-9QT7"
OPEN = Case(
    number=NUMBER, entry_id=FOUND.entry_id, state=CaseState.OPEN, opened_at=NOON - timedelta(days=1)
)
CLOSED = replace(OPEN, state=CaseState.CLOSED)


def kind(decision: Decision) -> ReplyClass | None:
    return decision.reply.reply_class if decision.reply else None


def test_what_is_in_the_journal_is_said_to_be_without_an_entry() -> None:
    decision = decide(KT, facts(trace=Trace(found=FOUND)))

    assert decision.reply == IncludedReply(language=VI, found=FOUND)
    assert (decision.state, decision.exchange) == (State.ANSWERED, None)
    assert (decision.history.mistakes, decision.history.replies) == (1, 1)


def test_what_is_not_found_is_unknown() -> None:
    decision = decide(replace(KT, language=EN), facts(trace=Trace()))

    assert decision.reply == UnknownReply(language=EN)
    assert (decision.state, decision.exchange) == (State.ANSWERED, None)


@pytest.mark.parametrize(
    "trace",
    [
        Trace(),
        complaint(about=replace(FOUND, told_as=None)),
        complaint(about=replace(FOUND, told_as=ToldAs.ATTEMPT)),
    ],
)
def test_only_a_reply_that_told_of_a_record_can_be_wrong(trace: Trace) -> None:
    decision = decide(SAI, facts(trace=trace))

    assert decision.reply == UnknownReply(language=VI)
    assert (decision.case, decision.exchange) == (None, None)


def test_a_wrong_reply_opens_a_case() -> None:
    trace = complaint()

    decision = decide(SAI, facts(trace=trace))

    assert (decision.state, decision.reason) == (State.ANSWERED, "case-opened")
    assert decision.reply == CaseReply(language=VI, code="", number=NUMBER)
    assert trace.complaint is not None
    assert decision.case == trace.complaint.fresh
    assert decision.exchange is not None
    assert (decision.exchange.outcome, decision.exchange.purpose) == ("CASE", "SAI")
    assert (decision.exchange.about, decision.exchange.case) == (FOUND.receipt, NUMBER)
    assert decision.exchange.subject == PERSON.personal_id
    assert (decision.history.mistakes, decision.history.replies) == (1, 1)


@pytest.mark.parametrize(("known", "is_closed"), [(OPEN, False), (CLOSED, True)])
def test_the_same_code_leads_to_the_same_case(known: Case, *, is_closed: bool) -> None:
    decision = decide(SAI, facts(trace=complaint(known, open=3)))

    assert decision.reply == CaseReply(language=VI, code="", number=NUMBER, is_closed=is_closed)
    assert (decision.case, decision.reason) == (None, "case-known")
    assert decision.exchange is not None


@pytest.mark.parametrize(("open_now", "reply"), [(2, CaseReply), (3, QuotaReply)])
def test_three_cases_of_a_number_may_be_open(open_now: int, reply: type) -> None:
    decision = decide(SAI, facts(trace=complaint(open=open_now)))

    assert isinstance(decision.reply, reply)
    assert (decision.case is None) is (reply is QuotaReply)
    assert (decision.exchange is None) is (reply is QuotaReply)


@pytest.mark.parametrize(
    ("command", "trace"),
    [(KT, Trace()), (KT, Trace(found=FOUND)), (SAI, Trace()), (SAI, complaint())],
)
def test_codes_are_tried_five_times_a_day_then_one_quota_then_silence(
    command: Check | SayWrong, trace: Trace
) -> None:
    known, told = facts(trace=trace), []

    for _ in range(8):
        decision = decide(command, known)
        told.append(kind(decision))
        known = replace(known, history=decision.history)

    assert told[0] is told[4] is not ReplyClass.QUOTA
    assert told[5:] == [ReplyClass.QUOTA, None, None]


def test_a_pin_that_waits_waits_on() -> None:
    for command in (KT, SAI):
        decision = decide(command, facts(trace=complaint()))

        assert (decision.closing, decision.opened, decision.gate) == (None, None, None)


def test_neither_asks_the_register_or_is_a_disclosure() -> None:
    stopped = facts(
        stops=Stops(frozenset({(Scope.DISCLOSURE, "")})), register_is_up=False, record=None,
        citizen_id=None, trace=complaint(),
    )  # fmt: skip

    assert kind(decide(SAI, stopped)) is ReplyClass.CASE
    assert kind(decide(KT, replace(stopped, trace=Trace(found=FOUND)))) is ReplyClass.INCLUDED


def test_a_case_needs_the_journal_and_a_look_at_it_does_not() -> None:
    down = facts(journal_is_up=False, trace=complaint())

    assert decide(SAI, down).reason == "journal-down"
    assert kind(decide(KT, down)) is ReplyClass.UNKNOWN


def test_whoever_is_over_the_days_replies_is_told_so_once() -> None:
    first = decide(KT, facts(history=asked(replies=10)))
    second = decide(KT, facts(history=first.history))

    assert (kind(first), kind(second)) == (ReplyClass.QUOTA, None)
    assert first.history.day == History(day=TODAY).day


def test_a_command_printed_shows_no_code() -> None:
    assert "7F3K92" not in repr((KT, SAI, Code("7F3K92")))
