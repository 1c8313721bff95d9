"""The signer's own way to a root: the perfect trees that a size falls into, and nothing else.

It shares no computation with the tiles, so that one wrong byte in either is a disagreement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the perfect trees under *size* leaves, the widest first."""

    size: int
    peaks: tuple[bytes, ...]

    def extended(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """Append leaves: each carries as a bit does in binary addition."""
        size, peaks = self.size, list(self.peaks)
        for leaf_hash in leaf_hashes:
            carried, bit = leaf_hash, size
            while bit & 1:
                carried = sha256(b"\x01" + peaks.pop() + carried).digest()
                bit >>= 1
            peaks.append(carried)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """Fold the perfect trees, the narrowest first."""
        if not self.peaks:
            return sha256().digest()
        folded = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            folded = sha256(b"\x01" + peak + folded).digest()
        return folded


NOTHING = Frontier(0, ())
