"""The Merkle tree of RFC 6962, kept as tiles of 256 hashes (C2SP tlog-tiles).

Level 0 holds the leaf hashes; a full tile's root is one hash of the level above. The *edge* is the
partial tile of each level, lowest first: all that is needed to grow the tree or to tell its root.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

HASH_BYTES = 32
TILE_WIDTH = 256
_TILE_BYTES = HASH_BYTES * TILE_WIDTH
EMPTY_ROOT = hashlib.sha256().digest()

Edge = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A size, and the root that commits to every leaf up to it."""

    size: int
    root: bytes


EMPTY = TreeHead(0, EMPTY_ROOT)


@dataclass(frozen=True, slots=True)
class Tile:
    """Consecutive hashes of one level, up to 256 of them."""

    level: int
    n: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """What appending leaves changes: the tiles to store, and the new edge."""

    size: int
    edge: Edge
    tiles: tuple[Tile, ...]


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes into their parent (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grow(size: int, edge: Edge, leaf_hashes: Sequence[bytes]) -> Growth:
    """Append leaves to a tree of *size* whose edge is *edge*."""
    levels: list[bytes] = list(edge)
    tiles: list[Tile] = []
    level, below, new = 0, size, b"".join(leaf_hashes)
    while new:
        if level == len(levels):
            levels.append(b"")
        hashes, n, full = levels[level] + new, below // TILE_WIDTH, []
        for start in range(0, len(hashes), _TILE_BYTES):
            tile = Tile(level, n + start // _TILE_BYTES, hashes[start : start + _TILE_BYTES])
            tiles.append(tile)
            if len(tile.hashes) == _TILE_BYTES:
                full.append(perfect_root(tile.hashes))
        levels[level] = hashes[len(full) * _TILE_BYTES :]
        level, below, new = level + 1, below // TILE_WIDTH, b"".join(full)
    return Growth(size + len(leaf_hashes), tuple(levels), tuple(tiles))


def root(edge: Edge) -> bytes:
    """Compute the root of the tree whose edge is *edge*."""
    folded = b""
    for hashes in edge:
        for peak in reversed(list(_peaks(hashes))):
            folded = node_hash(peak, folded) if folded else peak
    return folded or EMPTY_ROOT


def edge_widths(size: int) -> tuple[int, ...]:
    """Return how many hashes the partial tile of each level holds, lowest level first."""
    widths = []
    while size:
        size, width = divmod(size, TILE_WIDTH)
        widths.append(width)
    return tuple(widths)


@lru_cache(maxsize=1024)
def perfect_root(hashes: bytes) -> bytes:
    """Compute the root over a power of two of hashes; what did not change is not hashed again."""
    if len(hashes) == HASH_BYTES:
        return hashes
    middle = len(hashes) // 2
    return node_hash(perfect_root(hashes[:middle]), perfect_root(hashes[middle:]))


def largest_power_below(number: int) -> int:
    """Return the largest power of two smaller than *number*, which is at least 2."""
    return 1 << (number - 1).bit_length() - 1


def _peaks(hashes: bytes) -> Iterator[bytes]:
    """Yield the roots of the perfect trees that *hashes* fall into, the widest first."""
    start, width = 0, len(hashes) // HASH_BYTES
    for bit in reversed(range(width.bit_length())):
        if width >> bit & 1:
            end = start + (HASH_BYTES << bit)
            yield perfect_root(hashes[start:end])
            start = end
