"""How long openings are kept, by class: facts of the journal's format, not settings.

A setting could be lowered to excuse what is missing. docs/journal-format.md, ADR 0014.
"""

from collections.abc import Iterator
from datetime import datetime

from core import months as month_keys
from core import ratchet
from journal.cover import Part
from journal.entries import Retention

IDENTITY, ACT = "identity", "act"
PARTS = (IDENTITY, ACT)
# How many whole months after an entry's own month its openings are kept.
KEPT_MONTHS = {
    (Retention.LOOKUP, IDENTITY): 24,
    (Retention.LOOKUP, ACT): 60,
    (Retention.ACT, IDENTITY): 60,
    (Retention.ACT, ACT): 60,
}


def parts_of(what: Part) -> tuple[str, ...]:
    """Return the parts of an opening that an order is about."""
    return (IDENTITY,) if what is Part.IDENTITY else PARTS


def purpose(retention: Retention, part: str) -> str:
    """Return the name under which the keys of a class and part are kept."""
    return f"journal-{retention}-{part}"


def expired_through(retention: Retention, part: str, now: datetime) -> int:
    """Return the newest month whose openings of this class and part have expired."""
    return ratchet.earlier(ratchet.month_of(now), KEPT_MONTHS[retention, part] + 1)


def chains() -> Iterator[tuple[Retention, str, str]]:
    """Yield each class and part, and the name of its keys."""
    for retention, part in KEPT_MONTHS:
        yield retention, part, purpose(retention, part)


def key_ids(retention: Retention, part: str, first: int, last: int) -> set[int]:
    """Return the ids of the keys of a class and part in the months from *first* to *last*."""
    return set(month_keys.ids(purpose(retention, part), list(ratchet.months(first, last))))
