"""The extract: every access to one citizen's record, in the shape of the Data Tracker's findUsage.

Source: the protocol of the Estonian Data Tracker, 8.1.4: `logtime`, `action` and `receiver`, the
newest first. Each has the receipt of its entry beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from core.clock import VIETNAM
from journal.accesses import Opened
from journal.entries import Kind, ToldAs
from journal.openings import Act
from sms import accesses
from sms.commands import Language

_SHOWN_DIGITS = 3
_ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Usage:
    """One access, in both languages."""

    logtime: datetime
    action: dict[Language, str] = field(repr=False)
    receiver: dict[Language, str] = field(repr=False)
    receipt: str

    def as_json(self) -> dict[str, str]:
        """Shape it for programs."""
        return {
            "logtime": self.logtime.astimezone(VIETNAM).isoformat(timespec="seconds"),
            "action": self.action[Language.VI],
            "receiver": self.receiver[Language.VI],
            "receipt": self.receipt,
        }


@dataclass(frozen=True, slots=True)
class Extract:
    """The accesses to one record, and how often others asked and were told nothing."""

    usages: tuple[Usage, ...]
    attempts: int


def of(opened: Iterable[Opened]) -> Extract:
    """Take the accesses out of the entries about a citizen.

    What counts is what the entries themselves say, whatever the database's columns say of them.
    """
    usages, attempts = [], 0
    for entry in opened:
        match _told_as(entry):
            case ToldAs.ACCESS:
                usages.append(_usage(entry))
            case ToldAs.ATTEMPT:
                attempts += 1
            case None:
                pass
    return Extract(tuple(usages), attempts)


def masked(personal_id: str) -> str:
    """Write a personal number so that its last digits alone show."""
    hidden = _ID_DIGITS - _SHOWN_DIGITS
    return "\N{BULLET}" * hidden + personal_id[-_SHOWN_DIGITS:]


def _told_as(entry: Opened) -> ToldAs | None:
    if entry.kind == Kind.ADMIN:
        return ToldAs.ACCESS  # whatever an officer does about a citizen is theirs to know
    payload = entry.act.payload
    return accesses.told_as(str(payload.get("outcome", "")), str(payload.get("reason", "")))


def _usage(entry: Opened) -> Usage:
    return Usage(
        logtime=entry.at,
        action={language: _action(entry.act, language) for language in Language},
        receiver={language: accesses.receiver(entry.act, language) for language in Language},
        receipt=entry.receipt,
    )


def _action(act: Act, language: Language) -> str:
    """Say what was done and, where an officer did it, the reason that was given for it."""
    what = accesses.reason(act, language)
    given = act.payload.get("reason") if act.actor is not None else None
    case = act.payload.get("case") if act.actor is not None else None
    told = f"{what}: {given}" if isinstance(given, str) and given else what
    return f"{told} ({case})" if isinstance(case, str) and case else told
