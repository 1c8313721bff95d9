"""What can be answered to a citizen, and its text: one GSM-7 segment, whatever the slots hold."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from records.catalogue import Group
from sms import results
from sms.commands import Hint, Language
from sms.results import ResultFields
from sms.templates import TEMPLATE_VERSION, TEXTS, TemplateId

LOOKUP_MESSAGES = 2  # DC and XN

_MINUTE = 60
_HUNDREDTHS = 100


class ReplyClass(StrEnum):
    """The kinds of reply, as rows and reports name them."""

    PIN = "PIN"
    RESULT = "RESULT"
    NOMATCH = "NOMATCH"
    WRONG = "WRONG"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    NOOPEN = "NOOPEN"
    LOCKED = "LOCKED"
    UNLOCKED = "UNLOCKED"
    CANCELLED = "CANCELLED"
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
class _Coded(_Uncoded):
    """A reply that has a journal entry; *code* is the entry's."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PinReply(_Coded):
    """Here is your PIN.

    Units: *life_seconds* in seconds; whole minutes are told as minutes.
    """

    reply_class: ClassVar[ReplyClass] = ReplyClass.PIN
    pin: str
    life_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ResultReply(_Coded):
    """Here is what you asked for."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.RESULT
    fields: ResultFields
    group: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMatchReply(_Coded):
    """Nothing can be told; the one answer to every reason."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.NOMATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongReply(_Coded):
    """Not the PIN; tries are left."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.WRONG
    tries_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedReply(_Coded):
    """Not the PIN; no try is left."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredReply(_Coded):
    """The PIN's life is over."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOpenReply(_Uncoded):
    """No request waits for a PIN."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.NOOPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedReply(_Coded):
    """Lookups by SMS are locked."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.LOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockedReply(_Coded):
    """Lookups by SMS are open again."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.UNLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledReply(_Coded):
    """No request is open any more."""

    reply_class: ClassVar[ReplyClass] = ReplyClass.CANCELLED


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
    | NoMatchReply
    | WrongReply
    | FailedReply
    | ExpiredReply
    | NoOpenReply
    | LockedReply
    | UnlockedReply
    | CancelledReply
    | SyntaxReply
    | HelpReply
    | PriceReply
    | QuotaReply
    | LateReply
    | DownReply
)

_SYNTAX = {hint: TemplateId(f"syntax.{hint}") for hint in Hint}


def template(reply: Reply) -> TemplateId:
    """Name the text that *reply* is written with."""
    match reply:
        case SyntaxReply(hint=Hint.DIGIT_COUNT, digits=None):
            return TemplateId.SYNTAX_PLAIN
        case SyntaxReply():
            return _SYNTAX[reply.hint]
        case PriceReply(price_hundredths=None):
            return TemplateId.PRICE_USUAL
        case PriceReply(price_hundredths=0):
            return TemplateId.PRICE_FREE
        case _:
            return TemplateId(reply.reply_class.lower())


def template_name(reply: Reply) -> str:
    """Name text, language and version for the journal, as in `wrong.vi.1`."""
    return f"{template(reply)}.{reply.language}.{TEMPLATE_VERSION}"


def with_code(reply: Reply, code: str) -> Reply:
    """Return *reply* with the code of its entry; one that has no entry is returned as it is."""
    return replace(reply, code=code) if isinstance(reply, _Coded) else reply


def render(reply: Reply) -> str:
    """Write *reply* as it is sent."""
    if isinstance(reply, ResultReply):
        return results.compose(reply.fields, reply.group, reply.code, reply.language).text
    return TEXTS[reply.language][template(reply)].format_map(_slots(reply))


def _slots(reply: Reply) -> dict[str, object]:
    slots: dict[str, object] = {"code": reply.code} if isinstance(reply, _Coded) else {}
    match reply:
        case PinReply():
            slots |= {"pin": reply.pin, "life": _life(reply.life_seconds, reply.language)}
        case WrongReply():
            slots["tries"] = reply.tries_left
        case SyntaxReply():
            slots["digits"] = reply.digits
        case PriceReply(price_hundredths=int() as price):
            slots["price"] = _dong(price, reply.language)
            slots["total"] = _dong(price * LOOKUP_MESSAGES, reply.language)
        case _:
            pass
    return slots


def _life(seconds: int, language: Language) -> str:
    minutes, rest = divmod(seconds, _MINUTE)
    if language is Language.VI:
        return f"{seconds} giay" if rest else f"{minutes} phut"
    return f"{seconds} sec" if rest else f"{minutes} min"


def _dong(hundredths: int, language: Language) -> str:
    dong, rest = divmod(hundredths, _HUNDREDTHS)
    written = f"{dong:,}.{rest:02}" if rest else f"{dong:,}"
    if language is Language.EN:
        return written
    return written.translate(str.maketrans(",.", ".,"))
