"""The way from a leaf up to the root, as a picture needs it: which sibling stands on which side."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rung:
    """One step up: the hash that joins, and whether it stands to the left."""

    sibling: bytes
    is_left: bool


def rungs(index: int, size: int, path: Sequence[bytes]) -> tuple[Rung, ...]:
    """Say on which side each hash of a proof of inclusion stands, the lowest first.

    Source: RFC 9162, 2.1.3.2.
    """
    climbed = []
    node, last = index, size - 1
    for sibling in path:
        is_left = node % 2 == 1 or node == last
        climbed.append(Rung(sibling, is_left))
        while is_left and node % 2 == 0 and node:
            node, last = node // 2, last // 2
        node, last = node // 2, last // 2
    return tuple(climbed)
