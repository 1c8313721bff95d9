"""Names and bytes of a log that lies in files: tiles, entry bundles, and where each stands.

Pure functions, for the export, the mirror and the public pages alike.
Source: C2SP tlog-tiles.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from journal.errors import LayoutError
from journal.tree import HASH_BYTES, TILE_WIDTH

CHECKPOINT = "checkpoint"
# Entry bundles stand beside level 0, whose hashes are theirs.
ENTRIES = -1
_MOST_LEVEL = 63
_TILE_BITS = TILE_WIDTH.bit_length() - 1
_GROUP = 1000
_LENGTH_BYTES = 2
_MOST_LEAF = (1 << 8 * _LENGTH_BYTES) - 1
# Six groups of digits name any tile of a tree whose size is counted in 64 bits.
_PATH = re.compile(
    "tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<n>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Resource:
    """A tile, or at the level ENTRIES a bundle, as wide as it is or was at some size."""

    level: int
    n: int
    width: int = TILE_WIDTH

    @property
    def is_full(self) -> bool:
        """Tell whether it can no longer grow."""
        return self.width == TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it stands, below the log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.is_full else f".p/{self.width}"
        return f"tile/{level}/{_number(self.n)}{partial}"


def parse(path: str) -> Resource | None:
    """Read a path back; None unless it is exactly how `Resource.path` writes one."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level = ENTRIES if found["level"] == "entries" else int(found["level"])
    n = int(found["n"].replace("x", "").replace("/", ""))
    resource = Resource(level, n, int(found["width"] or TILE_WIDTH))
    # Leading groups of zeros, a full width written out, a level or a width too large.
    return resource if resource.path == path and _is_possible(resource) else None


def width_at(level: int, n: int, size: int) -> int:
    """Return how wide a tile or bundle is in the tree of *size*; 0 if it is not there."""
    hashes = size >> _TILE_BITS * max(level, 0)
    return min(TILE_WIDTH, max(0, hashes - n * TILE_WIDTH))


def edge(level: int, size: int) -> int:
    """Return the number of the tile or bundle that grows next in the tree of *size*."""
    return size >> _TILE_BITS * (max(level, 0) + 1)


def last(level: int, size: int) -> int:
    """Return the number of the last tile or bundle in the tree of *size*, partial or full."""
    return (size >> _TILE_BITS * max(level, 0)) - 1 >> _TILE_BITS


def levels_of(size: int) -> range:
    """Return the levels of tiles that a tree of *size* has."""
    return range(-(-size.bit_length() // _TILE_BITS))


def resources(level: int, size: int, start: int = 0) -> Iterator[Resource]:
    """Yield the tiles or bundles of one level in the tree of *size*, from the *start*-th on."""
    n = start
    while width := width_at(level, n, size):
        yield Resource(level, n, width)
        n += 1


def encode_bundle(leaves: Sequence[bytes]) -> bytes:
    """Write leaves behind one another, each behind its length in 16 bits.

    Raises: LayoutError if a leaf is too long for that.
    """
    if any(len(leaf) > _MOST_LEAF for leaf in leaves):
        raise LayoutError("a leaf is longer than an entry bundle can hold")
    return b"".join(len(leaf).to_bytes(_LENGTH_BYTES, "big") + leaf for leaf in leaves)


def decode_bundle(data: bytes) -> list[bytes]:
    """Take a bundle apart.

    Raises: LayoutError if its bytes are not what `encode_bundle` makes of 1 to 256 leaves.
    """
    leaves, place = [], 0
    while place < len(data):
        begin = place + _LENGTH_BYTES
        place = begin + int.from_bytes(data[place:begin], "big")
        if begin > len(data) or place > len(data):
            raise LayoutError("an entry bundle ends within a leaf")
        leaves.append(data[begin:place])
    if not 1 <= len(leaves) <= TILE_WIDTH:
        raise LayoutError("an entry bundle holds 1 to 256 leaves")
    return leaves


def split_tile(hashes: bytes) -> list[bytes]:
    """Take a tile apart.

    Raises: LayoutError if it is not 1 to 256 hashes.
    """
    count, rest = divmod(len(hashes), HASH_BYTES)
    if rest or not 1 <= count <= TILE_WIDTH:
        raise LayoutError("a tile holds 1 to 256 hashes")
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def _number(n: int) -> str:
    """Write an index in groups of three digits, all but the last behind an x."""
    groups = [f"{n % _GROUP:03d}"]
    while n := n // _GROUP:
        groups.append(f"x{n % _GROUP:03d}")
    return "/".join(reversed(groups))


def _is_possible(resource: Resource) -> bool:
    return resource.level <= _MOST_LEVEL and resource.width <= TILE_WIDTH
