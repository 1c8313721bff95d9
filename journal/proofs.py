"""Proofs over the tree: which nodes make one, and whether one holds. Pure functions.

Source: RFC 6962, 2.1.1 and 2.1.2, where D[begin:end] are the leaves under a node.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from journal.tree import EMPTY_ROOT, HASH_BYTES, TILE_WIDTH, largest_power_below, node_hash

_TILE_BITS = TILE_WIDTH.bit_length() - 1


@dataclass(frozen=True, slots=True)
class Span:
    """The leaves from *begin* up to *end*, and so the node above them."""

    begin: int
    end: int

    def perfect(self) -> Iterator["Span"]:
        """Yield the perfect trees that it falls into, the widest first."""
        begin = self.begin
        while begin < self.end:
            width = largest_power_below(self.end - begin + 1)
            yield Span(begin, begin + width)
            begin += width

    def place(self) -> tuple[int, int, int, int]:
        """Tell where a perfect tree's hashes lie: level, tile, first hash, count."""
        level = ((self.end - self.begin).bit_length() - 1) // _TILE_BITS
        unit = TILE_WIDTH**level
        n, first = divmod(self.begin // unit, TILE_WIDTH)
        return level, n, first, (self.end - self.begin) // unit


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return the nodes beside the way from leaf *index* up to the root, the lowest first."""
    begin, end, spans = 0, size, []
    while end - begin > 1:
        middle = begin + largest_power_below(end - begin)
        if index < middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(begin, middle))
            begin = middle
    return spans[::-1]


def consistency_spans(old_size: int, size: int) -> list[Span]:
    """Return the nodes that lead from the root at *old_size*, at least 1, to that at *size*."""
    begin, end, spans = 0, size, []
    while old_size != end:
        middle = begin + largest_power_below(end - begin)
        if old_size <= middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(begin, middle))
            begin = middle
    if begin:
        spans.append(Span(begin, end))
    return spans[::-1]


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether *path* shows that the leaf stands at *index* in the tree of *root*."""
    if not (0 <= index < size and _are_hashes((leaf_hash, root, *path))):
        return False
    remaining = list(reversed(path))
    node, place, last = leaf_hash, index, size - 1
    while last:
        if place & 1 or place < last:
            if not remaining:
                return False
            sibling = remaining.pop()
            node = node_hash(sibling, node) if place & 1 else node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return not remaining and node == root


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> bool:
    """Tell whether *path* shows that the tree of *root* grew from that of *old_root*."""
    if not (0 <= old_size <= size and _are_hashes((old_root, root, *path))):
        return False
    if old_size in {0, size}:
        start_fits = old_root == (EMPTY_ROOT if old_size == 0 else root)
        return start_fits and not path
    remaining = list(reversed(path))
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if place and not remaining:
        return False
    old = new = remaining.pop() if place else old_root
    while last:
        if place & 1 or place < last:
            if not remaining:
                return False
            sibling = remaining.pop()
            new = node_hash(sibling, new) if place & 1 else node_hash(new, sibling)
            old = node_hash(sibling, old) if place & 1 else old
        place, last = place >> 1, last >> 1
    return not remaining and old == old_root and new == root


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
