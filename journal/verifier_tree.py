"""The verifier's own Merkle tree: fed leaf by leaf, it yields every tile and any root on the way.

Source: RFC 6962, 2.1, and C2SP tlog-tiles. Nothing here is shared with what writes the tree.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from struct import Struct

HASH_BYTES = 32
WIDTH = 256
EMPTY = sha256(b"").digest()
_FIRST_BITS = Struct(">Q")


class Levels:
    """A growing tree, held as the unfinished tile and the open subtrees of each level."""

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        """Begin with the partial tile of each level, the lowest first, of a tree of *size*."""
        self.size = size
        self._tiles = [
            [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
            for hashes in edge
        ]
        self._finished: list[tuple[int, int, bytes]] = []

    def extend(self, leaf_hashes: list[bytes]) -> None:
        """Append leaves."""
        nodes, level = leaf_hashes, 0
        before, self.size = self.size, self.size + len(leaf_hashes)
        while nodes:
            if level == len(self._tiles):
                self._tiles.append([])
            tile = self._tiles[level]
            tile += nodes
            n, nodes = before >> 8 * (level + 1), []
            for start in range(0, len(tile) - WIDTH + 1, WIDTH):
                full = tile[start : start + WIDTH]
                self._finished.append((level, n + start // WIDTH, b"".join(full)))
                nodes.append(_fold(full))
            del tile[: WIDTH * len(nodes)]
            level += 1

    def take_finished(self) -> list[tuple[int, int, bytes]]:
        """Hand over the tiles (level, number, hashes) that have become full."""
        finished, self._finished = self._finished, []
        return finished

    def unfinished(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield the partial tile of each level that has one."""
        for level, tile in enumerate(self._tiles):
            if tile:
                yield level, self.size >> 8 * (level + 1), b"".join(tile)

    def root(self) -> bytes:
        """Return the root over what was added so far."""
        right: bytes | None = None
        for tile in self._tiles:
            rest = tile
            while rest:
                # The rightmost perfect subtree is as wide as the lowest bit of the count.
                width = len(rest) & -len(rest)
                node = _fold(rest[-width:])
                right = node if right is None else _parent(node, right)
                rest = rest[:-width]
        return EMPTY if right is None else right


def hash_of_leaf(leaf: bytes) -> bytes:
    """Hash a leaf."""
    return sha256(b"\x00" + leaf).digest()


def number_of_receipt(leaf_hash: bytes) -> int:
    """Return the first sixty bits of the receipt of a leaf, by which it is found again."""
    number: int = _FIRST_BITS.unpack_from(sha256(b"receipt/1\n" + leaf_hash).digest())[0]
    return number >> 4


def _parent(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _fold(nodes: list[bytes]) -> bytes:
    while len(nodes) > 1:
        pairs = zip(nodes[::2], nodes[1::2], strict=True)
        nodes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return nodes[0]


def edge_places(size: int) -> list[tuple[int, int, int]]:
    """Return the partial tile of each level of a tree of *size*: level, number, hashes in it."""
    places, level = [], 0
    while size >> 8 * level:
        places.append((level, size >> 8 * (level + 1), (size >> 8 * level) % WIDTH))
        level += 1
    return places
