"""The made-up people who send the messages, and whose turn it is."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import count, islice
from pathlib import Path

# The service itself refuses a fourth PIN for one citizen within the hour.
PASSES = 3
# Ten thousand numbers of every network begin so; the generator's people may hold some of them.
_STRANGERS = "+8490{:07d}"
_NUMBERS = 10**7


class Kind(StrEnum):
    """How a turn goes."""

    LOOKUP = "lookup"
    WRONG_PIN = "wrong-pin"
    FOREIGN = "foreign-number"
    REPEATED = "repeated"
    UNKNOWN = "unknown-keyword"


# Source: the workload on which the bars are set (docs/performance.md). Units: per cent.
MIX = {
    Kind.LOOKUP: 90,
    Kind.WRONG_PIN: 4,
    Kind.FOREIGN: 3,
    Kind.REPEATED: 2,
    Kind.UNKNOWN: 1,
}
_BY_HUNDREDTH = tuple(kind for kind, share in MIX.items() for _ in range(share))


@dataclass(frozen=True, slots=True)
class Person:
    """A citizen as the register's generator made them: number of identity, and phone."""

    personal_id: str
    phone: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One conversation to be held: who is asked for, from which phone, and how it goes."""

    kind: Kind
    person: Person
    phone: str


def read(path: Path) -> list[Person]:
    """Read the people who can ask by phone from the file that `import people` takes.

    Those are the active ones whose number is nobody else's.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [
            Person(row["personal_id"], row["phone"])
            for row in csv.DictReader(lines)
            if row["phone"] and row["status"] == "active"
        ]
    holders: dict[str, int] = {}
    for person in rows:
        holders[person.phone] = holders.get(person.phone, 0) + 1
    return [person for person in rows if holders[person.phone] == 1]


def write(path: Path, people: Iterable[Person]) -> None:
    """Write people who can ask by phone, as far as `read` needs them."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("personal_id", "phone", "status"))
        writer.writerows((person.personal_id, person.phone, "active") for person in people)


def turns(people: Sequence[Person], seed: str) -> Iterator[Turn]:
    """Give each of *people* their turn in an order that *seed* decides, `PASSES` times over."""
    order = sorted(range(len(people)), key=lambda place: _chance(seed, "order", place))
    strangers = _strangers({person.phone for person in people}, seed)
    number = count()
    for _ in range(PASSES):
        for place in order:
            person = people[place]
            kind = _BY_HUNDREDTH[int.from_bytes(_chance(seed, "kind", next(number))[:4]) % 100]
            phone = next(strangers) if kind is Kind.FOREIGN else person.phone
            yield Turn(kind, person, phone)


def _strangers(taken: set[str], seed: str) -> Iterator[str]:
    """Yield numbers that are on nobody's file, each of them once."""
    start = int.from_bytes(_chance(seed, "stranger", 0)[:4]) % _NUMBERS
    for step in islice(count(start), _NUMBERS):
        phone = _STRANGERS.format(step % _NUMBERS)
        if phone not in taken:
            yield phone


def _chance(seed: str, what: str, number: int) -> bytes:
    return sha256(f"{seed}/{what}/{number}".encode()).digest()
