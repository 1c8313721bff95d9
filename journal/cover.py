"""Which leaves an `erase` entry covers: their numbers, written so that many fit into one leaf."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

# A leaf holds 65,535 bytes; what else stands in it takes less than a thousand.
MOST_CHARACTERS = 60_000


class Cause(StrEnum):
    """Why openings are gone before their time."""

    ORDER = "order"
    LOSS = "loss"


class Part(StrEnum):
    """What of an opening is gone: who it was about, or what was done as well."""

    IDENTITY = "identity"
    ALL = "all"


def written(leaves: Iterable[int]) -> str:
    """Write numbers of leaves as ranges: `12,40-55`."""
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in _ranges(leaves)
    )


def read(text: str) -> list[tuple[int, int]]:
    """Return the ranges, first and last leaf, that were written."""
    parts = (part.partition("-") for part in text.split(",") if part)
    return [(int(first), int(last or first)) for first, _, last in parts]


def leaves_of(text: str) -> Iterator[int]:
    """Yield the leaves that were written."""
    for first, last in read(text):
        yield from range(first, last + 1)


def _ranges(leaves: Iterable[int]) -> Iterator[tuple[int, int]]:
    found: tuple[int, int] | None = None
    for leaf in sorted(set(leaves)):
        if found is not None and leaf == found[1] + 1:
            found = found[0], leaf
            continue
        if found is not None:
            yield found
        found = leaf, leaf
    if found is not None:
        yield found
