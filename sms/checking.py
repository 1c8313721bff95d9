"""KT and SAI: is it in the journal, and what it said is wrong. Neither asks the register."""

from dataclasses import replace

from journal.entries import ToldAs
from records import quotas
from records.cases import CaseState
from records.quotas import Verdict
from sms import replies, saying
from sms.commands import Language
from sms.decision import Complaint, Decision, Exchange, Facts, Policy
from sms.inbound import State
from sms.replies import CaseReply, IncludedReply, UnknownReply

_NOBODYS = "unknown-code"


def check(facts: Facts, policy: Policy, language: Language) -> Decision:
    """Say where in the journal a receipt is; nothing of whom it is about is in the answer.

    No PIN is asked for and no entry made: what is told is what anybody may check of the journal.
    """
    found = facts.trace.found
    if found is None:
        return saying.courtesy(UnknownReply(language=language), facts, policy, _NOBODYS, language)
    included = IncludedReply(language=language, found=found)
    return saying.courtesy(included, facts, policy, "in-the-journal", language)


def complain(facts: Facts, policy: Policy, language: Language) -> Decision:
    """Open a case about a reply that told something of a record, one for each reply."""
    complaint = facts.trace.complaint
    if complaint is None or complaint.about.told_as is not ToldAs.ACCESS:
        return saying.courtesy(UnknownReply(language=language), facts, policy, _NOBODYS, language)
    verdict = quotas.judge_mistake(facts.history, policy.sender)
    quota = replies.QuotaReply(language=language)
    if verdict is not Verdict.ALLOWED:
        return saying.spoken(verdict, quota, facts.history, State.REFUSED, "quota", language)
    if (known := complaint.known) is not None:
        is_closed = known.state is CaseState.CLOSED
        reply = CaseReply(language=language, code="", number=known.number, is_closed=is_closed)
        return _noted(facts, complaint, reply, "case-known")
    if complaint.open >= policy.most_open_cases:
        history = quotas.mistaken(facts.history).answered()
        return Decision(state=State.REFUSED, reason="cases-open", history=history, reply=quota)
    reply = CaseReply(language=language, code="", number=complaint.fresh.number)
    return replace(_noted(facts, complaint, reply, "case-opened"), case=complaint.fresh)


def _noted(facts: Facts, complaint: Complaint, reply: CaseReply, reason: str) -> Decision:
    return Decision(
        state=State.ANSWERED,
        reason=reason,
        history=quotas.mistaken(facts.history).answered(),
        reply=reply,
        exchange=Exchange(
            subject=complaint.subject,
            subject_id=complaint.about.subject_index or 0,
            purpose="SAI",
            outcome=reply.reply_class,
            reason=reason,
            about=complaint.about.receipt,
            case=reply.number,
        ),
    )
