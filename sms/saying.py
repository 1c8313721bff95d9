"""How a decision speaks: the reply, or the one word on quotas in its place, or silence."""

from billing import guards
from billing.guards import Ruling
from records import quotas
from records.quotas import History, Verdict
from sms import replies
from sms.commands import Language
from sms.decision import Decision, Facts, Policy
from sms.inbound import State
from sms.replies import Reply


def down(reason: str, history: History, policy: Policy, language: Language) -> Decision:
    """Say that the service cannot answer, as often as it may say anything."""
    verdict = quotas.judge_reply(history, policy.sender)
    return spoken(
        verdict, replies.DownReply(language=language), history, State.SUSPENDED, reason, language
    )


def held(ruling: Ruling, history: History, policy: Policy, language: Language) -> Decision:
    """Refuse a request that the guards do not let pass, with a word on it if that may be spent."""
    if ruling.verdict is guards.Verdict.UNKNOWN:
        return down(ruling.reason, history, policy, language)
    may_tell = quotas.judge_reply(history, policy.sender) is Verdict.ALLOWED
    if ruling.verdict is guards.Verdict.SILENT or not may_tell:
        return Decision(state=State.REFUSED, reason=ruling.reason, history=history)
    quota = replies.QuotaReply(language=language)
    return Decision(
        state=State.REFUSED, reason=ruling.reason, history=history.answered(), reply=quota
    )


def courtesy(
    reply: Reply, facts: Facts, policy: Policy, reason: str, language: Language
) -> Decision:
    """Answer what concerns no record, so many times a day."""
    verdict = quotas.judge_mistake(facts.history, policy.sender)
    counted = quotas.mistaken(facts.history)
    return spoken(verdict, reply, counted, State.ANSWERED, reason, language)


def spoken(
    verdict: Verdict, reply: Reply, history: History, state: State, reason: str, language: Language
) -> Decision:
    """Give *reply* if the verdict allows it, else the one word on quotas, else silence."""
    match verdict:
        case Verdict.ALLOWED:
            return Decision(state=state, reason=reason, history=history.answered(), reply=reply)
        case Verdict.TOO_SOON:
            quota = replies.QuotaReply(language=language)
            return Decision(
                state=State.REFUSED, reason="too-soon", history=history.answered(), reply=quota
            )
        case Verdict.QUOTA:
            quota = replies.QuotaReply(language=language)
            spoken = quotas.told(history).answered()
            return Decision(state=State.REFUSED, reason="quota", history=spoken, reply=quota)
        case Verdict.SILENT:
            return Decision(state=State.REFUSED, reason="quota-silent", history=history)
