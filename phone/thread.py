"""A phone's thread as it is shown: what was sent, what came back, and what happened between."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from phone.inside import Inside
from phone.mailbox import Text
from sms import segments
from sms.segments import Encoding, Measured

# What one segment holds, and what each of several does. Source: 3GPP TS 23.040.
_ALONE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
_JOINED = {Encoding.GSM7: 153, Encoding.UCS2: 67}
# How a reply tells what to answer; the transaction code, too, may be six digits by chance.
_ANSWER = re.compile(r"\b(?:XN|PIN) [0-9]{6}\b")
PIN_DIGITS = 6
_CODE = re.compile(r"\b(?:Ma GD|Ref) ([0-9A-Z]{6})\b")


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a message's way.

    Shape: *name* is the key of its words; *at* is None for a step whose time nobody wrote down;
    *after* is the time since the step before it.
    """

    name: str
    at: datetime | None
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A text that a phone sent, what came back, and what happened in between."""

    sent: Text
    replies: tuple[Text, ...]
    inside: Inside | None

    @property
    def length(self) -> Measured:
        """How the text that was sent travels."""
        return segments.measure(self.sent.body)

    @property
    def took(self) -> timedelta | None:
        """The time from sending to the first reply's arrival."""
        return self.replies[0].at - self.sent.at if self.replies else None

    @property
    def acknowledged_after(self) -> timedelta:
        """The time from sending to the gateway's acknowledgement."""
        return timedelta(microseconds=self.sent.microseconds or 0)

    @property
    def price(self) -> int | None:
        """What the text cost its sender.

        Units: hundredths of a dong.
        """
        if self.inside is None or self.inside.part_price is None:
            return None
        return self.inside.part_price * self.length.segments

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The steps the message has taken, in their order."""
        return tuple(_stages(self))


def exchanges(texts: Sequence[Text], insides: Mapping[str, Inside]) -> tuple[Exchange, ...]:
    """Put each sent text together with its replies and its inside, the oldest first."""
    replies: dict[str | None, list[Text]] = {}
    for text in texts:
        if not text.is_sent:
            replies.setdefault(text.in_reply_to, []).append(text)
    return tuple(
        Exchange(text, tuple(replies.get(text.id, ())), insides.get(text.id))
        for text in texts
        if text.is_sent
    )


def room(measured: Measured) -> int:
    """Return how many units fit into the segments that a text fills."""
    if measured.segments == 1:
        return _ALONE[measured.encoding]
    return _JOINED[measured.encoding] * measured.segments


def answer_in(texts: Sequence[Text]) -> str | None:
    """Return the text that the newest reply asks for, PIN and all; None if it asks for none."""
    received = [text for text in texts if not text.is_sent]
    found = _ANSWER.search(received[-1].body) if received else None
    return found.group() if found else None


def code_in(texts: Sequence[Text]) -> str | None:
    """Return the transaction code of the newest reply that has one; None if none has."""
    for text in reversed(texts):
        if not text.is_sent and (found := _CODE.search(text.body)):
            return found[1]
    return None


def _stages(exchange: Exchange) -> list[Stage]:
    stages: list[Stage] = []
    before: datetime | None = None
    for name, at in _marks(exchange):
        after = at - before if at is not None and before is not None else None
        stages.append(Stage(name, at, after))
        before = at or before
    return stages


def _marks(exchange: Exchange) -> list[tuple[str, datetime | None]]:
    inside = exchange.inside
    early: list[tuple[str, datetime | None]] = [("received", exchange.sent.at)]
    late: list[tuple[str, datetime]] = []
    if inside is not None:
        early.append(("stored", inside.stored_at))
        if inside.handled_at is not None:
            early.append(("handled", inside.handled_at))
        if inside.sealing is not None:
            early.append(("sealed", inside.sealing.sealed_at))
        if inside.accepted_at is not None:
            late.append(("handed", inside.accepted_at))
    if exchange.replies:
        late.append(("arrived", exchange.replies[0].at))
    # The phone has the text before its network's answer is back, so these two come as they came.
    return early + sorted(late, key=lambda mark: mark[1])
