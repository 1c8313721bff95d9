"""What an order may be about: people, single entries, or months; and what of it stands."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from core import ratchet
from core.db import Database
from journal import erasing, retention
from journal.cover import Part
from journal.entries import Retention
from journal.erasing import BATCH, Standing


@dataclass(frozen=True, slots=True)
class People:
    """Everything about a citizen, and everything asked from a telephone, by their indexes."""

    subjects: Collection[int] = ()
    actors: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Leaves:
    """Single entries, by the numbers of their leaves."""

    numbers: Collection[int]


@dataclass(frozen=True, slots=True)
class Months:
    """Everything of a class in the months from *first* to *last*."""

    retention: Retention
    first: int
    last: int

    def __str__(self) -> str:
        """Write it as people read it."""
        return f"{self.retention} {self.first}-{self.last}"

    def each(self) -> Iterator[int]:
        """Yield the months."""
        return ratchet.months(self.first, self.last)

    def key_ids(self, what: Part) -> set[int]:
        """Return the ids of the keys that its openings are under."""
        return {
            key_id
            for part in retention.parts_of(what)
            for key_id in retention.key_ids(self.retention, part, self.first, self.last)
        }


Target = People | Leaves | Months


def find(database: Database, target: Target, what: Part) -> Iterator[Standing]:
    """Yield what an order about *target* would erase."""
    months = target if isinstance(target, Months) else None
    for batch in _standing(database, target, what):
        yield from (each for each in batch if fits(each, what, months))


def fits(each: Standing, what: Part, months: Months | None) -> bool:
    """Tell whether an order about these months, or about no months, erases of this entry."""
    is_there = not each.parts.isdisjoint(retention.parts_of(what))
    in_scope = months is None or (
        each.retention is months.retention and months.first <= each.month <= months.last
    )
    return each.may_go_early and is_there and in_scope


class Tally:
    """What was found, counted one by one: there may be millions."""

    def __init__(self) -> None:
        self.leaves: array[int] = array("q")
        self._counts: Counter[str] = Counter()
        self._months: set[int] = set()

    def add(self, each: Standing) -> None:
        """Count an entry, by its kind and by what stands of it."""
        self.leaves.append(each.seq)
        self._counts.update((f"kind {each.kind}", *each.parts))
        self._months.add(each.month)

    def counts(self) -> dict[str, int]:
        """Return the counts, and the first and the last month."""
        span = {"first_month": min(self._months), "last_month": max(self._months)}
        return {**self._counts, "leaves": len(self.leaves), **span}


def batched(numbers: Iterable[int], size: int = BATCH) -> Iterator[list[int]]:
    """Part numbers into as many as one transaction takes."""
    rest = iter(numbers)
    while batch := list(islice(rest, size)):
        yield batch


def _standing(database: Database, target: Target, what: Part) -> Iterator[list[Standing]]:
    match target:
        case People(subjects, actors):
            load = partial(erasing.of_people, subjects=subjects, actors=actors)
            yield database.write(load)
        case Leaves(numbers):
            for some in batched(numbers):
                yield database.write(partial(erasing.at_leaves, leaves=some))
        case Months():
            for ids in erasing.under_keys(database, target.key_ids(what)):
                yield database.write(partial(erasing.of_entries, ids=ids))
