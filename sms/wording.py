"""How a reply is written: one GSM-7 segment, whatever its slots hold."""

from core.clock import VIETNAM
from journal.found import Found
from sms import accesses, results
from sms.commands import Hint, Language
from sms.replies import (
    CaseReply,
    Coded,
    IncludedReply,
    LogReply,
    PinReply,
    PriceReply,
    Reply,
    ResultReply,
    SyntaxReply,
    WrongReply,
)
from sms.templates import TEMPLATE_VERSION, TEXTS, TemplateId

LOOKUP_MESSAGES = 2  # DC and XN

_MINUTE = 60
_HUNDREDTHS = 100

_SYNTAX = {hint: TemplateId(f"syntax.{hint}") for hint in Hint}


def template(reply: Reply) -> TemplateId:
    """Name the text that *reply* is written with."""
    match reply:
        case SyntaxReply(hint=Hint.DIGIT_COUNT, digits=None):
            return TemplateId.SYNTAX_PLAIN
        case SyntaxReply():
            return _SYNTAX[reply.hint]
        case LogReply(accesses=found) if not found.newest:
            return TemplateId.LOG_NONE
        case CaseReply(is_closed=True):
            return TemplateId.CASE_CLOSED
        case PriceReply(price_hundredths=None):
            return TemplateId.PRICE_USUAL
        case PriceReply(price_hundredths=0):
            return TemplateId.PRICE_FREE
        case _:
            return TemplateId(reply.reply_class.lower())


def template_name(reply: Reply) -> str:
    """Name text, language and version for the journal, as in `wrong.vi.2`."""
    return f"{template(reply)}.{reply.language}.{TEMPLATE_VERSION}"


def render(reply: Reply) -> str:
    """Write *reply* as it is sent."""
    if isinstance(reply, ResultReply):
        return results.compose(reply.fields, reply.group, reply.code, reply.language).text
    if isinstance(reply, LogReply):
        return accesses.compose(reply.accesses, reply.now, reply.code, reply.language)
    return TEXTS[reply.language][template(reply)].format_map(_slots(reply))


def _slots(reply: Reply) -> dict[str, object]:
    slots: dict[str, object] = {"code": reply.code} if isinstance(reply, Coded) else {}
    match reply:
        case PinReply():
            slots |= {"pin": reply.pin, "life": _life(reply.life_seconds, reply.language)}
        case WrongReply():
            slots["tries"] = reply.tries_left
        case SyntaxReply():
            slots["digits"] = reply.digits
        case IncludedReply():
            slots |= _place(reply.found, reply.language)
        case CaseReply():
            slots["case"] = reply.number
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


def _place(found: Found, language: Language) -> dict[str, object]:
    return {
        "index": _figure(found.index, language),
        "size": _figure(found.size, language),
        "at": f"{found.at.astimezone(VIETNAM):%d/%m/%Y %H:%M}",
        "receipt": found.receipt,
    }


def _dong(hundredths: int, language: Language) -> str:
    dong, rest = divmod(hundredths, _HUNDREDTHS)
    return _local(f"{dong:,}.{rest:02}" if rest else f"{dong:,}", language)


def _figure(value: int, language: Language) -> str:
    """Write a whole number in groups of three: six digits in a row are a PIN and nothing else."""
    return _local(f"{value:,}", language)


def _local(written: str, language: Language) -> str:
    if language is Language.EN:
        return written
    return written.translate(str.maketrans(",.", ".,"))
