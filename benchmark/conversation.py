"""What a citizen texts and which replies are due, as conversations that the load holds."""

import re
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum

from benchmark.people import Kind, Person, Turn

# The words before it, because the code of a reply's entry may be six digits too.
_PIN = re.compile(r"xac thuc ([0-9]{6}),")
_KEYWORD_OF_NO_COMMAND = "QWZXVB"


class Reply(StrEnum):
    """The replies that the load can tell apart."""

    PIN = "PIN"
    RESULT = "RESULT"
    WRONG = "WRONG"
    NOMATCH = "NOMATCH"
    SYNTAX = "SYNTAX"
    DOWN = "DOWN"
    QUOTA = "QUOTA"
    OTHER = "OTHER"


_PHRASES = {
    "xac thuc khong dung": Reply.WRONG,
    "Khong thuc hien duoc": Reply.NOMATCH,
    "cu phap": Reply.SYNTAX,
    "tam ngung": Reply.DOWN,
    "chua the nhan": Reply.QUOTA,
}


@dataclass(frozen=True, slots=True)
class Say:
    """One message: its text, the reply that is due, and whether the operator posts it twice."""

    text: str
    due: Reply
    twice: bool = False


def hold(turn: Turn) -> Generator[Say, str, None]:
    """Hold the conversation of one turn: yield each message, be sent the reply it got."""
    ask = f"DC {turn.person.personal_id}"
    if turn.kind is Kind.FOREIGN:
        yield Say(ask, Reply.NOMATCH)
        return
    if turn.kind is Kind.UNKNOWN:
        yield Say(_KEYWORD_OF_NO_COMMAND, Reply.SYNTAX)
        return
    twice = turn.kind is Kind.REPEATED
    pin = pin_in((yield Say(ask, Reply.PIN, twice)))
    if turn.kind is Kind.WRONG_PIN:
        yield Say(f"XN {_another(pin)}", Reply.WRONG)
    yield Say(f"XN {pin}", Reply.RESULT, twice)


def recognise(text: str, person: Person) -> Reply:
    """Tell which reply *text* is; a RESULT must be that of *person*."""
    if _PIN.search(text):
        return Reply.PIN
    if f"...{person.personal_id[-3:]}" in text:
        return Reply.RESULT
    return next((reply for phrase, reply in _PHRASES.items() if phrase in text), Reply.OTHER)


def pin_in(text: str) -> str:
    """Return the PIN of a PIN reply.

    Raises: ValueError if there is none.
    """
    found = _PIN.search(text)
    if found is None:
        raise ValueError("no PIN in this reply")
    return found[1]


def _another(pin: str) -> str:
    return f"{(int(pin) + 1) % 10**6:06d}"
