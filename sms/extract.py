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
_OWN = {Language.VI: "chính công dân, bằng SMS", Language.EN: "the citizen, by SMS"}


@dataclass(frozen=True, slots=True)
class Usage:
    """One access, in both languages; *given* is the reason that an officer gave, and the case.

    Shape: *office* is who acted but for the citizen; *embargo_until* is when the citizen may know.
    """

    logtime: datetime
    what: dict[Language, str] = field(repr=False)
    given: str = field(repr=False)
    receiver: dict[Language, str] = field(repr=False)
    receipt: str
    index: int
    office: str | None
    embargo_until: datetime | None

    @property
    def action(self) -> str:
        """Say what was done and why, in Vietnamese."""
        return f"{self.what[Language.VI]}: {self.given}" if self.given else self.what[Language.VI]

    def as_json(self) -> dict[str, str]:
        """Shape it for programs."""
        return {
            "logtime": self.logtime.astimezone(VIETNAM).isoformat(timespec="seconds"),
            "action": self.action,
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
        what={language: accesses.reason(entry.act, language) for language in Language},
        given=_given(entry.act),
        receiver=_OWN if entry.act.actor is None else _receiver(entry.act),
        receipt=entry.receipt,
        index=entry.index,
        office=entry.act.actor,
        embargo_until=entry.embargo_until,
    )


def _receiver(act: Act) -> dict[Language, str]:
    return {language: accesses.receiver(act, language) for language in Language}


def _given(act: Act) -> str:
    """Return the reason that an officer gave, with the number of the case."""
    if act.actor is None:
        return ""
    reason, case = (str(act.payload.get(name, "")) for name in ("reason", "case"))
    return f"{reason} ({case})".strip() if case else reason
