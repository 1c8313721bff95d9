"""Disclosure: which entries are opened to somebody, the entry that says so, and the openings.

The entry is sealed before the first opening leaves; it tells how many, and which. Entries are gone
through a page at a time, once to count and once to open, so memory does not grow with them.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database
from core.keyring import Keyring, row_id
from journal import found, openings, receipts
from journal.entries import Draft, Kind, Retention, ToldAs
from journal.errors import ExportError
from journal.leaf import PayloadValue
from journal.runs import Run, joined, written
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF, JOURNAL_OPEN

_PAGE = 2048
_MOST_RUNS = 200
_SPAN = re.compile("(0|[1-9][0-9]{0,17})(?:-(0|[1-9][0-9]{0,17}))?")
_PERSON = re.compile("person:([0-9]{12})")
_NAMED = "person:"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are asked for: whatever any of these names."""

    spans: tuple[Run, ...] = ()
    kinds: tuple[Kind, ...] = ()
    receipts: tuple[str, ...] = ()
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selection in terms of the tables, within *first* and *last*."""

    first: int
    last: int
    spans: tuple[Run, ...]
    kinds: tuple[Kind, ...]
    subjects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many entries are chosen, and which: the first runs of them, and a digest of all."""

    count: int
    runs: tuple[Run, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Who discloses, and why."""

    by: str
    reason: str
    case: str | None
    acts_only: bool
    receiver: str | None = None
    embargo_until: datetime | None = None


def is_secret(word: str) -> bool:
    """Tell whether a word names somebody: such a word must not stand on a command line."""
    return word.startswith(_NAMED)


def select(words: Iterable[str]) -> Selection:
    """Read a selection: numbers, spans of them, receipts, kinds; or one person, and nothing else.

    Raises: ExportError.
    """
    spans, kinds, told, people = [], [], [], []
    for word in words:
        receipt = receipts.read(word)
        if span := _SPAN.fullmatch(word):
            spans.append((int(span[1]), int(span[2] or span[1])))
        elif word in set(Kind):
            kinds.append(Kind(word))
        elif person := _PERSON.fullmatch(word):
            people.append(person[1])
        elif receipt is not None:
            told.append(receipt)
        else:
            shown = "a line" if is_secret(word) else word
            raise ExportError(
                f"{shown} selects nothing: give a number, a span as 12-40, a receipt, or a kind "
                f"({', '.join(Kind)}); person:ID stands in a file"
            )
    if people and (len(people) > 1 or spans or kinds or told):
        raise ExportError("a person is disclosed alone: one person, and nothing else beside")
    return Selection(tuple(spans), tuple(kinds), tuple(told), people[0] if people else None)


def choose(
    database: Database, keyring: Keyring, selection: Selection, first: int, last: int
) -> Chosen:
    """Find what a selection means in the log between two leaves.

    Raises: ExportError if it names what is not there.
    """
    known = (
        database.read(partial(found.by_receipt, wanted=selection.receipts))
        if (selection.receipts)
        else {}
    )
    spans = list(selection.spans)
    for receipt in selection.receipts:
        if not known[receipt]:
            raise ExportError(f"no entry has the receipt {receipt}: see that it was read aright")
        spans.extend((each.index, each.index) for each in known[receipt])
    for low, high in spans:
        if not first <= low <= high <= last:
            raise ExportError(
                f"{written([(low, high)])} is not within {first}-{last}, which is exported: only "
                "what is exported can be opened"
            )
    tags = keyring.indexes("personal_id", selection.person) if selection.person else ()
    return Chosen(first, last, joined(spans), selection.kinds, tuple(map(row_id, tags)))


def count(
    database: Database,
    chosen: Chosen,
    progress: Callable[[int], None] = lambda _reached: None,
) -> Count:
    """Count what is chosen; *progress* hears which leaf was reached."""
    digest, total, runs = hashlib.sha256(), 0, list[Run]()
    last = None
    for row in _rows(database, chosen, _NUMBERS, progress):
        digest.update(f"{row.seq}\n".encode())
        total += 1
        if last == row.seq - 1 and len(runs) <= _MOST_RUNS:
            runs[-1] = (runs[-1][0], row.seq)
        elif len(runs) <= _MOST_RUNS:
            runs.append((row.seq, row.seq))
        last = row.seq
    return Count(total, tuple(runs[:_MOST_RUNS]), digest.hexdigest())


def draft(
    selection: Selection, chosen: Chosen, counted: Count, grounds: Grounds, size: int
) -> Draft:
    """Draft the entry of a disclosure; *size* is the tree's when it was counted."""
    said: dict[str, PayloadValue] = {
        "act": "journal-open",
        "reason": grounds.reason,
        "count": counted.count,
        "chosen": tuple(written([run]) for run in counted.runs),
        "digest": counted.digest,
        "parts": ("act",) if grounds.acts_only else ("act", "identity"),
        "size": size,
    }
    given = {"case": grounds.case, "receiver": grounds.receiver}
    said.update({name: value for name, value in given.items() if value is not None})
    person = selection.person
    return Draft(
        kind=Kind.ADMIN,
        retention=Retention.ACT,
        actor=grounds.by,
        actor_index=None,
        subject=f"{_NAMED}{person}" if person else None,
        subject_index=chosen.subjects[0] if person else None,
        payload=said,
        told_as=ToldAs.ACCESS if person else None,
        embargo_until=grounds.embargo_until,
    )


def lines(
    database: Database, keyring: Keyring, chosen: Chosen, *, acts_only: bool
) -> Iterator[bytes]:
    """Open what is chosen, a line of JSON for each entry; what is gone by now is said to be."""
    for row in _rows(database, chosen, _SEALED):
        opened: dict[str, dict[str, str | None] | None] = {
            "act": _act(openings.act(keyring, row.id, row.act_key_id, row.enc_act))
        }
        if not acts_only:
            opened["identity"] = _identity(
                openings.identity(keyring, row.id, row.identity_key_id, row.enc_identity)
            )
        told: dict[str, object] = {name: part for name, part in opened.items() if part}
        if gone := [name for name, part in opened.items() if not part]:
            told["gone"] = gone
        told["seq"] = row.seq
        yield _WRITTEN.encode(told).encode() + b"\n"


def _act(found_act: openings.Act | None) -> dict[str, str | None] | None:
    if found_act is None:
        return None
    said: dict[str, str | None] = {"e": found_act.salt.hex(), "payload": found_act.payload_text}
    return {**said, "actor": found_act.actor} if found_act.actor else said


def _identity(found_identity: openings.Identity | None) -> dict[str, str | None] | None:
    if found_identity is None:
        return None
    said = {"s": found_identity.salt.hex(), "subject": found_identity.subject}
    return {**said, "actor": found_identity.actor} if found_identity.actor else said


def _rows(
    database: Database,
    chosen: Chosen,
    wanted: sa.Select[Any],
    progress: Callable[[int], None] = lambda _reached: None,
) -> Iterator[sa.Row[Any]]:
    """Yield the chosen entries in their order, a page of the log at a time."""
    ranged = ((chosen.first, chosen.last),) if chosen.kinds or chosen.subjects else chosen.spans
    for low, high in ranged:
        for start in range(low, high + 1, _PAGE):
            end = min(start + _PAGE - 1, high)
            within = JOURNAL_LEAF.c.seq.between(start, end)
            page = wanted.where(within, _condition(chosen, start, end))
            yield from database.read(partial(_all, page=page))
            progress(end)


def _all(session: Session, page: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    return session.execute(page).all()


def _condition(chosen: Chosen, start: int, end: int) -> sa.ColumnElement[bool]:
    within = [
        JOURNAL_LEAF.c.seq.between(low, high)
        for low, high in chosen.spans
        if low <= end and start <= high
    ]
    return sa.or_(
        sa.false(),
        *within,
        JOURNAL_ENTRY.c.kind.in_(chosen.kinds),
        JOURNAL_OPEN.c.subject_index.in_(chosen.subjects),
    )


_WRITTEN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_NUMBERS: sa.Select[Any] = (
    sa.select(JOURNAL_LEAF.c.seq)
    .join(JOURNAL_ENTRY, JOURNAL_ENTRY.c.id == JOURNAL_LEAF.c.entry_id)
    .outerjoin(JOURNAL_OPEN, JOURNAL_OPEN.c.entry_id == JOURNAL_LEAF.c.entry_id)
    .order_by(JOURNAL_LEAF.c.seq)
)
_SEALED = _NUMBERS.add_columns(
    JOURNAL_ENTRY.c.id,
    JOURNAL_OPEN.c.act_key_id,
    JOURNAL_OPEN.c.enc_act,
    JOURNAL_OPEN.c.identity_key_id,
    JOURNAL_OPEN.c.enc_identity,
)
