"""The verifier's own Merkle tree: fed leaf by leaf, it yields every tile and any root on the way.

Source: RFC 6962, 2.1, and C2SP tlog-tiles. Nothing here is shared with what writes the tree.
"""

import hashlib
from collections.abc import Iterator

WIDTH = 256
EMPTY = hashlib.sha256(b"").digest()


class Levels:
    """A growing tree, held as the unfinished tile and the open subtrees of each level."""

    def __init__(self) -> None:
        self.size = 0
        self._tiles: list[list[bytes]] = []
        self._finished: list[tuple[int, int, bytes]] = []

    def add(self, leaf_hash: bytes) -> None:
        """Append a leaf."""
        self.size += 1
        node, level = leaf_hash, 0
        while True:
            if level == len(self._tiles):
                self._tiles.append([])
            tile = self._tiles[level]
            tile.append(node)
            if len(tile) < WIDTH:
                return
            n = (self.size >> 8 * (level + 1)) - 1
            self._finished.append((level, n, b"".join(tile)))
            node = _fold(tile)
            tile.clear()
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
    return hashlib.sha256(b"\x00" + leaf).digest()


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _fold(nodes: list[bytes]) -> bytes:
    while len(nodes) > 1:
        pairs = iter(nodes)
        nodes = [_parent(left, right) for left, right in zip(pairs, pairs, strict=True)]
    return nodes[0]
