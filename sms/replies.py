"""What can be answered to a citizen."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from journal.accesses import Accesses
from journal.found import Found
from records.catalogue import Group
from sms.commands import Hint, Language
from sms.results import ResultFields


class ReplyClass(StrEnum):
    """The kinds of reply, as rows and reports name them."""

    PIN = "PIN"
    RESULT = "RESULT"
    LOG = "LOG"
    NOMATCH = "NOMATCH"
    WRONG = "WRONG"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    NOOPEN = "NOOPEN"
    LOCKED = "LOCKED"
    UNLOCKED = "UNLOCKED"
    CANCELLED = "CANCELLED"
    INCLUDED = "INCLUDED"
    UNKNOWN = "UNKNOWN"
    CASE = "CASE"
    SYNTAX = "SYNTAX"
    HELP = "HELP"
    PRICE = "PRICE"
    QUOTA = "QUOTA"
    LATE = "LATE"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Uncoded:
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded(_Uncoded):
    """A reply that has a journal entry; *code* is the entry's."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PinReply(Coded):
    """Here is your PIN.

    Units: *life_seconds* in seconds; whole minutes are told as minutes.
    """

    reply_class: ClassVar[ReplyClass] = ReplyClass.PIN
    pin: str
    life_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ResultReply(Coded):
    """Here is what you asked for."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.RESULT
    fields: ResultFields
    group: Group


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LogReply(Coded):
    """Here is who looked at your record, as of *now*."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.LOG
    accesses: Accesses
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMatchReply(Coded):
    """Nothing can be told; the one answer to every reason."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.NOMATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongReply(Coded):
    """Not the PIN; tries are left."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.WRONG
    tries_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedReply(Coded):
    """Not the PIN; no try is left."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredReply(Coded):
    """The PIN's life is over."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOpenReply(_Uncoded):
    """No request waits for a PIN."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.NOOPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedReply(Coded):
    """Lookups by SMS are locked."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.LOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockedReply(Coded):
    """Lookups by SMS are open again."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.UNLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledReply(Coded):
    """No request is open any more."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IncludedReply(_Uncoded):
    """It is in the journal: there, and under this receipt."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.INCLUDED
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownReply(_Uncoded):
    """Not in the journal, or not this number's: the one answer to both."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReply(Coded):
    """What is wrong is noted, under this number."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.CASE
    number: str
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxReply(_Uncoded):
    """The message was not understood; *digits* were read where a number was expected."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.SYNTAX
    hint: Hint
    digits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpReply(_Uncoded):
    """What can be texted, and the stronger ways."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.HELP


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceReply(_Uncoded):
    """What a message costs the citizen, if that is known.

    Units: *price_hundredths* of a dong per message.
    """

    reply_class: ClassVar[ReplyClass] = ReplyClass.PRICE
    price_hundredths: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaReply(_Uncoded):
    """Not now: too many requests, or not again so soon."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.QUOTA


@dataclass(frozen=True, slots=True, kw_only=True)
class LateReply(_Uncoded):
    """The message took too long to reach us."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.LATE


@dataclass(frozen=True, slots=True, kw_only=True)
class DownReply(_Uncoded):
    """The service cannot answer."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.DOWN


Reply = (
    PinReply
    | ResultReply
    | LogReply
    | NoMatchReply
    | WrongReply
    | FailedReply
    | ExpiredReply
    | NoOpenReply
    | LockedReply
    | UnlockedReply
    | CancelledReply
    | IncludedReply
    | UnknownReply
    | CaseReply
    | SyntaxReply
    | HelpReply
    | PriceReply
    | QuotaReply
    | LateReply
    | DownReply
)


def with_code(reply: Reply, code: str) -> Reply:
    """Return *reply* with the code of its entry; one that has no entry is returned as it is."""
    return replace(reply, code=code) if isinstance(reply, Coded) else reply
