"""The core: what each message leads to. Pure, total, and the only place where it is decided."""

from dataclasses import replace
from datetime import datetime

from records import locks, quotas
from records.pins import Challenge, ChallengeState, Closing
from records.quotas import Verdict
from sms import asking, checking, disclosure, replies, saying
from sms.commands import (
    AskLog,
    AskRecord,
    Cancel,
    Check,
    GivePin,
    Help,
    Language,
    Lock,
    NotUnderstood,
    Price,
    SayWrong,
    Unlock,
)
from sms.decision import Decision, Exchange, Facts, Message, Policy
from sms.inbound import State
from sms.replies import Reply


def decide(message: Message, facts: Facts, *, policy: Policy, now: datetime) -> Decision:
    """Say what this message leads to: its end, a reply, an entry, and changes to rows."""
    history = facts.history.on(now)
    if message.sender is None:
        # A message that never opened has no sender that anybody knows.
        if message.is_worn_out:
            return Decision(state=State.QUARANTINED, reason="kept-failing", history=history)
        return Decision(state=State.REFUSED, reason="not-a-vietnamese-mobile", history=history)
    # What waited here, through an outage or in a backup, is as old as what waited elsewhere.
    age = max(message.stored_at - message.received_at, now - message.stored_at)
    if age > policy.silent:
        return Decision(state=State.EXPIRED, reason="over-a-day-old", history=history)
    if message.is_worn_out:
        down = replies.DownReply(language=Language.VI)
        return Decision(
            state=State.QUARANTINED, reason="kept-failing", history=history.answered(), reply=down
        )
    language = _language(message, facts)
    if suspended := _suspension(message, facts):
        return saying.down(suspended, history, policy, language)
    if age > policy.late:
        verdict = quotas.judge_mistake(history, policy.sender)
        late = replies.LateReply(language=language)
        return saying.spoken(
            verdict, late, quotas.mistaken(history), State.EXPIRED, "late", language
        )
    return _by_command(message, replace(facts, history=history), policy, now, language)


def _by_command(
    message: Message, facts: Facts, policy: Policy, now: datetime, language: Language
) -> Decision:
    match message.command:
        case AskRecord() | AskLog() | Lock() | Unlock():
            return asking.ask(message, message.command, facts, policy, now)
        case GivePin():
            return _give_pin(message, facts, policy, now, language)
        case SayWrong():
            return checking.complain(facts, policy, language)
        case Check():
            return checking.check(facts, policy, language)
        case Cancel():
            return _cancel(facts, policy, language)
        case Price():
            price = replies.PriceReply(language=language, price_hundredths=facts.price_hundredths)
            return saying.courtesy(price, facts, policy, "price", language)
        case Help():
            return saying.courtesy(
                replies.HelpReply(language=language), facts, policy, "help", language
            )
        case NotUnderstood(hint, digits, _):
            syntax = replies.SyntaxReply(language=language, hint=hint, digits=digits)
            return saying.courtesy(syntax, facts, policy, f"syntax-{hint}", language)


def _language(message: Message, facts: Facts) -> Language:
    chosen = message.command.language
    if chosen is not None:
        return chosen
    return Language(facts.challenge.language) if facts.challenge else Language.VI


def _suspension(message: Message, facts: Facts) -> str | None:
    """Say why this message may not be worked on now, None if it may."""
    if not message.is_assessed and not isinstance(message.command, Help):
        return "channel-not-assessed"
    word, asked_on = message.word, message.link_code
    if isinstance(message.command, GivePin) and facts.challenge:
        word = facts.challenge.purpose
        # A stop of the link over which it was asked for holds what the PIN would open, too.
        asked_on = message.peers.get(facts.challenge.link_id, message.link_code)
    operator = message.link_operator
    if any(
        facts.stops.cover(link=link, operator=operator, command=word)
        for link in (message.link_code, asked_on)
    ):
        return "stopped"
    if isinstance(message.command, AskRecord | AskLog | Lock | Unlock | GivePin):
        if facts.stops.disclosure:
            return "disclosure-stopped"
        if not facts.journal_is_up:
            return "journal-down"
    if isinstance(message.command, Cancel | SayWrong) and not facts.journal_is_up:
        return "journal-down"
    return None


def _give_pin(
    message: Message, facts: Facts, policy: Policy, now: datetime, language: Language
) -> Decision:
    """Spend one try of the open challenge and say what it opened."""
    challenge = facts.challenge
    if challenge is None or challenge.link_id not in message.peers:
        return saying.courtesy(
            replies.NoOpenReply(language=language), facts, policy, "no-open-request", language
        )
    history = facts.history.answered()
    if challenge.expires_at <= now:
        return Decision(
            state=State.REFUSED,
            reason="pin-expired",
            history=history,
            reply=replies.ExpiredReply(language=language, code=""),
            exchange=disclosure.exchange(challenge, "EXPIRED", "pin-expired"),
            closing=Closing(challenge.id, ChallengeState.EXPIRED, challenge.tries_left),
        )
    if not facts.pin_matches:
        return _wrong_pin(challenge, facts, policy, now, language)
    if not facts.register_is_up:
        # The right PIN stays good: the trouble is ours.
        return saying.down("register-down", facts.history, policy, language)
    return disclosure.redeem(message, challenge, facts, policy, now, language)


def _wrong_pin(
    challenge: Challenge, facts: Facts, policy: Policy, now: datetime, language: Language
) -> Decision:
    left = challenge.tries_left - 1
    reply: Reply = (
        replies.WrongReply(language=language, code="", tries_left=left)
        if left > 0
        else replies.FailedReply(language=language, code="")
    )
    outcome = "WRONG" if left > 0 else "FAILED"
    state = ChallengeState.OPEN if left > 0 else ChallengeState.FAILED
    return Decision(
        state=State.REFUSED,
        reason="wrong-pin",
        history=facts.history.answered(),
        reply=reply,
        exchange=disclosure.exchange(challenge, outcome, "wrong-pin"),
        closing=Closing(challenge.id, state, max(left, 0)),
        gate=locks.failed(facts.gate, policy.citizen, now),
    )


def _cancel(facts: Facts, policy: Policy, language: Language) -> Decision:
    """Close the open request; with none open the words are the same."""
    challenge = facts.challenge
    verdict = quotas.judge_mistake(facts.history, policy.sender)
    if challenge is None and verdict is not Verdict.ALLOWED:
        quota = replies.QuotaReply(language=language)
        return saying.spoken(verdict, quota, facts.history, State.REFUSED, "quota", language)
    history = facts.history if challenge else quotas.mistaken(facts.history)
    exchange = (
        disclosure.exchange(challenge, "CANCELLED", "cancelled")
        if challenge
        else Exchange(
            subject="", subject_id=0, purpose="", outcome="CANCELLED", reason="nothing-open"
        )
    )
    return Decision(
        state=State.ANSWERED,
        reason=exchange.reason,
        history=history.answered(),
        reply=replies.CancelledReply(language=language, code=""),
        exchange=exchange,
        closing=asking.end(challenge, ChallengeState.CANCELLED),
    )
