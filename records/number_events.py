"""Keeps what operators say became of numbers: blind index and ciphertext, never a number.

Events are kept (`records.kept_events`), heeded or not: whether one counts can hang on another that
comes later. How a number stands is worked out anew from what is kept of it in the commit that takes
one more, and read by every check from one row.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import dialect_of, locked, upsert
from core.ids import first_uuid7, uuid7
from core.keyring import Keyring, Sealed, row_id
from core.phone import Msisdn
from core.prepared import among, prepared
from records import kept_events, numbers
from records.numbers import Event, Kind, Standing
from records.tables import NUMBER, NUMBER_EVENT

# What is older speaks against no verification that is still good (`numbers.LASTS`).
_KEPT = numbers.LASTS + timedelta(days=31)
_MISSED = timedelta(days=60)
_CONTENT_LABEL = "number-event/1"


class Taken(StrEnum):
    """What became of an event that was handed over."""

    NEW = "new"
    REPEATED = "repeated"
    CONFLICTING = "conflicting"
    NOT_SERVED = "not-served"
    TOO_MANY = "too-many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event ready to be kept: encrypted, indexed and tagged outside the transaction."""

    id: UUID
    link_id: int
    event: Event
    number: Msisdn = field(repr=False)
    number_id: int
    tag: bytes = field(repr=False)
    content_tag: bytes = field(repr=False)
    sealed: Sealed


def prepare(keyring: Keyring, link_id: int, event: Event, number: Msisdn) -> Arrival:
    """Make everything that keeping an event needs but the database."""
    key, tag = uuid7(), keyring.index("phone", number)
    said = (number, event.kind, event.happened_at.isoformat(), event.to or "", str(event.until))
    return Arrival(
        id=key,
        link_id=link_id,
        event=event,
        number=number,
        number_id=row_id(tag),
        tag=tag,
        content_tag=keyring.pepper(_CONTENT_LABEL, "\n".join(said).encode()),
        sealed=keyring.encrypt(
            number.encode(), "register", table="number_event", column="blob", row=key.bytes
        ),
    )


def take(session: Session, arrivals: Sequence[Arrival], prefixes: Mapping[str, str]) -> list[Taken]:
    """Keep events, but those that came before, and work out anew how their numbers stand.

    *prefixes*: what was agreed with each operator (`numbers.judge`).
    """
    # In key order, as every other transaction that takes the same ids does.
    in_order = sorted(arrivals, key=lambda each: (each.link_id, each.event.id, each.id))
    new = {each.id for each in in_order if _keep(session, each)}
    of_numbers: dict[int, list[Arrival]] = defaultdict(list)
    for each in in_order:
        if each.id in new:
            of_numbers[each.number_id].append(each)
    came_to: dict[UUID, Taken] = {}
    for number_id in sorted(of_numbers):
        came_to |= _take_of(session, number_id, of_numbers[number_id], prefixes)
    return [came_to[each.id] if each.id in new else _compare(session, each) for each in arrivals]


def standings(session: Session, number_ids: Collection[int]) -> dict[int, Standing]:
    """Load how these numbers stand; one of which nothing was heard is left out."""
    if not number_ids:
        return {}
    rows = session.execute(_OF, {"numbers": sorted(number_ids)})
    return {row.id: _standing(row) for row in rows}


def forget(session: Session, now: datetime) -> None:
    """Drop the events that no number's standing can hang on any more.

    Who a number was ported to is kept, and that it was given up after that: they say who speaks
    for it.
    """
    before, ported = now - _KEPT, NUMBER_EVENT.alias("ported")
    was_ported = sa.exists().where(
        ported.c.number_id == NUMBER_EVENT.c.number_id, ported.c.kind == Kind.PORTED.value
    )
    session.execute(
        sa.delete(NUMBER_EVENT).where(
            NUMBER_EVENT.c.id >= first_uuid7(before - _MISSED),
            NUMBER_EVENT.c.id < first_uuid7(before),
            NUMBER_EVENT.c.kind != Kind.PORTED.value,
            sa.or_(NUMBER_EVENT.c.kind != Kind.RELEASED.value, sa.not_(was_ported)),
        )
    )


def _keep(session: Session, arrival: Arrival) -> bool:
    """Keep one event; tell whether its id is new on its link."""
    event = arrival.event
    kept = session.execute(
        _keep_statement(dialect_of(session)),
        {
            "id": arrival.id,
            "link_id": arrival.link_id,
            "operator": event.operator,
            "event_id": event.id,
            "content_tag": arrival.content_tag,
            "number_id": arrival.number_id,
            "tag": arrival.tag,
            "key_id": arrival.sealed.key_id,
            "blob": arrival.sealed.blob,
            "kind": event.kind.value,
            "happened_at": event.happened_at,
            "ported_to": event.to,
            "until": event.until,
        },
    )
    return kept.first() is not None


def _take_of(
    session: Session, number_id: int, arrivals: Sequence[Arrival], prefixes: Mapping[str, str]
) -> dict[UUID, Taken]:
    """Take in what is new of one number, and say what each event came to."""
    # Locked before the events are read: whoever takes another one waits, and then sees ours.
    session.execute(_make_statement(dialect_of(session)), {"id": number_id})
    session.execute(locked(_THIS, session), {"number": number_id}).all()
    number = arrivals[0].number
    of_kinds = {(each.event.operator, each.event.kind): each for each in arrivals}
    crowded = {
        pair
        for pair, newest in of_kinds.items()
        if kept_events.drop_outdone(session, newest.id, number_id, *pair)
    }
    judged = numbers.judge(kept_events.load(session, number_id, number, prefixes), number, prefixes)
    _write(session, number_id, judged.standing)
    return {each.id: _came_to(each.event, judged.heeded, crowded) for each in arrivals}


def _write(session: Session, number_id: int, stands: Standing) -> None:
    session.execute(
        _WRITE,
        {
            "number": number_id,
            "swapped": stands.sim_changed_at,
            "moved": stands.ported_at,
            "gone": stands.left_at,
            "shut": stands.barred_at,
            "shut_until": stands.barred_until,
            "served": stands.served_by,
        },
    )


def _came_to(
    event: Event, heeded: frozenset[Event], crowded: Collection[tuple[str, Kind]]
) -> Taken:
    if (event.operator, event.kind) in crowded:
        return Taken.TOO_MANY
    return Taken.NEW if event in heeded else Taken.NOT_SERVED


def _compare(session: Session, arrival: Arrival) -> Taken:
    known = session.execute(
        sa.select(NUMBER_EVENT.c.content_tag).where(
            NUMBER_EVENT.c.link_id == arrival.link_id,
            NUMBER_EVENT.c.event_id == arrival.event.id,
        )
    ).scalar_one_or_none()
    # It was outdone in this very commit: then there is nothing left to contradict.
    return Taken.REPEATED if known in {None, arrival.content_tag} else Taken.CONFLICTING


def _standing(row: Any) -> Standing:  # noqa: ANN401 (a row of NUMBER)
    return Standing(
        sim_changed_at=row.sim_changed_at,
        ported_at=row.ported_at,
        left_at=row.left_at,
        barred_at=row.barred_at,
        barred_until=row.barred_until,
        served_by=row.served_by,
    )


_OF = prepared(sa.select(NUMBER).where(among(NUMBER.c.id, "numbers")))
_THIS: sa.Select[tuple[Any, ...]] = sa.select(NUMBER.c.id).where(
    NUMBER.c.id == sa.bindparam("number")
)
_WRITE = (
    sa.update(NUMBER)
    .where(NUMBER.c.id == sa.bindparam("number"))
    .values(
        sim_changed_at=sa.bindparam("swapped"),
        ported_at=sa.bindparam("moved"),
        left_at=sa.bindparam("gone"),
        barred_at=sa.bindparam("shut"),
        barred_until=sa.bindparam("shut_until"),
        served_by=sa.bindparam("served"),
    )
)


@cache
def _keep_statement(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    return upsert(dialect, NUMBER_EVENT).on_conflict_do_nothing().returning(NUMBER_EVENT.c.id)


@cache
def _make_statement(dialect: str) -> Any:  # noqa: ANN401 (two dialects' Insert share no typed base)
    return upsert(dialect, NUMBER).on_conflict_do_nothing()
