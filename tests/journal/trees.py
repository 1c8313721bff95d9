"""RFC 6962 as its text has it: slow, recursive, and nobody else's code."""

import hashlib
from collections.abc import Sequence


def naive_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Compute a root by the definition of RFC 6962, 2.1."""
    if not leaf_hashes:
        return hashlib.sha256().digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    middle = 1
    while middle * 2 < len(leaf_hashes):
        middle *= 2
    left, right = naive_root(leaf_hashes[:middle]), naive_root(leaf_hashes[middle:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_hashes(count: int) -> list[bytes]:
    """Make the hashes of *count* different leaves."""
    return [hashlib.sha256(b"\x00%d" % number).digest() for number in range(count)]
