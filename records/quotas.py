"""What one number may ask: pure rules over its own history, decided without the register.

Source: ADR 0010; the figures are those of the policy, counted in the sender's row.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto

from core.clock import vietnam_day

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderLimits:
    """How often one number is answered."""

    spacing: timedelta = timedelta(seconds=60)
    asks_per_hour: int = 6
    asks_per_day: int = 10
    people_per_day: int = 5
    replies_per_day: int = 10
    mistakes_per_day: int = 5


class Verdict(Enum):
    """Whether a message is worked on, refused with a text, or refused in silence."""

    ALLOWED = auto()
    TOO_SOON = auto()
    QUOTA = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for a PIN: when, and by blind index for whom."""

    at: datetime
    citizen_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What one number has done lately; the counts are of one Vietnamese day."""

    day: date
    asks: tuple[Ask, ...] = ()
    replies: int = 0
    mistakes: int = 0
    told: bool = False

    def on(self, now: datetime) -> "History":
        """Return the history as it stands at *now*: old asks gone, a new day's counts at zero."""
        today = vietnam_day(now)
        asks = tuple(ask for ask in self.asks if now - ask.at < _DAY)
        if today == self.day:
            return self if len(asks) == len(self.asks) else replace(self, asks=asks)
        return History(day=today, asks=asks)

    def answered(self) -> "History":
        """Count one reply."""
        return replace(self, replies=self.replies + 1)


def judge_ask(history: History, citizen_id: int, limits: SenderLimits, now: datetime) -> Verdict:
    """Say whether the sender may ask about this citizen now."""
    if history.asks and now - history.asks[-1].at < limits.spacing:
        return (
            judge_reply(history, limits) if _out_of_replies(history, limits) else Verdict.TOO_SOON
        )
    lately = sum(1 for ask in history.asks if now - ask.at < _HOUR)
    people = {ask.citizen_id for ask in history.asks} | {citizen_id}
    over = (
        lately >= limits.asks_per_hour
        or len(history.asks) >= limits.asks_per_day
        or len(people) > limits.people_per_day
        # A PIN whose answer could not be sent any more would be wasted.
        or history.replies + 2 > limits.replies_per_day
    )
    return _refusal(history) if over else Verdict.ALLOWED


def judge_mistake(history: History, limits: SenderLimits) -> Verdict:
    """Say whether help, or a word on a message not understood, is sent once more today."""
    over = history.mistakes >= limits.mistakes_per_day or _out_of_replies(history, limits)
    return _refusal(history) if over else Verdict.ALLOWED


def judge_reply(history: History, limits: SenderLimits) -> Verdict:
    """Say whether any reply may go to the sender today."""
    return _refusal(history) if _out_of_replies(history, limits) else Verdict.ALLOWED


def asked(history: History, citizen_id: int, now: datetime) -> History:
    """Count one request for a PIN."""
    return replace(history, asks=(*history.asks, Ask(now, citizen_id)))


def mistaken(history: History) -> History:
    """Count one message that was answered with help."""
    return replace(history, mistakes=history.mistakes + 1)


def told(history: History) -> History:
    """Note that the sender has been told of today's limit."""
    return replace(history, told=True)


def dump(history: History) -> str:
    """Write a history for the sender's row."""
    asks = [[(ask.at - _EPOCH) // _MICROSECOND, ask.citizen_id] for ask in history.asks]
    return json.dumps(
        [history.day.isoformat(), asks, history.replies, history.mistakes, history.told],
        separators=(",", ":"),
    )


def load(text: str) -> History:
    """Read a history from the sender's row."""
    day, asks, replies, mistakes, was_told = json.loads(text)
    return History(
        day=date.fromisoformat(day),
        asks=tuple(Ask(_EPOCH + timedelta(microseconds=at), who) for at, who in asks),
        replies=replies,
        mistakes=mistakes,
        told=was_told,
    )


def _out_of_replies(history: History, limits: SenderLimits) -> bool:
    return history.replies >= limits.replies_per_day


def _refusal(history: History) -> Verdict:
    return Verdict.SILENT if history.told else Verdict.QUOTA
