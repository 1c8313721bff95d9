"""Makes odd inputs out of good ones: a script of bytes says what is done to which of them.

Pure, so that Hypothesis can shrink a script, and with it what was done: a script of zeros leaves
the first seed as it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

LONGEST = 8192
LONGEST_SCRIPT = 64
# Enough for a few operations; Hypothesis likes what is short.
SHORTEST_SCRIPT = 16
_EDGES = (0x00, 0x01, 0x02, 0x0F, 0x10, 0x1B, 0x20, 0x2B, 0x30, 0x39, 0x7F, 0x80, 0xFE, 0xFF)
_TIMES = (1, 1, 2, 3, 4, 8, 16, 255)
_WIDE = (0, 1, 15, 16, 254, 255, 256, 0x7FFF, 0xFFFF, 0x10000, 0x10001, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Pool:
    """What inputs are made of: good ones, and words that such inputs are full of."""

    seeds: Sequence[bytes]
    tokens: Sequence[bytes]


class _Script:
    """Reads a script; past its end it says 0 for ever."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def is_over(self) -> bool:
        return self._at >= len(self._octets)

    def byte(self) -> int:
        self._at += 1
        return self._octets[self._at - 1] if self._at <= len(self._octets) else 0

    def below(self, limit: int) -> int:
        """Say a number from 0 to less than *limit*."""
        return (self.byte() << 8 | self.byte()) % limit if limit > 0 else 0

    def take(self, count: int) -> bytes:
        return bytes(self.byte() for _ in range(count))


def mutants(pool: Pool, script: bytes) -> Iterator[bytes]:
    """Do to one of the seeds what *script* says, and yield what it is after each thing done."""
    read = _Script(script)
    data = bytearray(pool.seeds[read.below(len(pool.seeds))])
    while not read.is_over:
        _OPERATIONS[read.byte() % len(_OPERATIONS)](data, read, pool)
        del data[LONGEST:]
        yield bytes(data)


def _nothing(_data: bytearray, _read: _Script, _pool: Pool) -> None:
    """Leave it at that."""


def _flip(data: bytearray, read: _Script, _pool: Pool) -> None:
    if data:
        data[read.below(len(data))] ^= 1 << read.byte() % 8


def _put(data: bytearray, read: _Script, _pool: Pool) -> None:
    if data:
        data[read.below(len(data))] = read.byte()


def _edge(data: bytearray, read: _Script, _pool: Pool) -> None:
    if data:
        data[read.below(len(data))] = _EDGES[read.byte() % len(_EDGES)]


def _widen(data: bytearray, read: _Script, _pool: Pool) -> None:
    """Put a number of two or four octets where one may be."""
    size, value = (2, 4)[read.byte() % 2], _WIDE[read.byte() % len(_WIDE)]
    at = read.below(len(data) + 1)
    data[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "big")


def _cut(data: bytearray, read: _Script, _pool: Pool) -> None:
    at = read.below(len(data) + 1)
    del data[at : at + 1 + read.byte() % 32]


def _end(data: bytearray, read: _Script, _pool: Pool) -> None:
    del data[read.below(len(data) + 1) :]


def _repeat(data: bytearray, read: _Script, _pool: Pool) -> None:
    at = read.below(len(data) + 1)
    again = bytes(data[at : at + 1 + read.byte() % 32])
    data[at:at] = again * _TIMES[read.byte() % len(_TIMES)]


def _insert(data: bytearray, read: _Script, pool: Pool) -> None:
    at = read.below(len(data) + 1)
    data[at:at] = pool.tokens[read.byte() % len(pool.tokens)]


def _replace(data: bytearray, read: _Script, pool: Pool) -> None:
    token = pool.tokens[read.byte() % len(pool.tokens)]
    at = read.below(len(data) + 1)
    data[at : at + len(token)] = token


def _type(data: bytearray, read: _Script, _pool: Pool) -> None:
    """Put in what the script itself says."""
    at = read.below(len(data) + 1)
    data[at:at] = read.take(1 + read.byte() % 8)


def _splice(data: bytearray, read: _Script, pool: Pool) -> None:
    """Go on as another seed does."""
    other = pool.seeds[read.below(len(pool.seeds))]
    at = read.below(len(data) + 1)
    data[at:] = other[read.below(len(other) + 1) :]


def _append(data: bytearray, read: _Script, pool: Pool) -> None:
    data += pool.seeds[read.below(len(pool.seeds))]


def _measure(data: bytearray, _read: _Script, _pool: Pool) -> None:
    """Say the true length in front, so that what is behind it is looked at."""
    data[:4] = max(len(data), 4).to_bytes(4, "big")


_OPERATIONS: Sequence[Callable[[bytearray, _Script, Pool], None]] = (
    _nothing, _flip, _put, _edge, _widen, _cut, _end, _repeat, _insert, _replace, _type, _splice,
    _append, _measure,
)  # fmt: skip
