"""Requests about a record: a PIN to the telephone on file, or the one NOMATCH for every reason."""

from datetime import datetime

from records import locks, quotas
from records.pins import Challenge, ChallengeState, Closing
from records.quotas import Verdict
from sms import disclosure, replies, saying
from sms.commands import Language, Request
from sms.decision import Decision, Facts, FreshPin, Message, Policy, Purpose
from sms.groundwork import fields_of, purpose_of
from sms.inbound import State
from sms.replies import Reply


def ask(
    message: Message,
    command: Request,
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
        return saying.spoken(
            verdict, quota, facts.history, State.REFUSED, "quota", command.language
        )
    if not facts.ruling.lets:
        return saying.held(facts.ruling, facts.history, policy, command.language)
    if not facts.register_is_up:
        return saying.down("register-down", facts.history, policy, command.language)
    if fresh is None:
        raise ValueError("a request that may be answered has no PIN drawn for it")
    challenge = _challenge(message, command, citizen_id, fresh, policy, now)
    return _answer(message, challenge, fresh, facts, policy, now)


def _answer(
    message: Message,
    challenge: Challenge,
    fresh: FreshPin,
    facts: Facts,
    policy: Policy,
    now: datetime,
) -> Decision:
    """Send the PIN if nothing bars it; whatever bars it, nobody can tell what."""
    language = Language(challenge.language)
    purpose = Purpose(challenge.purpose)
    history = quotas.asked(facts.history, challenge.citizen_id, now).answered()
    closing = end(facts.challenge, ChallengeState.REPLACED)
    barred = disclosure.bars(message, facts, policy, now, purpose=purpose)
    barred = barred or locks.bars_pin(facts.gate, policy.citizen, now, owners=not purpose.tells)
    if barred:
        return Decision(
            state=State.REFUSED,
            reason=barred,
            history=history,
            reply=replies.NoMatchReply(language=language, code=""),
            exchange=disclosure.exchange(challenge, "NOMATCH", barred),
            closing=closing,
            opened=(challenge, ChallengeState.VOID),
        )
    return Decision(
        state=State.ANSWERED,
        reason="pin",
        history=history,
        reply=_pin_reply(language, fresh, policy),
        exchange=disclosure.exchange(challenge, "PIN", "pin"),
        closing=closing,
        opened=(challenge, ChallengeState.OPEN),
        gate=locks.pin_made(facts.gate, now),
        trusted_since=disclosure.trusted_since(facts.record),
        served_by=facts.number.served_by,
        is_test=facts.record is not None and facts.record.is_test,
    )


def _pin_reply(language: Language, fresh: FreshPin, policy: Policy) -> Reply:
    life = int(policy.pin.life.total_seconds())
    return replies.PinReply(language=language, code="", pin=fresh.pin, life_seconds=life)


def _challenge(
    message: Message,
    command: Request,
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


def end(challenge: Challenge | None, state: ChallengeState) -> Closing | None:
    """Close a challenge, if there is one."""
    return None if challenge is None else Closing(challenge.id, state, challenge.tries_left)
