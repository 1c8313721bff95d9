"""The core: what each message leads to. Pure, total, and the only place where it is decided."""

from dataclasses import replace
from datetime import datetime

from records import locks, quotas
from records.pins import Challenge, ChallengeState, Closing
from records.quotas import History, Verdict
from sms import disclosure, replies
from sms.commands import (
    AskLog,
    AskRecord,
    Cancel,
    GivePin,
    Help,
    Hint,
    Language,
    Lock,
    NotBuilt,
    NotUnderstood,
    Price,
    Unlock,
)
from sms.decision import Decision, Exchange, Facts, FreshPin, Message, Policy
from sms.groundwork import fields_of, purpose_of
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
        return _down(suspended, history, policy, language)
    if age > policy.late:
        verdict = quotas.judge_mistake(history, policy.sender)
        late = replies.LateReply(language=language)
        return _spoken(verdict, late, quotas.mistaken(history), State.EXPIRED, "late", language)
    return _by_command(message, replace(facts, history=history), policy, now, language)


def _by_command(
    message: Message, facts: Facts, policy: Policy, now: datetime, language: Language
) -> Decision:
    match message.command:
        case AskRecord() | Lock() | Unlock():
            return _ask(message, message.command, facts, policy, now)
        case GivePin():
            return _give_pin(message, facts, policy, now, language)
        case Cancel():
            return _cancel(facts, policy, language)
        case Price():
            price = replies.PriceReply(language=language, price_hundredths=facts.price_hundredths)
            return _courtesy(price, facts, policy, "price", language)
        case Help():
            return _courtesy(replies.HelpReply(language=language), facts, policy, "help", language)
        case AskLog() | NotBuilt():
            syntax = replies.SyntaxReply(language=language, hint=Hint.PLAIN)
            return _courtesy(syntax, facts, policy, "not-built", language)
        case NotUnderstood(hint, digits, _):
            syntax = replies.SyntaxReply(language=language, hint=hint, digits=digits)
            return _courtesy(syntax, facts, policy, f"syntax-{hint}", language)


def _language(message: Message, facts: Facts) -> Language:
    chosen = message.command.language
    if chosen is not None:
        return chosen
    return Language(facts.challenge.language) if facts.challenge else Language.VI


def _suspension(message: Message, facts: Facts) -> str | None:
    """Say why this message may not be worked on now, None if it may."""
    if not message.is_assessed and not isinstance(message.command, Help):
        return "channel-not-assessed"
    word = message.word
    if isinstance(message.command, GivePin) and facts.challenge:
        word = facts.challenge.purpose
    if facts.stops.cover(link=message.link_code, command=word):
        return "stopped"
    if isinstance(message.command, AskRecord | Lock | Unlock | GivePin):
        if facts.stops.disclosure:
            return "disclosure-stopped"
        if not facts.journal_is_up:
            return "journal-down"
    if isinstance(message.command, Cancel) and not facts.journal_is_up:
        return "journal-down"
    return None


def _down(reason: str, history: History, policy: Policy, language: Language) -> Decision:
    verdict = quotas.judge_reply(history, policy.sender)
    return _spoken(
        verdict, replies.DownReply(language=language), history, State.SUSPENDED, reason, language
    )


def _courtesy(
    reply: Reply, facts: Facts, policy: Policy, reason: str, language: Language
) -> Decision:
    """Answer what concerns no record, so many times a day."""
    verdict = quotas.judge_mistake(facts.history, policy.sender)
    counted = quotas.mistaken(facts.history)
    return _spoken(verdict, reply, counted, State.ANSWERED, reason, language)


def _spoken(
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


def _ask(
    message: Message,
    command: AskRecord | Lock | Unlock,
    facts: Facts,
    policy: Policy,
    now: datetime,
) -> Decision:
    """Answer a request with a PIN or, whatever the reason, with the one NOMATCH."""
    citizen_id, fresh = facts.citizen_id, facts.fresh
    if citizen_id is None:
        raise ValueError("a request about nobody")
    verdict = quotas.judge_ask(facts.history, citizen_id, policy.sender, now)
    if verdict is not Verdict.ALLOWED:
        quota = replies.QuotaReply(language=command.language)
        return _spoken(verdict, quota, facts.history, State.REFUSED, "quota", command.language)
    if not facts.register_is_up:
        return _down("register-down", facts.history, policy, command.language)
    if fresh is None:
        raise ValueError("a request that may be answered has no PIN drawn for it")
    history = quotas.asked(facts.history, citizen_id, now).answered()
    challenge = _challenge(message, command, citizen_id, fresh, policy, now)
    closing = _end(facts.challenge, ChallengeState.REPLACED)
    owners = not isinstance(command, AskRecord)
    barred = disclosure.bars(message, facts, policy, now, owners=owners)
    barred = barred or locks.bars_pin(facts.gate, policy.citizen, now, owners=owners)
    if barred:
        return Decision(
            state=State.REFUSED,
            reason=barred,
            history=history,
            reply=replies.NoMatchReply(language=command.language, code=""),
            exchange=disclosure.exchange(challenge, "NOMATCH", barred),
            closing=closing,
            opened=(challenge, ChallengeState.VOID),
        )
    return Decision(
        state=State.ANSWERED,
        reason="pin",
        history=history,
        reply=_pin_reply(command.language, fresh, policy),
        exchange=disclosure.exchange(challenge, "PIN", "pin"),
        closing=closing,
        opened=(challenge, ChallengeState.OPEN),
        gate=locks.pin_made(facts.gate, now),
        is_test=facts.record is not None and facts.record.is_test,
    )


def _pin_reply(language: Language, fresh: FreshPin, policy: Policy) -> Reply:
    life = int(policy.pin.life.total_seconds())
    return replies.PinReply(language=language, code="", pin=fresh.pin, life_seconds=life)


def _challenge(
    message: Message,
    command: AskRecord | Lock | Unlock,
    citizen_id: int,
    fresh: FreshPin,
    policy: Policy,
    now: datetime,
) -> Challenge:
    return Challenge(
        id=fresh.challenge_id,
        sender_id=message.sender_id,
        citizen_id=citizen_id,
        personal_id=command.personal_id,
        link_id=message.link_id,
        purpose=purpose_of(command),
        fields=fields_of(command),
        language=command.language,
        pin_hash=fresh.pin_hash,
        tries_left=policy.pin.tries,
        created_at=now,
        expires_at=now + policy.pin.life,
    )


def _end(challenge: Challenge | None, state: ChallengeState) -> Closing | None:
    return None if challenge is None else Closing(challenge.id, state, challenge.tries_left)


def _give_pin(
    message: Message, facts: Facts, policy: Policy, now: datetime, language: Language
) -> Decision:
    """Spend one try of the open challenge and say what it opened."""
    challenge = facts.challenge
    if challenge is None or challenge.link_id != message.link_id:
        return _courtesy(
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
        return _down("register-down", facts.history, policy, language)
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
        return _spoken(verdict, quota, facts.history, State.REFUSED, "quota", language)
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
        closing=_end(challenge, ChallengeState.CANCELLED),
    )
