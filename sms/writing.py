"""Turns decisions into rows: entry, reply, usage and the message's end, ready for one commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.usage import Direction, Usage
from core.ids import uuid7
from core.keyring import Keyring
from journal.entries import Draft, Entry, Kind, Retention
from journal.journal import Journal
from records import quotas
from records.locks import Gate
from sms import accesses, dispatch, replies, segments, wording
from sms.commands import GivePin
from sms.decision import Decision, Message, Policy
from sms.dispatch import NewReply
from sms.inbound import State
from sms.links.model import Link
from sms.queue import Handled, Waiting
from sms.replies import ReplyClass

RESULT_LIFE = timedelta(minutes=10)
OTHER_LIFE = timedelta(minutes=30)
_PIN_MARGIN = timedelta(seconds=60)
# Even, since the outbox tells by the last bit what was tried before.
_FIRST, _AFTER_THOSE = 0, 2
_DISCLOSES = frozenset({ReplyClass.PIN, ReplyClass.RESULT, ReplyClass.LOG})

Leaves = Callable[[int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One decision and every row it leads to."""

    message: Message
    decision: Decision
    entry: Entry | None
    reply_row: dict[str, object] | None
    usage: Usage
    handled: Handled
    gate: tuple[int, Gate] | None


def write(
    journal: Journal,
    keyring: Keyring,
    decided: Sequence[tuple[Message, Decision]],
    policy: Policy,
    now: datetime,
    leaves: Leaves = lambda link_id: link_id,
) -> list[Written]:
    """Make the rows of a batch of decisions, signing and encrypting outside the transaction.

    Shape: *leaves* says by which link a reply leaves to what came in on one.
    """
    with_entry = [pair for pair in decided if pair[1].exchange]
    made = journal.prepare([_draft(message, decision, policy) for message, decision in with_entry])
    entries = {pair[0].id: entry for pair, entry in zip(with_entry, made, strict=True)}
    return [
        _rows(keyring, message, decision, entries.get(message.id), policy, now, leaves)
        for message, decision in decided
    ]


def life_of(reply_class: ReplyClass, policy: Policy) -> timedelta:
    """Return for how long a reply is worth sending."""
    match reply_class:
        case ReplyClass.PIN:
            return max(policy.pin.life - _PIN_MARGIN, policy.pin.life / 2)
        case ReplyClass.RESULT | ReplyClass.LOG:
            return RESULT_LIFE
        case _:
            return OTHER_LIFE


def _rows(
    keyring: Keyring,
    message: Message,
    decision: Decision,
    entry: Entry | None,
    policy: Policy,
    now: datetime,
    leaves: Leaves,
) -> Written:
    handled = Handled(
        id=message.id,
        sender_id=message.sender_id,
        state=decision.state,
        reason=decision.reason,
        command=message.word,
        entry_id=entry.id if entry else None,
        history=quotas.dump(decision.history),
    )
    return Written(
        message=message,
        decision=decision,
        entry=entry,
        reply_row=_reply_row(keyring, message, decision, entry, policy, now, leaves),
        usage=_usage(message, decision),
        handled=handled,
        gate=_gate(decision),
    )


def _gate(decision: Decision) -> tuple[int, Gate] | None:
    if decision.gate is None or decision.exchange is None:
        return None
    return decision.exchange.subject_id, decision.gate


def _reply_row(
    keyring: Keyring,
    message: Message,
    decision: Decision,
    entry: Entry | None,
    policy: Policy,
    now: datetime,
    leaves: Leaves,
) -> dict[str, object] | None:
    if decision.reply is None or message.sender is None:
        return None
    reply = replies.with_code(decision.reply, entry.code) if entry else decision.reply
    text = wording.render(reply)
    measured = segments.measure(text)
    new = NewReply(
        id=uuid7(),
        inbound_id=message.id,
        link_id=leaves(message.link_id),
        reply=reply.reply_class,
        command=_purpose(message, decision),
        priority=_FIRST if reply.reply_class in _DISCLOSES else _AFTER_THOSE,
        discloses=reply.reply_class in _DISCLOSES,
        number_id=message.sender_id,
        trusted_since=decision.trusted_since,
        served_by=decision.served_by,
        pin_link_id=decision.pin_link_id,
        is_test=decision.is_test,
        to=message.sender,
        sender=message.to,
        text=text,
        in_reply_to=message.operator_message_id,
        encoding=measured.encoding,
        segments=measured.segments,
        entry_id=entry.id if entry else None,
        created_at=now,
        expires_at=now + life_of(reply.reply_class, policy),
    )
    return dispatch.row_of(keyring, new)


def _purpose(message: Message, decision: Decision) -> str:
    """Name the command whose stop holds this reply: a PIN given counts as what it opens."""
    if isinstance(message.command, GivePin) and decision.exchange:
        return decision.exchange.purpose
    return message.word


def _usage(message: Message, decision: Decision) -> Usage:
    return Usage(
        message_id=message.id,
        link_id=message.link_id,
        direction=Direction.MO,
        operator_message_id=message.operator_message_id,
        segments=message.segments,
        encoding=message.encoding,
        at=message.stored_at,
        status=decision.state,
        reply_class=decision.reply.reply_class if decision.reply else None,
        is_test=message.is_test_link,
        short_code=message.to,
    )


def usage_of_unread(waiting: Waiting, link: Link | None) -> Usage:
    """Make the row of a message that was given up unread: nothing but its coming is known."""
    return Usage(
        message_id=waiting.id,
        link_id=waiting.link_id,
        direction=Direction.MO,
        operator_message_id=waiting.operator_message_id,
        segments=1,
        encoding="gsm7",
        at=waiting.stored_at,
        status=State.QUARANTINED,
        reply_class=None,
        is_test=link is not None and link.is_test,
    )


def _draft(message: Message, decision: Decision, policy: Policy) -> Draft:
    exchange = decision.exchange
    if exchange is None:
        raise ValueError("a decision without exchange has no entry")
    reply = decision.reply
    return Draft(
        kind=Kind.LOOKUP,
        retention=Retention.LOOKUP,
        actor=f"phone:{message.sender}",
        actor_index=message.sender_id,
        subject=f"person:{exchange.subject}" if exchange.subject else None,
        subject_index=exchange.subject_id if exchange.subject else None,
        payload={
            "command": message.word,
            "purpose": exchange.purpose,
            "group": exchange.group,
            "fields": exchange.fields,
            "outcome": exchange.outcome,
            "reason": exchange.reason,
            "link": message.link_code,
            "operator_message_id": message.operator_message_id,
            "short_code": message.to,
            "template": wording.template_name(reply) if reply else "",
            "segments": 1,
            "legal_basis": policy.legal_basis,
            **({"about": exchange.about, "case": exchange.case} if exchange.case else {}),
        },
        told_as=accesses.told_as(exchange.outcome, exchange.reason),
    )
