"""Traces: what the journal holds of what messages ask for, read for NK, KT and SAI alone.

A batch without any of them costs no statement more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.db import Database
from core.ids import uuid7
from core.keyring import Keyring
from journal import accesses, found
from journal.accesses import Accesses
from journal.found import Found
from journal.receipts import code_of
from records import cases
from records.cases import NewCase
from sms.accesses import MOST
from sms.commands import Check, GivePin, SayWrong
from sms.decision import Complaint, Message, Purpose, Trace
from sms.facts import Loaded
from sms.groundwork import Groundwork

# Attempts by others are news for so long.
_NEWS = timedelta(days=30)


def load(
    database: Database,
    keyring: Keyring,
    messages: Sequence[Message],
    loaded: Loaded,
    groundwork: Groundwork,
    now: datetime,
) -> Mapping[int, Trace]:
    """Read what these messages ask the journal for, by sender."""
    looking = _looking(messages, loaded, groundwork)
    typed = {
        message.sender_id: message
        for message in messages
        if message.sender is not None and _symbols(message) is not None
    }
    if not looking and not typed:
        return {}

    def read(session: Session) -> dict[int, Trace]:
        seen = _accesses(session, keyring, looking, now) if looking else {}
        checked = _checked(session, keyring, typed, now) if typed else {}
        return {**seen, **checked}

    return database.read(read)


def _looking(messages: Sequence[Message], loaded: Loaded, groundwork: Groundwork) -> dict[int, int]:
    """Say which senders have just opened whose log."""
    opened = {}
    for message in messages:
        challenge = loaded.moving.challenges.get(message.sender_id)
        if (
            isinstance(message.command, GivePin)
            and challenge is not None
            and challenge.purpose == Purpose.LOG
            and groundwork.matches.get(message.sender_id)
        ):
            opened[message.sender_id] = challenge.citizen_id
    return opened


def _accesses(
    session: Session, keyring: Keyring, looking: Mapping[int, int], now: datetime
) -> dict[int, Trace]:
    told = accesses.newest(
        session, keyring, set(looking.values()), now, most=MOST, attempts_since=now - _NEWS
    )
    return {
        sender: Trace(accesses=told.get(citizen, Accesses())) for sender, citizen in looking.items()
    }


def _checked(
    session: Session, keyring: Keyring, typed: Mapping[int, Message], now: datetime
) -> dict[int, Trace]:
    wanted = {symbols for each in typed.values() if (symbols := _symbols(each)) is not None}
    by_symbols = found.by_receipt(session, wanted)
    traced = {}
    disputed = {}
    for sender, message in typed.items():
        entry = _theirs(message, by_symbols.get(_symbols(message) or "", []))
        if entry is None:
            continue
        if isinstance(message.command, SayWrong):
            disputed[sender] = entry
        else:
            traced[sender] = Trace(found=entry)
    if disputed:
        traced |= _complaints(session, keyring, disputed, now)
    return traced


def _theirs(message: Message, candidates: Sequence[Found]) -> Found | None:
    """Choose the entry that a sender may ask about: by the whole receipt anybody may."""
    symbols = _symbols(message) or ""
    is_whole = symbols != code_of(symbols)
    may = [
        each
        for each in candidates
        if each.actor_index == message.sender_id
        or (is_whole and isinstance(message.command, Check))
    ]
    return max(may, key=lambda each: each.index, default=None)


def _complaints(
    session: Session, keyring: Keyring, disputed: Mapping[int, Found], now: datetime
) -> dict[int, Trace]:
    ids = [entry.entry_id for entry in disputed.values()]
    subjects = found.subjects_of(session, keyring, ids)
    known = cases.of_entries(session, ids)
    still_open = cases.open_of(session, disputed)
    return {
        sender: Trace(
            complaint=Complaint(
                about=entry,
                subject=subjects.get(entry.entry_id, ""),
                known=known.get(entry.entry_id),
                open=still_open.get(sender, 0),
                fresh=NewCase(
                    id=uuid7(),
                    number=cases.draw_number(),
                    entry_id=entry.entry_id,
                    sender_id=sender,
                    opened_at=now,
                ),
            )
        )
        for sender, entry in disputed.items()
    }


def _symbols(message: Message) -> str | None:
    match message.command:
        case Check(code) | SayWrong(code):
            return code.symbols
        case _:
            return None
