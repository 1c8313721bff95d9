"""What may be told to whom: the checks before a PIN, repeated before a record leaves."""

from datetime import datetime

from core.settings import Route
from records import locks, numbers
from records.catalogue import Group
from records.locks import Gate
from records.pins import Challenge, ChallengeState, Closing
from records.register import Record, Status
from sms import replies, results
from sms.commands import Language
from sms.decision import Decision, Exchange, Facts, Message, Policy, Purpose
from sms.inbound import State
from sms.replies import LogReply, Reply
from sms.results import ResultFields

# Every code is as long as this one, and what fits beside it fits beside any.
_ANY_CODE = "7F3K92"

# Why those are told nothing who ask from another number than the one on file.
OTHER_NUMBER = "other-number"
OTHER_NUMBER_OWNER = "other-number-owner"
# Why those are whose request came by an operator that is not known to serve their number.
NOT_SERVED = "route"


def redeem(
    message: Message,
    challenge: Challenge,
    facts: Facts,
    policy: Policy,
    now: datetime,
    language: Language,
) -> Decision:
    """Open what a right PIN opens, if everything that let the PIN be sent still holds."""
    purpose = Purpose(challenge.purpose)
    barred = bars(message, facts, policy, now, purpose=purpose)
    barred = barred or locks.bars_result(facts.gate, policy.citizen, now, owners=not purpose.tells)
    closing = Closing(challenge.id, ChallengeState.SPENT, challenge.tries_left)
    history = facts.history.answered()
    record = facts.record
    if barred or record is None:
        reason = barred or "unknown-id"
        return Decision(
            state=State.REFUSED,
            reason=reason,
            history=history,
            reply=replies.NoMatchReply(language=language, code=""),
            exchange=exchange(challenge, "NOMATCH", reason),
            closing=closing,
        )
    reply, gate, fields = _open(purpose, challenge, record, facts, now, language)
    return Decision(
        state=State.ANSWERED,
        reason="right-pin",
        history=history,
        reply=reply,
        exchange=exchange(challenge, reply.reply_class, "right-pin", fields=fields),
        closing=closing,
        gate=gate,
        trusted_since=trusted_since(record),
        served_by=facts.number.served_by,
        pin_link_id=None if challenge.link_id == message.link_id else challenge.link_id,
        is_test=record.is_test,
    )


def _open(
    purpose: Purpose,
    challenge: Challenge,
    record: Record,
    facts: Facts,
    now: datetime,
    language: Language,
) -> tuple[Reply, Gate, tuple[str, ...]]:
    """Say what a purpose tells, what it changes, and which fields it releases."""
    gate = locks.opened(facts.gate, now, told=purpose.tells)
    match purpose:
        case Purpose.RECORD:
            group, shown = Group(challenge.fields), view(record)
            fields = results.compose(shown, group, _ANY_CODE, language).fields
            result = replies.ResultReply(language=language, code="", fields=shown, group=group)
            return result, gate, fields
        case Purpose.LOG:
            found = facts.trace.accesses
            if found is None:
                raise ValueError("a right PIN opens a log that was not read")
            return LogReply(language=language, code="", accesses=found, now=now), gate, ()
        case Purpose.LOCK:
            gate = locks.set_owner_lock(gate, locked=True)
            return replies.LockedReply(language=language, code=""), gate, ()
        case Purpose.UNLOCK:
            gate = locks.set_owner_lock(gate, locked=False)
            return replies.UnlockedReply(language=language, code=""), gate, ()


def bars(
    message: Message, facts: Facts, policy: Policy, now: datetime, *, purpose: Purpose
) -> str | None:
    """Give the reason why this sender is told nothing of this record, None if it may be."""
    if policy.route is Route.SERVING and message.link_operator not in facts.servers:
        return NOT_SERVED
    record = facts.record
    if record is None:
        return "unknown-id"
    if record.is_test and not message.is_test_link:
        return "made-up-person"
    if record.status is not Status.ACTIVE:
        return f"status-{record.status}"
    if record.phone is None:
        return "no-number"
    if record.phone != message.sender:
        return OTHER_NUMBER if purpose is Purpose.RECORD else OTHER_NUMBER_OWNER
    if facts.sharing > policy.most_sharing:
        return "number-shared"
    return numbers.bars(facts.number, record.phone_verified_on, now)


def trusted_since(record: Record | None) -> datetime | None:
    """Return from when on what happens to the number on file holds back what is told to it."""
    verified_on = record.phone_verified_on if record is not None else None
    return None if verified_on is None else numbers.trusted_since(verified_on)


def exchange(
    challenge: Challenge, outcome: str, reason: str, *, fields: tuple[str, ...] = ()
) -> Exchange:
    """Say for the journal what came of a challenge."""
    return Exchange(
        subject=challenge.personal_id,
        subject_id=challenge.citizen_id,
        purpose=challenge.purpose,
        outcome=outcome,
        reason=reason,
        group=challenge.fields,
        fields=fields,
    )


def view(record: Record) -> ResultFields:
    """Take from a record what an SMS may carry, in the shape the reply wants."""
    return ResultFields(
        full_name=record.full_name,
        sex=record.sex,
        birth_year=record.date_of_birth.year,
        id_last3=record.personal_id[-3:],
        card_issued_on=record.card_issued_on,
        card_expires_on=record.card_expires_on,
        status=record.status,
        commune=record.commune,
        province=record.province,
        current_commune=record.current_commune,
        current_province=record.current_province,
    )
