"""What was carried in a period, counted by the database: usage in groups of one price each."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.periods import Period
from billing.tables import USAGE
from billing.usage import Direction

# As the message's way calls a message that was put aside.
PUT_ASIDE = "quarantined"


class Section(StrEnum):
    """The parts of a statement; only the first two are money that somebody owes."""

    USAGE = "usage"
    CORRECTION = "correction"
    TEST = "test"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Messages of one day that are alike to a tariff."""

    section: Section = Section.USAGE
    short_code: str
    direction: Direction
    encoding: str
    day: date
    messages: int
    parts: int


def load(session: Session, links: Collection[int], period: Period) -> Iterable[Group]:
    """Count what these links carried in a period."""
    first, last = period.first_day.isoformat(), period.last_day.isoformat()
    grouped = (
        USAGE.c.is_test, USAGE.c.status == PUT_ASIDE, USAGE.c.short_code, USAGE.c.direction,
        USAGE.c.encoding, USAGE.c.day,
    )  # fmt: skip
    counted = sa.select(*grouped, sa.func.count(), sa.func.sum(USAGE.c.segments)).where(
        USAGE.c.link_id.in_(sorted(links)), USAGE.c.day.between(first, last)
    )
    found = session.execute(counted.group_by(*grouped))
    for is_test, is_aside, short_code, direction, encoding, day, messages, parts in found:
        yield Group(
            section=_section(is_test=is_test, is_aside=is_aside),
            short_code=short_code,
            direction=Direction(direction),
            encoding=encoding,
            day=date.fromisoformat(day),
            messages=messages,
            parts=int(parts),
        )


def _section(*, is_test: bool, is_aside: bool) -> Section:
    if is_test:
        return Section.TEST
    return Section.QUARANTINED if is_aside else Section.USAGE
