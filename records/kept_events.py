"""Which events of a number are kept, and read: so many that no flood of them costs more.

Of each kind, those that happened last are kept of what each operator says of one number. Which ones
is a matter of the set of them and not of the order they came in, and nobody outdoes another's.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.phone import Msisdn
from core.prepared import prepared
from records import numbers
from records.numbers import Event, Kind
from records.tables import NUMBER_EVENT

MOST_KEPT = 20
# So many that were outdone go at once, so that one event never pays for all that lie there.
MOST_DROPPED = 100
# A day, in ids as `core.ids.uuid7` makes them.
_DAY = 86_400_000 << 80


def load(
    session: Session, number_id: int, number: Msisdn, prefixes: Mapping[str, str]
) -> list[Event]:
    """Load what those say of a number who could speak for it; nobody else's words are read."""
    found: list[Event] = []
    heard: set[str] = set()
    asked = set(numbers.speakers(number, prefixes))
    while asked:
        operator = asked.pop()
        heard.add(operator)
        for row in session.execute(_EVENTS, {"number": number_id, "operator": operator}):
            event = _event(row)
            found.append(event)
            if event.kind is Kind.PORTED:
                asked |= numbers.next_speakers(event, prefixes) - heard
    return found


def drop_outdone(session: Session, new: UUID, number_id: int, operator: str, kind: Kind) -> bool:
    """Drop what is more than is kept; tell whether any of it came in the day before *new*."""
    told = {"number": number_id, "operator": operator, "kind": kind.value}
    return any(new.int - each.int < _DAY for each in session.execute(_DROP, told).scalars())


def _event(row: Any) -> Event:  # noqa: ANN401 (a row of NUMBER_EVENT)
    return Event(
        operator=row.operator,
        id=row.event_id,
        kind=Kind(row.kind),
        happened_at=row.happened_at,
        to=row.ported_to,
        until=row.until,
    )


def _newest(kind: object, *columns: sa.Column[Any]) -> sa.Select[Any]:
    """Say which events of a kind an operator told of a number, the last to happen first.

    By the index alone: what else lies there is not read, nor put in order.
    """
    told = NUMBER_EVENT.c
    return (
        sa.select(*columns)
        .where(
            told.number_id == sa.bindparam("number"),
            told.operator == sa.bindparam("operator"),
            told.kind == kind,
        )
        .order_by(told.happened_at.desc(), told.event_id.desc(), told.link_id.desc())
    )


_EVENTS = prepared(
    sa.union_all(
        *(
            sa.select(_newest(kind.value, *NUMBER_EVENT.c).limit(MOST_KEPT).subquery())
            for kind in Kind
        )
    )
)
_DROP = (
    sa.delete(NUMBER_EVENT)
    .where(
        NUMBER_EVENT.c.id.in_(
            _newest(sa.bindparam("kind"), NUMBER_EVENT.c.id).limit(MOST_DROPPED).offset(MOST_KEPT)
        )
    )
    .returning(NUMBER_EVENT.c.id)
)
