"""How the accesses to a record are told: when, who as an institution, and why.

The lookup that asks is not among them: whoever reads the answer has just made it, and its entry is
sealed only afterwards. Earlier ones are: one that the citizen did not make is what tells them that
somebody else had their telephone.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core.clock import VIETNAM
from journal.accesses import Access, Accesses
from journal.entries import ToldAs
from journal.openings import Act
from sms.commands import Language
from sms.disclosure import OTHER_NUMBER, OTHER_NUMBER_OWNER
from sms.replies import ReplyClass
from sms.results import unaccented
from sms.segments import measure
from sms.templates import TEXTS, TemplateId

# The shortest that can be told of one takes a fifth of the room.
MOST = 5

_ROOM = 160  # GSM-7 septets in one segment
_LONGEST_NAME = 30
_ACCESSES = frozenset({ReplyClass.RESULT, ReplyClass.LOG})
_ATTEMPTS = frozenset({OTHER_NUMBER, OTHER_NUMBER_OWNER})
_LOG = ReplyClass.LOG
_OWN = {Language.VI: "bạn, SMS", Language.EN: "you, SMS"}
_SOMEBODY = {Language.VI: "cán bộ", Language.EN: "an official"}
_VIEW = {Language.VI: "xem", Language.EN: "view"}
# A citizen's own lookups by what was shown, officers' acts by their names.
_WHY = {
    Language.VI: {"": "hồ sơ", "CT": "cư trú", "TT": "thẻ", _LOG: "nhật ký"},
    Language.EN: {"": "record", "CT": "residence", "TT": "card", _LOG: "log"},
}
_ACTS = {
    Language.VI: {
        "journal-extract": "trích lục nhật ký",
        "journal-open": "mở nhật ký",
        "access-file": "trích lục nhật ký",
        "reveal-show": "xem tin nhắn",
    },
    Language.EN: {
        "journal-extract": "log extract",
        "journal-open": "log opened",
        "access-file": "log extract",
        "reveal-show": "message seen",
    },
}
_EARLIER = {Language.VI: "va {} lan truoc", Language.EN: "and {} earlier"}
_TRIED = {Language.VI: "so khac thu {} lan/30 ngay", Language.EN: "others tried {}x in 30 days"}
_SHORT_NAMES = (
    ("cong an", "CA"),
    ("uy ban nhan dan", "UBND"),
    ("bao hiem xa hoi", "BHXH"),
    ("thanh pho", "TP"),
    ("phuong", "P."),
    ("xa", "X."),
)


def compose(found: Accesses, now: datetime, code: str, language: Language) -> str:
    """Write a LOG that fits one GSM-7 segment.

    Shape: as many accesses as fit, the newest first, beside how many are left out and how often
    others tried: neither is kept silent for one access more.
    """
    tried = _tried(found.attempts, language)
    if not found.newest:
        text = TEXTS[language][TemplateId.LOG_NONE]
        return text.format(told=f" ({tried})" if tried else "", code=code)
    text = ""
    for told in _ever_shorter(found, tried, now, language):
        text = TEXTS[language][TemplateId.LOG].format(told="; ".join(told), code=code)
        if measure(text).units <= _ROOM:
            break
    return text


def told_as(outcome: str, reason: str) -> ToldAs | None:
    """Say what citizens are told of an exchange as, when they ask who looked.

    Only what let something of the record leave is an access. That another number asked, and was
    told nothing, is told in one figure: listed, it would let anybody push the accesses out.
    """
    if outcome in _ACCESSES:
        return ToldAs.ACCESS
    return ToldAs.ATTEMPT if reason in _ATTEMPTS else None


def receiver(act: Act, language: Language) -> str:
    """Name the institution that an access was made for; citizens themselves are told as such."""
    if act.actor is None:
        return _OWN[language]
    name = _text(act, "receiver")
    return " ".join(name.split()) or _SOMEBODY[language]


def reason(act: Act, language: Language) -> str:
    """Say why an access was made."""
    if act.actor is None:
        shown = _LOG if _text(act, "outcome") == _LOG else _text(act, "group")
        return _WHY[language].get(shown, _VIEW[language])
    return _ACTS[language].get(_text(act, "act"), _VIEW[language])


def _ever_shorter(
    found: Accesses, tried: str, now: datetime, language: Language
) -> Iterator[list[str]]:
    told = [_item(access, now, language) for access in found.newest]
    last = [tried] if tried else []
    for count in range(len(told), 0, -1):
        for rest in _rests(found.count - count, language):
            yield [*told[:count], *rest, *last]
    yield told[:1]  # fits whatever it says: names and reasons are bounded


def _rests(left_out: int, language: Language) -> list[list[str]]:
    """Say how many accesses are left out, at length and shortly."""
    if left_out <= 0:
        return [[]]
    figure = _figure(left_out, language)
    return [[_EARLIER[language].format(figure)], [f"+{figure}"]]


def _item(access: Access, now: datetime, language: Language) -> str:
    at, today = access.at.astimezone(VIETNAM), now.astimezone(VIETNAM)
    when = f"{at:%d/%m %H:%M}" if at.year == today.year else f"{at:%d/%m/%y %H:%M}"
    who = _short(unaccented(receiver(access.act, language)))
    return f"{when} {who}, {unaccented(reason(access.act, language))}"


def _tried(attempts: int, language: Language) -> str:
    return _TRIED[language].format(_figure(attempts, language)) if attempts else ""


def _figure(value: int, language: Language) -> str:
    written = f"{value:,}"
    return written.replace(",", ".") if language is Language.VI else written


def _short(name: str) -> str:
    """Shorten the name of an institution: usual abbreviations, then whole words from its end."""
    padded = f" {name.casefold()} "
    for long, short in _SHORT_NAMES:
        at = padded.find(f" {long} ")
        if at >= 0:
            name = f"{name[:at]}{short}{name[at + len(long) :]}"
            padded = f" {name.casefold()} "
    words = name.split()
    while len(words) > 1 and len(" ".join(words)) > _LONGEST_NAME:
        words.pop()
    return " ".join(words)[:_LONGEST_NAME]


def _text(act: Act, name: str) -> str:
    value: Any = act.payload.get(name, "")
    return value if isinstance(value, str) else ""
