"""A phone held in a terminal or by a script: it sends a text and waits for what comes back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.clock import Clock
from phone import thread
from phone.inside import Inside
from phone.mailbox import Mailbox, Text
from phone.network import Network
from phone.subscribers import Subscriber

_LOOK_AGAIN = 0.02
_SETTLING = 1.0


class Watcher(Protocol):
    """Tells what happened to messages inside the service."""

    def insides(self, network: str, message_ids: list[str]) -> Mapping[str, Inside]:
        """Return what happened to messages, by the network's ids for them."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A text on its way: its id, its body, when it left, and how the gateway answered."""

    id: str
    body: str
    at: datetime
    status: int

    @property
    def is_accepted(self) -> bool:
        """Whether the gateway has promised to handle it."""
        return self.status // 100 == 2  # noqa: PLR2004 (the class of success)


@dataclass(slots=True)
class Handset:
    """The phone of one subscriber on one network."""

    network: Network
    mailbox: Mailbox
    watcher: Watcher
    clock: Clock
    holder: Subscriber
    last: Sent | None = None
    _shown: set[str] = field(default_factory=set)

    def send(self, body: str) -> Sent:
        """Send a text."""
        return self.submit(body, self.network.new_id())

    def submit(self, body: str, message_id: str) -> Sent:
        """Send a text under an id: one used before is the same message once more."""
        at = self.clock.now()
        status = self.network.submit(self.holder.number, body, message_id)
        self.last = Sent(message_id, body, at, status)
        return self.last

    def wait(self, sent: Sent, seconds: float) -> Text | None:
        """Return the first answer to a text, None if none comes in time or none ever will."""
        until = self.clock.monotonic() + seconds
        while True:
            # Asked before the mailbox: an end without a reply is final, a reply may be under way.
            is_over = self._ended_silently(sent)
            if found := self.mailbox.replies(self.network.code, [sent.id]):
                self._shown.add(found[0].id)
                return found[0]
            if is_over or self.clock.monotonic() >= until:
                return None
            time.sleep(_LOOK_AGAIN)

    def wait_for_more(self, known: int, sent: Sent, seconds: float) -> Text | None:
        """Return an answer beyond the *known* ones, copies counted; None if none comes in time."""
        until = self.clock.monotonic() + seconds
        while True:
            if self.answers(sent.id) > known:
                return self.mailbox.replies(self.network.code, [sent.id])[-1]
            if self.clock.monotonic() >= until:
                return None
            time.sleep(_LOOK_AGAIN)

    def answers(self, message_id: str) -> int:
        """Count the answers to a text so far, copies counted."""
        found = self.mailbox.replies(self.network.code, [message_id])
        return sum(text.copies for text in found)

    def arrived(self) -> list[Text]:
        """Return what came to this phone and was not shown yet."""
        texts = self.mailbox.thread(self.network.code, self.holder.number)
        new = [text for text in texts if not text.is_sent and text.id not in self._shown]
        self._shown.update(text.id for text in new)
        return new

    def pin(self) -> str | None:
        """Return the PIN of the newest reply, if it carries one."""
        texts = self.mailbox.thread(self.network.code, self.holder.number)
        answer = thread.answer_in(texts)
        return answer[-thread.PIN_DIGITS :] if answer else None

    def code(self) -> str | None:
        """Return the transaction code of the newest reply that carries one."""
        return thread.code_in(self.mailbox.thread(self.network.code, self.holder.number))

    def inside(self, sent: Sent) -> Inside | None:
        """Return what happened to a text, once its reply is handed over or a second has passed."""
        until = self.clock.monotonic() + _SETTLING
        while True:
            found = self._happened(sent)
            is_settled = found is not None and (found.accepted_at or _is_silent(found))
            if is_settled or self.clock.monotonic() >= until:
                return found
            time.sleep(_LOOK_AGAIN)

    def _happened(self, sent: Sent) -> Inside | None:
        return self.watcher.insides(self.network.code, [sent.id]).get(sent.id)

    def _ended_silently(self, sent: Sent) -> bool:
        found = self._happened(sent)
        return found is not None and _is_silent(found)


def _is_silent(inside: Inside) -> bool:
    """Tell whether a message has ended without a reply."""
    return inside.handled_at is not None and inside.reply is None
