"""Turns a claimed row into the message that the core decides about."""

from datetime import datetime

from core import phone
from core.keyring import Keyring
from sms import commands, inbound, segments
from sms.commands import (
    AskLog,
    AskRecord,
    Cancel,
    Check,
    Command,
    GivePin,
    Help,
    Hint,
    Language,
    Lock,
    NotUnderstood,
    Price,
    SayWrong,
    Unlock,
)
from sms.decision import Message
from sms.inbound import Content
from sms.links.model import LinkState
from sms.links.registry import LinkRegistry
from sms.queue import Waiting

# Attempts alone: the first, among others, may have failed for another's fault.
MOST_ATTEMPTS = 5
_WORDS: dict[type[Command], str] = {
    AskRecord: "DC",
    GivePin: "XN",
    AskLog: "NK",
    Lock: "KHOA",
    Unlock: "MO",
    SayWrong: "SAI",
    Check: "KT",
    Cancel: "HUY",
    Price: "PHI",
    Help: "HD",
    NotUnderstood: "?",
}
_NOTHING = NotUnderstood(Hint.PLAIN, None, Language.VI)


def read(keyring: Keyring, waiting: Waiting, links: LinkRegistry, now: datetime) -> Message:
    """Open and parse one message.

    Raises: DecryptionError.
    """
    content = inbound.open_content(keyring, waiting.id, waiting.sealed)
    return _message(waiting, links, content, commands.parse(content.text), now)


def unreadable(waiting: Waiting, links: LinkRegistry, now: datetime) -> Message:
    """Stand in for a message that can be read no more, so that it too comes to an end."""
    return _message(waiting, links, Content("", "", ""), _NOTHING, now)


def is_worn_out(waiting: Waiting) -> bool:
    """Tell whether a message has failed so often that it is only told DOWN."""
    return waiting.attempts > MOST_ATTEMPTS


def word_of(command: Command) -> str:
    """Return the published word of a command, for stops, entries and reports."""
    return _WORDS[type(command)]


def _message(
    waiting: Waiting, links: LinkRegistry, content: Content, command: Command, now: datetime
) -> Message:
    link, measured = links.by_id(waiting.link_id), segments.measure(content.text)
    return Message(
        id=waiting.id,
        link_id=waiting.link_id,
        link_code=link.code if link else "",
        link_operator=link.operator if link else "",
        peers={peer.id: peer.code for peer in links.peers(waiting.link_id)},
        # A link that has ended since tells nothing more.
        is_assessed=link is not None and link.state is LinkState.ACTIVE and link.is_assessed(now),
        is_test_link=link is not None and link.is_test,
        operator_message_id=waiting.operator_message_id,
        sender_id=waiting.sender_id,
        sender=phone.parse(content.sender),
        to=content.to,
        # What keeps failing is not tried once more: it is neither looked up nor compared.
        command=_NOTHING if is_worn_out(waiting) else command,
        word=word_of(command),
        segments=max(measured.segments, 1),
        encoding=measured.encoding,
        received_at=waiting.received_at,
        stored_at=waiting.stored_at,
        is_worn_out=is_worn_out(waiting),
    )
