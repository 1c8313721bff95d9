#!/usr/bin/env python3
"""Verify a TraDan exchange journal with an export, the log's public key, and nothing else.

    python3 verify_journal.py EXPORT --key 'ORIGIN+ID+KEY' --remember last-seen.checkpoint

One file for Python 3.9 or newer, its standard library alone, no network. It shares no code with
the service that writes the journal; the format that it follows is docs/journal-format.md.

EXPORT is a directory, or a tar that is not compressed, in the layout of C2SP tlog-tiles. In its
place may stand the proof of one entry (`.tlog-proof`), or what `journal compare` wrote. Ends 0 when
everything holds, 1 when something was found, 2 when it was not asked rightly, 3 when nothing was
found but not everything could be checked.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import re
import stat
import sys
import tempfile
import threading
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from multiprocessing import get_context
from typing import (
    Any,
    BinaryIO,
)

HOLDS, FOUND, USAGE, INCOMPLETE = 0, 1, 2, 3


class UsageError(Exception):
    """What was asked cannot be done; the sentence says why."""


class MalformedError(Exception):
    """Something is not in the one form there is; the sentence says what."""


def shown(text: str) -> str:
    """Write foreign text so that it can do a terminal no harm."""
    return ascii(text)[1:-1]


# ---------------------------------------------------------------------------------------------
# Ed25519: verification as RFC 8032, 5.1.7 has it, without the cofactor. S must be below L, points
# in their canonical encoding, and neither key nor R of small order. Everything is public, so that
# nothing here needs to take the same time.

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)
_BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset(
    (y | sign << 255).to_bytes(32, "little")
    for y, signs in ((1, 1), (_P - 1, 1), (0, 2), (_ORDER_8, 2), (_P - _ORDER_8, 2))
    for sign in range(signs)
)
# A key asked for the first time, for the ninth, for the two thousand and first: how many bits of a
# scalar one step takes. Wider steps are fewer, and take longer to get ready for.
_STEPS = ((2000, 10), (8, 4), (0, 2))

Affine = tuple[int, int]
Extended = tuple[int, int, int, int]


def _unpack(encoded: bytes) -> Affine | None:
    """Decode a point; None unless the bytes are the canonical encoding of one."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & ~(1 << 255), number >> 255
    if len(encoded) != 32 or y >= _P:
        return None
    u, v = y * y - 1, _D * y * y + 1
    x = u * v**3 * pow(u * v**7, (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P:
        x = x * _ROOT_OF_MINUS_1 % _P
    if (v * x * x - u) % _P or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else _P - x), y


def _add(one: Extended, other: Extended) -> Extended:
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * _D * t1 * t2, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _inverses(values: Sequence[int]) -> list[int]:
    """Invert many numbers at the price of one (Montgomery)."""
    products, running = [], 1
    for value in values:
        products.append(running)
        running = running * value % _P
    inverse, inverses = pow(running, -1, _P), []
    for value, product in zip(reversed(values), reversed(products)):
        inverses.append(inverse * product % _P)
        inverse = inverse * value % _P
    return inverses[::-1]


class Comb:
    """The multiples of a point by every digit in every place: a product with it is additions."""

    def __init__(self, point: Affine, bits: int) -> None:
        self._mask = (1 << bits) - 1
        x, y = point
        base, points = (x, y, 1, x * y % _P), []
        for _ in range(0, 253, bits):
            multiple: Extended = (0, 1, 1, 0)
            for _ in range(self._mask):
                points.append(multiple)
                multiple = _add(multiple, base)
            points.append(multiple)
            base = _add(multiple, base)
        ready = []
        for (x, y, _, _), inverse in zip(points, _inverses([z for _, _, z, _ in points])):
            plus, minus = (y + x) * inverse % _P, (y - x) * inverse % _P
            ready.append((plus, minus, 2 * _D * x * y * inverse * inverse % _P))
        size = 1 << bits
        rows = [ready[at : at + size] for at in range(0, len(ready), size)]
        self._rows = list(zip(range(0, 253, bits), rows))

    def parts(self, scalar: int) -> list[tuple[int, int, int]]:
        """Return the points whose sum is the product with *scalar*."""
        mask = self._mask
        return [row[scalar >> shift & mask] for shift, row in self._rows]


@cache
def _comb_of_base(bits: int) -> Comb:
    return Comb(_BASE, bits)


def _sum(parts: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    x, y, z, t = 0, 1, 1, 0
    for plus, minus, product in parts:
        a, b, c, d = (y - x) * minus % _P, (y + x) * plus % _P, t * product % _P, z + z
        e, f, g, h = b - a, d - c, d + c, b + a
        x, y, z, t = e * f % _P, g * h % _P, f * g % _P, e * h % _P
    return x, y, z


class PublicKey:
    """An Ed25519 key to check signatures by; the more it checks, the faster it gets."""

    def __init__(self, public: bytes) -> None:
        point = _unpack(public)
        self._public = public
        self._minus = None
        if point is not None and public not in _SMALL_ORDER:
            self._minus = ((_P - point[0]) % _P, point[1])
        self._comb: Comb | None = None
        self._bits = self._used = 0

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Tell whether *signature* over *message* is this key's."""
        return self.check([(message, signature)])[0]

    def check(self, signed: Sequence[tuple[bytes, bytes]]) -> list[bool]:
        """Tell of each message and signature whether it holds."""
        if self._minus is None:
            return [False] * len(signed)
        base, own = self._combs(len(signed))
        sums, wanted = [], []
        for message, signature in signed:
            r, s = signature[:32], int.from_bytes(signature[32:], "little")
            if len(signature) != 64 or s >= _L or r in _SMALL_ORDER:
                sums.append((0, 1, 1))
                wanted.append(b"")
                continue
            digest = hashlib.sha512(r + self._public + message).digest()
            k = int.from_bytes(digest, "little") % _L
            sums.append(_sum(base.parts(s) + own.parts(k)))
            wanted.append(r)
        verdicts = []
        for (x, y, _), inverse, r in zip(sums, _inverses([z for _, _, z in sums]), wanted):
            encoded = y * inverse % _P | (x * inverse % _P & 1) << 255
            verdicts.append(encoded.to_bytes(32, "little") == r)
        return verdicts

    def _combs(self, count: int) -> tuple[Comb, Comb]:
        self._used += count
        bits = next(bits for least, bits in _STEPS if self._used > least)
        if self._minus is not None and (self._comb is None or bits != self._bits):
            self._comb, self._bits = Comb(self._minus, bits), bits
        assert self._comb is not None  # noqa: S101 (a key without a point was refused before)
        return _comb_of_base(max(bits, 4)), self._comb


_KEYS: OrderedDict[bytes, PublicKey] = OrderedDict()


def public_key(public: bytes) -> PublicKey:
    """Return the key of these 32 bytes, with what it has learnt if it was asked of lately."""
    key = _KEYS.pop(public, None) or PublicKey(public)
    _KEYS[public] = key
    while len(_KEYS) > 16:
        _KEYS.popitem(last=False)
    return key


# ---------------------------------------------------------------------------------------------
# Signed notes, checkpoints, cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

_LOG, _WITNESS = 1, 4
_MOST_SIGNATURES = 100


@dataclass(frozen=True)
class NoteKey:
    """A key by the name that notes know it under."""

    name: str
    algorithm: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that, with the name, tell this key from others."""
        said = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        return hashlib.sha256(said).digest()[:4]

    def signed(self, text: str, value: bytes) -> bool:
        """Tell whether *value* is this key's signature or cosignature of a note's text."""
        message = text.encode()
        if self.algorithm == _WITNESS:
            at, value = int.from_bytes(value[:8], "big"), value[8:]
            message = f"cosignature/v1\ntime {at}\n".encode() + message
        return public_key(self.public).holds(message, value)


@dataclass(frozen=True)
class Note:
    """A text and its signatures: name, id, value."""

    text: str
    signatures: list[tuple[str, bytes, bytes]]

    def judge(self, key: NoteKey) -> bool | None:
        """Tell whether *key* signed; None if no line is by it, False if one is wrong."""
        line = (key.name, key.id)
        values = [value for name, number, value in self.signatures if (name, number) == line]
        return all(key.signed(self.text, value) for value in values) if values else None


@dataclass(frozen=True)
class Head:
    """What a checkpoint says: the log, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes


def decoded(text: str, length: int | None = None) -> bytes:
    """Decode base64 that is written in the one way there is."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("holds something that is not base64") from error
    if base64.b64encode(value).decode() != text:
        raise MalformedError("holds base64 that can be written another way")
    if length is not None and len(value) != length:
        raise MalformedError(f"holds {len(value)} bytes where {length} are due")
    return value


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def read_key(text: str, algorithm: int) -> NoteKey:
    """Read the written form of a key: NAME+ID+KEY."""
    name, _, rest = text.partition("+")
    number, _, encoded = rest.partition("+")
    value = decoded(encoded, 33)
    if not _is_name(name) or value[0] != algorithm:
        raise MalformedError(f"is no Ed25519 key of type {algorithm:02x} in the form NAME+ID+KEY")
    key = NoteKey(name, algorithm, value[1:])
    if key.id.hex() != number:
        raise MalformedError("has an id that does not belong to its name and key")
    return key


def read_note(data: bytes) -> Note:
    """Read a signed note; nothing is said of its signatures yet."""
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("is not UTF-8") from error
    text, blank, block = whole.rpartition("\n\n")
    lines = block.split("\n")
    if not blank or lines.pop() or not 0 < len(lines) <= _MOST_SIGNATURES:
        raise MalformedError("is not a signed note")
    if any(c < " " and c != "\n" for c in whole):
        raise MalformedError("holds control characters")
    signatures = []
    for line in lines:
        name, _, encoded = line[2:].partition(" ")
        if not line.startswith("— ") or not _is_name(name):
            raise MalformedError("has a signature line that is none")
        value = decoded(encoded)
        if len(value) <= 4:
            raise MalformedError("has a signature line without a signature")
        signatures.append((name, value[:4], value[4:]))
    return Note(text + "\n", signatures)


def read_head(note: Note) -> Head:
    """Read what a checkpoint of ours says: three lines and no more."""
    lines = note.text.split("\n")
    if len(lines) != 4 or not lines[0]:
        raise MalformedError("is no checkpoint: origin, size and root, a line each")
    if not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]) or int(lines[1]) >= 1 << 63:
        raise MalformedError("has a size that is no number of leaves")
    return Head(lines[0], int(lines[1]), decoded(lines[2], 32))


# ---------------------------------------------------------------------------------------------
# Policies (C2SP tlog-policy).


class Policy:
    """Which witnesses count, and how many of them must have cosigned."""

    def __init__(self, data: bytes) -> None:
        self.logs: list[NoteKey] = []
        self.witnesses: dict[bytes, NoteKey] = {}
        self._groups: dict[bytes, tuple[int, list[bytes]]] = {}
        self._quorum: bytes | None = None
        self._members: set[bytes] = set()
        if not data.endswith(b"\n") or re.search(rb"[^\t\n\x20-\x7e\x80-\xff]", data):
            raise MalformedError("holds control characters or does not end in a newline")
        for number, line in enumerate(data.split(b"\n"), start=1):
            words = [word for word in re.split(rb"[ \t]+", line) if word]
            if words and not words[0].startswith(b"#"):
                try:
                    self._take(words)
                except (MalformedError, UnicodeDecodeError, ValueError) as error:
                    raise MalformedError(f"has a fault in line {number}: {error}") from error
        if self._quorum is None:
            raise MalformedError("has no quorum line")

    @property
    def demands(self) -> bool:
        """Whether any cosignature is demanded."""
        return self._quorum != b"none"

    def reached(self, cosigned: Iterable[NoteKey]) -> bool:
        """Tell whether these witnesses are enough."""
        keys = set(cosigned)
        holds = {name: key in keys for name, key in self.witnesses.items()}
        for name, (least, members) in self._groups.items():
            holds[name] = sum(holds[member] for member in members) >= least
        return not self.demands or holds[self._quorum or b""]

    def _take(self, words: list[bytes]) -> None:
        verb, count = words[0], len(words)
        if verb == b"log" and count in (2, 3):
            self.logs.append(self._key(words[1], _LOG))
        elif verb == b"witness" and count in (3, 4):
            self.witnesses[self._new(words[1])] = self._key(words[2], _WITNESS)
        elif verb == b"group" and count >= 4:
            members = words[3:]
            for member in members:
                if not self._known(member) or member in self._members:
                    raise MalformedError(
                        "a member is defined by no line before, or is a member already"
                    )
                self._members.add(member)
            least = {b"any": 1, b"all": len(members)}.get(words[2]) or self._number(words[2])
            if not 1 <= least <= len(members):
                raise MalformedError("a group cannot have so many of its members")
            self._groups[self._new(words[1])] = (least, members)
        elif verb == b"quorum" and count == 2 and self._quorum is None:
            if words[1] != b"none" and not self._known(words[1]):
                raise MalformedError("the quorum is defined by no line before")
            self._quorum = words[1]
        else:
            raise MalformedError("it is none of: log, witness, group, one quorum")

    def _known(self, name: bytes) -> bool:
        return name in self.witnesses or name in self._groups

    def _new(self, name: bytes) -> bytes:
        if name == b"none" or self._known(name):
            raise MalformedError("a name is taken")
        return name

    def _number(self, word: bytes) -> int:
        if not re.fullmatch(rb"[1-9][0-9]{0,8}", word):
            raise MalformedError("a threshold is any, all or a number")
        return int(word)

    def _key(self, word: bytes, algorithm: int) -> NoteKey:
        key = read_key(word.decode(), algorithm)
        if any(key.public == other.public for other in (*self.logs, *self.witnesses.values())):
            raise MalformedError("a key stands there twice")
        return key


# ---------------------------------------------------------------------------------------------
# Leaves, and what they commit to.

_FORM = re.compile(
    rb'\{"ca":"(?P<ca>[0-9a-f]{64})","cp":"(?P<cp>[0-9a-f]{64})","cs":"(?P<cs>[0-9a-f]{64})",'
    rb'(?:"ec":"(?P<ec>order|loss)","ep":"(?P<ep>identity|all)","es":"(?P<es>[0-9,-]{1,60000})",)?'
    rb'"id":"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})",'
    rb'(?:"ke":"(?P<ke>[0-9a-f]{128})",)?(?:"kl":"(?P<kl>[0-9a-f]{64})",)?'
    rb'(?:"kn":"(?P<kn>[!#-*,-\[\]-~]{1,255})",)?(?:"ko":"(?P<ko>[!#-*,-\[\]-~]{1,255})",)?'
    rb'(?:"kr":"(?P<kr>[0-9a-f]{64})",)?(?:"ku":(?P<ku>[1-9][0-9]{0,15}),)?'
    rb'(?:"kw":"(?P<kw>[0-9a-f]{64})",)?'
    rb'"r":"(?P<r>lookup|act)","t":"(?P<t>lookup|admin|control|erase|key)",'
    rb'"ts":(?P<ts>[1-9][0-9]{0,15}),"v":1,"w":"(?P<w>[0-9a-f]{16})"\}'
)
# Nearly every leaf is this plain, and read in half the time.
_PLAIN = re.compile(
    rb'\{"ca":"[0-9a-f]{64}","cp":"[0-9a-f]{64}","cs":"[0-9a-f]{64}",'
    rb'"id":"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})",'
    rb'"r":"(?:lookup|act)","t":"(?:lookup|admin|control|erase)",'
    rb'"ts":[1-9][0-9]{0,15},"v":1,"w":"([0-9a-f]{16})"\}'
)
_RANGES = re.compile(rb"(?:0|[1-9][0-9]{0,18})(?:-[1-9][0-9]{0,18})?")
_SIGNATURE, _LONGEST_LEAF = 64, 65_535
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_KEY_NAMES = ("ke", "kl", "kn", "ko", "kr", "ku", "kw")
# What a `key` entry may announce: these names, and no others of theirs.
_ANNOUNCEMENTS: tuple[set[str], ...] = (
    {"kl"},
    {"ke", "kl", "ku"},
    {"ke", "kr"},
    {"ke", "kn", "ko"},
    {"ke", "kw"},
)


@dataclass(frozen=True)
class Leaf:
    """A leaf in the one form there is; its signature is not yet checked."""

    seq: int
    data: bytes
    said: dict[str, bytes | None]

    @classmethod
    def read(cls, seq: int, data: bytes) -> Leaf | None:
        """Read a leaf; None if its form is not that of a leaf."""
        found = _FORM.fullmatch(data, _SIGNATURE) if len(data) <= _LONGEST_LEAF else None
        return None if found is None or misplaced(found, seq) else cls(seq, data, found.groupdict())

    @property
    def announces(self) -> bool:
        """Whether it says anything about keys."""
        return any(self.said[name] for name in _KEY_NAMES)

    def word(self, name: str) -> str:
        """Return what the leaf says under a name, nothing if it does not say it."""
        return (self.said[name] or b"").decode()

    def is_signed(self, public: bytes, origin: str) -> bool:
        """Tell whether this writer signed the leaf for this log."""
        return signed(public, origin, [self.data])[0]

    def expired(self, month: int) -> tuple[bool, bool]:
        """Tell whether identity and act of the entry have outlived their class by *month*."""
        made = time.gmtime(int(self.said["ts"] or 0) // 1_000_000)
        age = month - month_of(made)
        return age > (24 if self.word("r") == "lookup" else 60), age > 60

    def public(self, name: str) -> bytes:
        """Return the bytes that stand in hexadecimal under a name."""
        return bytes.fromhex(self.word(name))


def month_of(moment: time.struct_time) -> int:
    """Count the months since January of the year 0."""
    return moment.tm_year * 12 + moment.tm_mon - 1


def misplaced(found: re.Match[bytes], seq: int) -> bool:
    """Tell whether a leaf says what only leaves of another kind, or in another place, may say."""
    if found["t"] == b"key":
        names = {name for name in _KEY_NAMES if found[name]}
        return names not in _ANNOUNCEMENTS or (names == {"kl"}) != (seq == 1) or bool(found["ec"])
    if found["ec"]:
        return found["t"] != b"erase" or covered(found["es"], seq) is None
    return any(found[name] for name in _KEY_NAMES)


def covered(ranges: bytes, below: int) -> list[tuple[int, int]] | None:
    """Read the leaves that an erasure covers, as first and last; None unless well written."""
    spans, free = [], 0
    for part in ranges.split(b","):
        if not _RANGES.fullmatch(part):
            return None
        first, _, last = part.partition(b"-")
        begin, end = int(first), int(last or first)
        if begin < free or end >= below or (last and end <= begin):
            return None
        spans.append((begin, end))
        free = end + 2
    return spans


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\0" + leaf).digest()


def receipt(hashed: bytes) -> str:
    """Derive the receipt that a citizen holds of the entry with this leaf hash."""
    digest = hashlib.sha256(b"receipt/1\n" + hashed).digest()
    bits, total = int.from_bytes(digest[:10], "big") >> 5, 0
    values = [bits >> shift & 31 for shift in range(70, -5, -5)]
    for place, value in enumerate(reversed(values)):
        doubled = value * (2 - place % 2)
        total += doubled // 32 + doubled % 32
    symbols = "".join(_CROCKFORD[value] for value in (*values, -total % 32))
    return "-".join(symbols[at : at + 4] for at in range(0, 16, 4))


def commitment(salt: bytes, label: str, value: str) -> bytes:
    """Commit to a value as a leaf does, in hexadecimal."""
    key = hmac.new(salt, label.encode(), hashlib.sha256).digest()
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest().encode()


# ---------------------------------------------------------------------------------------------
# The Merkle tree (RFC 6962), in tiles of 256 hashes (C2SP tlog-tiles).

_WIDTH, _HASH = 256, 32
_EMPTY_ROOT = hashlib.sha256(b"").digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """Fold a power of two of hashes, behind one another, into the node above them."""
    sha256 = hashlib.sha256
    while len(hashes) > _HASH:
        pairs = range(0, len(hashes), 2 * _HASH)
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 64]).digest() for at in pairs])
    return hashes


def root_of(edge: dict[int, bytes], size: int) -> bytes | None:
    """Compute a root from the partial tile of each level; None if what it takes is not there."""
    root: bytes | None = None
    for level in levels_of(size):
        hashes = edge.get(level, b"")
        rest = _HASH * (size >> 8 * level & 255)
        if len(hashes) < rest:
            return None
        while rest:
            # The rightmost perfect tree is as wide as the lowest bit of the count.
            start = rest - (rest & -rest)
            node = perfect_root(hashes[start:rest])
            root = node if root is None else node_hash(node, root)
            rest = start
    return _EMPTY_ROOT if root is None else root


def levels_of(size: int) -> range:
    """Return the levels of tiles that a tree of *size* has."""
    return range(-(-size.bit_length() // 8))


def width_at(level: int, n: int, size: int) -> int:
    """Return how wide a tile is in the tree of *size*; 0 if it is not there."""
    return min(_WIDTH, max(0, (size >> 8 * max(level, 0)) - n * _WIDTH))


def verify_inclusion(hashed: bytes, index: int, head: Head, path: Sequence[bytes]) -> bool:
    """Tell whether *path* leads from a leaf to a root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < head.size:
        return False
    first, last, node = index, head.size - 1, hashed
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            node = node_hash(sibling, node)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and node == head.root


def verify_consistency(old_size: int, old_root: bytes, head: Head, path: Sequence[bytes]) -> bool:
    """Tell whether *path* shows that one tree grew into another (RFC 9162, 2.1.4.2)."""
    if old_size in (0, head.size):
        return not path and old_root == (head.root if old_size else _EMPTY_ROOT)
    if not 0 < old_size < head.size or not path:
        return False
    nodes = deque(path)
    first, last = old_size - 1, head.size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = nodes.popleft() if old_size & (old_size - 1) else old_root
    for sibling in nodes:
        if last == 0:
            return False
        if first & 1 or first == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and old == old_root and new == head.root


# ---------------------------------------------------------------------------------------------
# Exports as they lie on a disk: a directory, or a tar that is not compressed.

ENTRIES = -1
_TILE = re.compile(
    r"tile/(entries|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/([1-9][0-9]{0,2}))?"
)
_MOST_IN_A_FOLDER = 4096
_BLOCK, _LONGEST_END = 512, 1 << 20


def tile_name(level: int, n: int, width: int) -> str:
    """Write where a tile or an entry bundle stands."""
    digits = f"{n % 1000:03d}"
    while n := n // 1000:
        digits = f"x{n % 1000:03d}/{digits}"
    kind = "entries" if level == ENTRIES else str(level)
    return f"tile/{kind}/{digits}" + ("" if width == _WIDTH else f".p/{width}")


def read_name(name: str) -> tuple[int, int, int] | None:
    """Read the name of a tile back, as level, number and width; None if it is none."""
    found = _TILE.fullmatch(name)
    if found is None:
        return None
    level = ENTRIES if found[1] == "entries" else int(found[1])
    n, width = int(re.sub("[x/]", "", found[2])), int(found[3] or _WIDTH)
    return (level, n, width) if tile_name(level, n, width) == name else None


@dataclass(frozen=True)
class Place:
    """Where a file's bytes lie: its name, and in a tar from which byte on."""

    name: str
    offset: int
    size: int


class Directory:
    """An export as a directory."""

    def __init__(self, path: str) -> None:
        self._path = path

    def places(self, find: Callable[[str, str], None]) -> Iterator[Place]:
        """Yield every plain file; what is anything else is told to *find*."""
        folders = [""]
        while folders:
            under = folders.pop()
            try:
                with os.scandir(os.path.join(self._path, under)) as entries:
                    found = sorted(_first(entries, _MOST_IN_A_FOLDER + 1), key=_by_name)
            except OSError as error:
                find("file-refused", f"{shown(under)} cannot be read: {error.strerror}")
                continue
            if len(found) > _MOST_IN_A_FOLDER:
                find("file-unexpected", f"{shown(under)} holds more files than any folder of a log")
                continue
            inner = []
            for entry in found:
                name = under + entry.name
                if entry.is_dir(follow_symlinks=False) and name.count("/") < 10:
                    inner.append(name + "/")
                elif entry.is_file(follow_symlinks=False):
                    with contextlib.suppress(OSError):  # gone meanwhile: it will be missed
                        yield Place(name, -1, entry.stat(follow_symlinks=False).st_size)
                else:
                    find("file-refused", f"{shown(name)} is neither a plain file nor a folder")
            folders += reversed(inner)

    @contextlib.contextmanager
    def open(self, place: Place) -> Iterator[BinaryIO]:
        """Open a file; follow no link, wait for no pipe."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        descriptor = os.open(os.path.join(self._path, place.name), flags)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(0, "it is no plain file")
            yield file


class Archive:
    """An export as a tar of plain files: ustar or GNU headers, nothing else in it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def places(self, find: Callable[[str, str], None]) -> Iterator[Place]:
        """Yield every plain file; whatever else is in the archive is told to *find*."""
        with open(self._path, "rb") as file:
            length, at = os.fstat(file.fileno()).st_size, 0
            while True:
                file.seek(at)
                header = file.read(_BLOCK)
                if not header.strip(b"\0"):
                    break
                try:
                    name, size, is_file = _member(header)
                except MalformedError as error:
                    find(
                        "archive-malformed", f"at byte {at} the tar {error}: no more of it is read"
                    )
                    return
                begin, at = at + _BLOCK, at + _BLOCK + -(-size // _BLOCK) * _BLOCK
                file.seek(begin + size)
                if at > length or file.read(at - begin - size).strip(b"\0"):
                    find("archive-malformed", f"{shown(name)} does not end where it should")
                    return
                if is_file:
                    yield Place(name, begin, size)
            self._expect_the_end(file, at, length, find)

    @contextlib.contextmanager
    def open(self, place: Place) -> Iterator[BinaryIO]:
        """Open the archive where a file begins."""
        with open(self._path, "rb") as file:
            file.seek(place.offset)
            yield file

    @staticmethod
    def _expect_the_end(
        file: BinaryIO, at: int, length: int, find: Callable[[str, str], None]
    ) -> None:
        if length < at + 2 * _BLOCK:
            find("archive-truncated", "the tar has no end")
        if length > at + _LONGEST_END:
            find("archive-malformed", "the tar goes on behind its end")
            return
        file.seek(at)
        while block := file.read(1 << 20):
            if block.strip(b"\0"):
                find("archive-malformed", "the tar goes on behind its end")
                return


Store = Any  # Directory | Archive, which Python 3.9 cannot say in one word


def _first(items: Iterable[Any], most: int) -> list[Any]:
    return [item for item, _ in zip(items, range(most))]


def _by_name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _member(header: bytes) -> tuple[str, int, bool]:
    """Read the header of a file or folder in a tar: its name, its size, whether it is a file."""
    if len(header) < _BLOCK:
        raise MalformedError("ends within a header")
    signed = header[:148] + b" " * 8 + header[156:]
    kind, magic = header[156:157], header[257:265]
    if header[148:156] != b"%06o\0 " % sum(signed) or magic not in (b"ustar\x0000", b"ustar  \0"):
        raise MalformedError("has a header that is none")
    if kind not in (b"0", b"\0", b"5"):
        raise MalformedError("holds something that is neither a plain file nor a folder")
    parts = [header[:100].partition(b"\0")[0]]
    if magic == b"ustar\x0000":
        parts.insert(0, header[345:500].partition(b"\0")[0])
    try:
        name = b"/".join(part for part in parts if part).decode()
    except UnicodeDecodeError as error:
        raise MalformedError("holds a name that is not UTF-8") from error
    size = _octal(header[124:136]) if kind != b"5" else 0
    return name.removeprefix("./"), size, kind != b"5"


def _octal(field_: bytes) -> int:
    digits = field_.strip(b" \0")
    if not re.fullmatch(b"[0-7]{1,12}", digits):
        raise MalformedError("holds a number that is none")
    return int(digits, 8)


def fetch(store: Store, place: Place, most: int) -> bytes:
    """Read a file whole, if it is not larger than a file of its kind can be."""
    if place.size > most:
        raise MalformedError(f"is {place.size} bytes, more than any such file has")
    try:
        with store.open(place) as file:
            data: bytes = file.read(place.size)
            grown = place.offset < 0 and file.read(1)
    except OSError as error:
        raise MalformedError(f"cannot be read: {error.strerror}") from error
    if len(data) != place.size or grown:
        raise MalformedError("changed while it was read")
    return data


# ---------------------------------------------------------------------------------------------
# What is found, what was checked, what was not.

_LISTED_OF_A_CODE = 20


@dataclass
class Found:
    """What a part of the work found: every code counted, the first of each listed."""

    counts: Counter[str] = field(default_factory=Counter)
    listed: list[tuple[str, int | None, str]] = field(default_factory=list)

    def find(self, code: str, seq: int | None, detail: str) -> None:
        """Note that something is not as it was written."""
        self.counts[code] += 1
        if self.counts[code] <= _LISTED_OF_A_CODE:
            self.listed.append((code, seq, detail))

    def take(self, other: Found) -> None:
        """Take over what another part found."""
        before = Counter(code for code, _, _ in self.listed)
        for code, seq, detail in other.listed:
            before[code] += 1
            if before[code] <= _LISTED_OF_A_CODE:
                self.listed.append((code, seq, detail))
        self.counts.update(other.counts)


@dataclass
class Report(Found):
    """The outcome of a verification."""

    told: dict[str, Any] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code: never 0 when anything was found or skipped."""
        return FOUND if self.counts else INCOMPLETE if self.incomplete else HOLDS

    @property
    def ordered(self) -> list[tuple[str, int | None, str]]:
        """What was found, in the order of the leaves."""
        return sorted(self.listed, key=lambda each: -1 if each[1] is None else each[1])

    def shape(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "ok": self.code == HOLDS,
            **self.told,
            "findings": [
                {"code": code, "seq": seq, "detail": detail} for code, seq, detail in self.ordered
            ],
            "counts": dict(self.counts),
            "checked": self.checked,
            "incomplete": self.incomplete,
            "notes": self.notes,
        }

    def lines(self) -> Iterator[str]:
        """Yield the report as people read it."""
        for name, value in self.told.items():
            yield f"{name:<12} {', '.join(value) if isinstance(value, list) else value}"
        for line in self.checked:
            yield f"CHECKED      {line}"
        for code, seq, detail in self.ordered:
            yield f"FOUND        {code}{'' if seq is None else f' at {seq}'}: {detail}"
        listed = Counter(code for code, _, _ in self.listed)
        for code, count in self.counts.items():
            if count > listed[code]:
                yield f"FOUND        {code}: {count - listed[code]} more"
        for line in self.incomplete:
            yield f"LEFT OUT     {line}"
        for line in self.notes:
            yield f"NOTE         {line}"
        yield {HOLDS: "Everything holds.", FOUND: "This is not as it was written."}.get(
            self.code, "Nothing was found, but not everything was checked."
        )


# ---------------------------------------------------------------------------------------------
# The work over entry bundles, which several processes share.

_SAMPLE = 64
_MOST_BUNDLES, _MOST_BYTES = 16, 4 << 20
_OPENED = {"e", "payload", "actor"}, {"s", "subject", "actor"}


@dataclass(frozen=True)
class Setup:
    """What every process of the work must know."""

    store: Store
    signatures: str
    secret: bytes
    names: list[tuple[int, str]] = field(default_factory=list)  # the origin, from which leaf on
    writers: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # key, and its leaf
    first_gap: int | None = None
    keeps_covers: bool = False
    month: int = 0  # the present one, counted from January of the year 0


@dataclass(frozen=True)
class Piece:
    """A bundle and its tile of level 0, either of which may not be there."""

    n: int
    width: int
    bundle: Place | None
    tile: Place | None
    keep: bool  # whether its leaf hashes are wanted, and not their root alone

    def weight(self) -> int:
        """Return how many bytes it is to read."""
        return sum(place.size for place in (self.bundle, self.tile) if place)


@dataclass(frozen=True)
class Task:
    """Consecutive pieces, and what is disclosed of their leaves."""

    pieces: list[Piece]
    opened: dict[int, dict[str, Any]]


@dataclass
class Done(Found):
    """What came of a task; *nodes* holds leaf hashes, or the root above 256 of them."""

    nodes: list[tuple[int, bytes]] = field(default_factory=list)
    ids: list[bytes] = field(default_factory=list)
    covers: list[tuple[int, int, bool, bool]] = field(default_factory=list)
    gone: list[tuple[int, bool]] = field(default_factory=list)
    entries: int = 0
    signed: int = 0
    unsure: int = 0
    opened: int = 0
    files: int = 0
    manifest: int = 0
    keys: int = 0


_SETUP: list[Setup] = []


def begin(setup: Setup) -> None:
    """Give this process what it must know."""
    _SETUP[:] = [setup]


def work(task: Task) -> Done:
    """Check the bundles and tiles of a task."""
    return _Worker(_SETUP[0], task).run()


def keys_in(places: list[tuple[int, int, Place]]) -> list[tuple[int, bytes]]:
    """Find the leaves that announce keys; what is wrong with a bundle shows later."""
    found = []
    for n, width, place in places:
        with contextlib.suppress(MalformedError):
            data = fetch(_SETUP[0].store, place, width * (2 + _LONGEST_LEAF))
            if b'"t":"key"' in data:
                leaves = enumerate(split(data), start=n * _WIDTH)
                found += [(seq, leaf) for seq, leaf in leaves if b'"t":"key"' in leaf]
    return found


def split(bundle: bytes) -> Iterator[bytes]:
    """Yield the leaves of a bundle, as far as it is one."""
    at = 0
    while at + 2 < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        yield bundle[start:at]


class _Worker:
    def __init__(self, setup: Setup, task: Task) -> None:
        self._setup = setup
        self._task = task
        self._done = Done()
        self._every = {"all": 1, "sample": _SAMPLE, "none": 0}[setup.signatures]
        self._to_check: dict[str, list[tuple[int, bytes]]] = {}

    def run(self) -> Done:
        for piece in self._task.pieces:
            hashes = self._bundle(piece) if piece.bundle is not None else None
            if piece.tile is not None:
                hashes = self._tile(piece, piece.tile, hashes)
            if hashes:
                is_root = piece.width == _WIDTH and not piece.keep
                self._done.nodes.append((piece.n, perfect_root(hashes) if is_root else hashes))
            self._check_signatures()
        return self._done

    def _tile(self, piece: Piece, place: Place, computed: bytes | None) -> bytes | None:
        """Compare a tile of level 0 with the hashes of its bundle; return what to believe."""
        stored = self._read(place, piece.width * _HASH)
        if stored is None:
            return computed
        if len(stored) != piece.width * _HASH or stored != (computed or stored):
            self._done.find("tile-differs", None, f"{place.name} is not over these leaves")
            return computed
        return stored

    def _read(self, place: Place, most: int) -> bytes | None:
        try:
            data = fetch(self._setup.store, place, most)
        except MalformedError as error:
            self._done.find("file-refused", None, f"{place.name} {error}")
            return None
        self._done.files += 1
        self._done.manifest += fingerprint(self._setup.secret, place.name, hashlib.sha256(data))
        return data

    def _bundle(self, piece: Piece) -> bytes | None:
        """Check every leaf of a bundle and return their hashes; None if it is no bundle."""
        assert piece.bundle is not None  # noqa: S101 (asked for by `run`)
        data = self._read(piece.bundle, piece.width * (2 + _LONGEST_LEAF))
        if data is None:
            return None
        sha256, plain, opened = hashlib.sha256, _PLAIN.fullmatch, self._task.opened
        at, hashes, ids, every = 0, [], [], self._every
        for seq in range(piece.n * _WIDTH, piece.n * _WIDTH + piece.width):
            begin = at + 2
            at = begin + int.from_bytes(data[at:begin], "big")
            if at > len(data) or at == begin:
                break
            leaf = data[begin:at]
            hashes.append(sha256(b"\0" + leaf).digest())
            found = plain(leaf, _SIGNATURE)
            if found is None:
                ids.append(self._special(seq, leaf))
            else:
                entry_id, writer = found.groups()
                ids.append(entry_id)
                if every and not seq % every:
                    self._to_check.setdefault(writer.decode(), []).append((seq, leaf))
            if seq in opened:
                self._open(seq, leaf, opened[seq])
        if at != len(data) or len(hashes) != piece.width:
            detail = f"{piece.bundle.name} does not hold {piece.width} leaves and nothing else"
            self._done.find("bundle-malformed", None, detail)
            return None
        self._done.entries += piece.width
        self._done.ids.append(bytes.fromhex(b"".join(ids).replace(b"-", b"").decode()))
        return b"".join(hashes)

    def _special(self, seq: int, data: bytes) -> bytes:
        """Read a leaf that announces a key, covers an erasure, or is none; return its id."""
        leaf = Leaf.read(seq, data)
        if leaf is None:
            self._done.find("leaf-malformed", seq, "the leaf is not in canonical form")
            return b""
        if leaf.word("t") == "key":
            # Its keys and signature were checked before: this is that very leaf.
            self._done.keys += fingerprint(self._setup.secret, str(seq), hashlib.sha256(data))
        elif leaf.said["ec"] or (self._every and not seq % self._every):
            # What decides about other leaves is always checked.
            self._to_check.setdefault(leaf.word("w"), []).append((seq, data))
        if leaf.said["ec"] and self._setup.keeps_covers:
            ordered, both = leaf.word("ec") == "order", leaf.word("ep") == "all"
            for first, last in covered(leaf.said["es"] or b"", seq) or ():
                self._done.covers.append((first, last, ordered, both))
        return leaf.said["id"] or b""

    def _check_signatures(self) -> None:
        setup, done = self._setup, self._done
        for writer, leaves in self._to_check.items():
            announced, public = setup.writers.get(writer, (sys.maxsize, b""))
            holds = []
            for origin, named in groupby(leaves, lambda leaf: at(setup.names, leaf[0])):
                holds += signed(public, origin, [leaf for _, leaf in named])
            for (seq, _), held in zip(leaves, holds):
                if held and seq > announced:
                    done.signed += 1
                elif not public and setup.first_gap is not None and seq > setup.first_gap:
                    done.unsure += 1
                else:
                    done.find("writer-signature", seq, "no announced writer signed this leaf")
        self._to_check.clear()

    def _open(self, seq: int, data: bytes, opening: dict[str, Any]) -> None:
        leaf = Leaf.read(seq, data)
        if leaf is None:
            return
        self._done.opened += 1
        for fault in faults_of(leaf, opening):
            detail = f"the {fault} is not what the leaf commits to"
            self._done.find("opening-differs", seq, detail)
        for part in opening.get("gone", ()):
            if not leaf.expired(self._setup.month)[part == "act"]:
                self._done.gone.append((seq, part == "act"))


def at(history: Sequence[tuple[int, Any]], number: int) -> Any:  # noqa: ANN401 (as in the history)
    """Return what was in force at a leaf, or under a checkpoint of so many leaves."""
    return next(value for since, value in reversed(history) if since <= number)


def signed(public: bytes, origin: str, leaves: Sequence[bytes]) -> list[bool]:
    """Tell of each leaf whether this writer signed it for this log."""
    context = f"tradan journal entry v1\n{origin}\n".encode()
    pairs = [(context + leaf[_SIGNATURE:], leaf[:_SIGNATURE]) for leaf in leaves]
    return public_key(public).check(pairs)


def fingerprint(secret: bytes, name: str, digest: Any) -> int:  # noqa: ANN401 (hashlib names no type)
    """Turn a file's line in MANIFEST into a number that only this run can foresee."""
    return line_number(secret, f"{digest.hexdigest()}  {name}\n".encode(errors="surrogateescape"))


def line_number(secret: bytes, line: bytes) -> int:
    """Turn a line of MANIFEST into such a number."""
    return int.from_bytes(hashlib.blake2b(line, key=secret, digest_size=24).digest(), "big")


def faults_of(leaf: Leaf, opening: dict[str, Any]) -> list[str]:
    """Name what an opening says otherwise than its leaf commits to."""
    act, identity = opening.get("act"), opening.get("identity")
    claims = []
    if act is not None:
        e = bytes.fromhex(act["e"])
        claims.append(("payload", "cp", commitment(e, "payload", act["payload"])))
        if "actor" in act:
            claims.append(("actor", "ca", commitment(e, "actor", act["actor"])))
    if identity is not None:
        s = bytes.fromhex(identity["s"])
        claims.append(("subject", "cs", commitment(s, "subject", identity["subject"] or "")))
        if "actor" in identity:
            claims.append(("actor", "ca", commitment(s, "actor", identity["actor"])))
    faults = [name for name, where, value in claims if value != leaf.said[where]]
    if act and identity and ("actor" in act) == ("actor" in identity):
        faults.append("actor")
    return faults


# ---------------------------------------------------------------------------------------------
# The keys that the log's own leaves make known (docs/journal-format.md, "Origin and keys").

_MOST_ANNOUNCEMENTS = 200_000


@dataclass(frozen=True)
class InForce:
    """A log's name, and the keys that sign for it, the newest last."""

    origin: str
    keys: tuple[bytes, ...]

    def note_keys(self) -> list[NoteKey]:
        """Return the keys as checkpoints name them, the newest last."""
        return [NoteKey(self.origin, _LOG, public) for public in self.keys]


class KeyChain:
    """Follows the announcements from the log's first key on, in the order of the leaves."""

    def __init__(self, given: NoteKey, announcements: list[Leaf], gap: int | None) -> None:
        self.found = Found()
        self.signed = self.unsure = 0
        self.writers: dict[str, tuple[int, bytes]] = {}
        self._given = given
        self._gap = gap
        first = next((leaf.public("kl") for leaf in announcements if leaf.seq == 1), given.public)
        if gap == 0:
            first = given.public
        name = self._first_name(announcements)
        self.history: list[tuple[int, InForce]] = [(0, InForce(name, (first,)))]
        for leaf in announcements:
            self._take(leaf)

    @property
    def names(self) -> list[tuple[int, str]]:
        """From which leaf on the log has which origin."""
        return [(since, state.origin) for since, state in self.history]

    @property
    def is_whole(self) -> bool:
        """Whether every leaf was there to be asked."""
        return self._gap is None

    @property
    def knows_the_given(self) -> bool:
        """Whether the key that was given was ever the newest, under its own name."""
        newest = [(state.origin, state.keys[-1]) for _, state in self.history]
        return (self._given.name, self._given.public) in newest

    def states(self, size: int) -> list[InForce]:
        """Return what may have been in force under a checkpoint of *size* leaves."""
        if self._gap is None:
            return [at(self.history, size)]
        # What the leaves here say of keys counts for nothing unless it leads to the one given.
        known = [at(self.history, size)] if self.knows_the_given else []
        return [*known, InForce(self._given.name, (self._given.public,))]

    def _first_name(self, announcements: list[Leaf]) -> str:
        """Return the name under which the log began: by the first leaf's word, who signed it."""
        told = [leaf.word("ko") for leaf in announcements if leaf.word("ko")]
        first = announcements[:1]
        for name in (self._given.name, *told[:1]):
            if any(leaf.said["kw"] and leaf.is_signed(leaf.public("kw"), name) for leaf in first):
                return name
        return self._given.name

    def _take(self, leaf: Leaf) -> None:
        state: InForce = at(self.history, leaf.seq)
        new = leaf.word("kw")
        _, public = self.writers.get(leaf.word("w"), (0, b""))
        if new:
            public, named = leaf.public("kw"), hashlib.sha256(leaf.public("kw")).hexdigest()[:16]
            if named != leaf.word("w") or not self._endorsed(leaf, state, state.keys):
                self._fail(
                    leaf, "log-key", "the log's key did not sign for what this leaf announces"
                )
                return
        if not leaf.is_signed(public, state.origin):
            self._fail(leaf, "writer-signature", "no announced writer signed this leaf")
            return
        self.signed += 1
        if new:
            self.writers.setdefault(leaf.word("w"), (leaf.seq, public))
        elif leaf.seq != 1 and not self._endorsed(leaf, state, state.keys[-1:]):
            self._fail(leaf, "log-key", "the log's key did not sign for what this leaf announces")
        else:
            self._change(leaf, state)

    def _endorsed(self, leaf: Leaf, state: InForce, by: Sequence[bytes]) -> bool:
        lines = {
            "kw": ["writer", state.origin, leaf.word("kw")],
            "kl": ["log", state.origin, leaf.word("kl")],
            "kr": ["retired", state.origin, leaf.word("kr")],
            "kn": ["name", leaf.word("ko"), leaf.word("kn")],
        }
        said = next(words for name, words in lines.items() if leaf.said[name])
        message = f"tradan journal {said[0]} v1\n{said[1]}\n{said[2]}\n".encode()
        if leaf.said["ko"] and leaf.word("ko") != state.origin:
            return False
        return any(public_key(key).holds(message, leaf.public("ke")) for key in reversed(by))

    def _change(self, leaf: Leaf, state: InForce) -> None:
        origin, keys, is_fine = state.origin, state.keys, True
        if leaf.seq == 1:
            return
        if leaf.said["kl"]:
            new = leaf.public("kl")
            is_fine = all(new not in before.keys for _, before in self.history)
            keys = (*keys, new)
        elif leaf.said["kr"]:
            is_fine = leaf.public("kr") in keys[:-1]
            keys = tuple(key for key in keys if key != leaf.public("kr"))
        else:
            origin, keys = leaf.word("kn"), keys[-1:]
        if is_fine:
            self.history.append((leaf.seq + 1, InForce(origin, keys)))
        else:
            detail = "a key that was in force cannot follow, nor the newest, or none, be retired"
            self._fail(leaf, "log-key", detail)

    def _fail(self, leaf: Leaf, code: str, detail: str) -> None:
        if self._gap is not None and leaf.seq > self._gap:
            self.unsure += 1
        else:
            self.found.find(code, leaf.seq, detail)


# ---------------------------------------------------------------------------------------------
# A whole export.

_CHECKPOINT, _POLICY, _OPENINGS, _MANIFEST = (
    "checkpoint",
    "policy.txt",
    "openings.jsonl",
    "MANIFEST",
)
_UNFINISHED = "INCOMPLETE"
_KNOWN = (_CHECKPOINT, _POLICY, _OPENINGS, _MANIFEST, _UNFINISHED)
_STAMPED = re.compile(r"tsr/(0|[1-9][0-9]{0,18})\.(checkpoint|tsr)")
_MOST_STAMPED = 1 << 20
_LARGEST_NOTE, _LONGEST_OPENING, _LONGEST_HEADING = 1 << 20, 1 << 15, 1 << 20


class Pieces:
    """Which tiles of a level are there, and where: two numbers for each, in their order."""

    def __init__(self) -> None:
        self._numbers, self._offsets, self._sizes = array("Q"), array("q"), array("Q")

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, n: int, place: Place) -> None:
        """Note where a tile is."""
        self._numbers.append(n)
        self._offsets.append(place.offset)
        self._sizes.append(place.size)

    def sort(self) -> bool:
        """Bring the tiles into their order; False if one is there twice."""
        numbers = self._numbers
        if any(numbers[i - 1] >= numbers[i] for i in range(1, len(numbers))):
            order = sorted(range(len(numbers)), key=numbers.__getitem__)
            self._numbers = array("Q", [numbers[i] for i in order])
            self._offsets = array("q", [self._offsets[i] for i in order])
            self._sizes = array("Q", [self._sizes[i] for i in order])
        return not any(self._numbers[i - 1] == n for i, n in enumerate(self._numbers) if i)

    def places(self, level: int, size: int) -> Iterator[tuple[int, int, Place]]:
        """Yield number, width and place of every tile."""
        for n, offset, length in zip(self._numbers, self._offsets, self._sizes):
            width = width_at(level, n, size)
            yield n, width, Place(tile_name(level, n, width), offset, length)

    def find(self, n: int, level: int, size: int) -> Place | None:
        """Return the place of one tile, None if it is not there."""
        place = bisect_left(self._numbers, n)
        if place == len(self._numbers) or self._numbers[place] != n:
            return None
        name = tile_name(level, n, width_at(level, n, size))
        return Place(name, self._offsets[place], self._sizes[place])

    def runs(self) -> str:
        """Write the numbers as ranges: `0,19-23`."""
        starts = groupby(enumerate(self._numbers), lambda pair: pair[1] - pair[0])
        runs = ([n for _, n in run] for _, run in starts)
        return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)

    def first_gap(self) -> int:
        """Return the first number that is not there."""
        return next((i for i, n in enumerate(self._numbers) if i != n), len(self._numbers))


class Export:
    """What files an export of a log of *size* leaves has; whatever else is there is found."""

    def __init__(self, store: Store, size: int, found: Found) -> None:
        self.size = size
        self.levels = {level: Pieces() for level in (ENTRIES, *levels_of(size))}
        self.others: dict[str, Place] = {}
        self.stamped: dict[tuple[int, str], Place] = {}
        self.older = 0
        for place in store.places(lambda code, detail: found.find(code, None, detail)):
            if not self._take(place):
                detail = f"{shown(place.name)} does not belong to a log of {size} leaves"
                found.find("file-unexpected", None, detail)
        for level, pieces in self.levels.items():
            if not pieces.sort():
                found.find("file-unexpected", None, f"a tile of level {level} is there twice")

    def _take(self, place: Place) -> bool:
        """Put a file where it belongs; False if that is nowhere."""
        level, n, width = read_name(place.name) or (0, 0, 0)
        due = width_at(level, n, self.size)
        stamped = _STAMPED.fullmatch(place.name)
        if width and width == due:
            self.levels[level].add(n, place)
        elif 0 < width < due and _MANIFEST not in self.others:
            self.older += 1
        elif place.name in _KNOWN and place.name not in self.others:
            self.others[place.name] = place
        elif stamped and int(stamped[1]) <= self.size and len(self.stamped) < _MOST_STAMPED:
            kind = (int(stamped[1]), stamped[2])
            if kind in self.stamped:
                return False
            self.stamped[kind] = place
        else:
            return False
        return True

    def missing(self, level: int) -> int:
        """Return how many tiles of a level, or bundles, are not there."""
        return -(-(self.size >> 8 * max(level, 0)) // _WIDTH) - len(self.levels[level])

    def pieces(self, kept: set[int]) -> Iterator[Piece]:
        """Yield bundles together with their tiles, in their order."""
        bundles = self.levels[ENTRIES].places(ENTRIES, self.size)
        tiles = self.levels[0].places(0, self.size) if self.size else iter(())
        bundle, tile = next(bundles, None), next(tiles, None)
        while bundle or tile:
            n = min(each[0] for each in (bundle, tile) if each)
            mine = bundle[2] if bundle and bundle[0] == n else None
            its = tile[2] if tile and tile[0] == n else None
            yield Piece(n, width_at(0, n, self.size), mine, its, n in kept)
            bundle = next(bundles, None) if mine else bundle
            tile = next(tiles, None) if its else tile


class Seen:
    """Finds ids that come twice, in memory that does not grow with them.

    They are dealt to files by a hash that only this run can foresee, so that equal ones meet and
    no choice of ids makes one file large; each file is then looked through by itself.
    """

    _MOST_WAITING = 1 << 22  # bytes

    def __init__(self, expected: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="verify-journal-")
        self._waiting = [bytearray() for _ in range(max(16, min(4096, expected >> 14)))]
        self._count = 0

    def add(self, ids: bytes) -> None:
        """Take ids of 16 bytes, behind one another."""
        waiting, count = self._waiting, len(self._waiting)
        for place in range(0, len(ids), 16):
            each = ids[place : place + 16]
            waiting[hash(each) % count] += each
        self._count += len(ids)
        if self._count > self._MOST_WAITING:
            self._write()

    def repeated(self) -> Iterator[bytes]:
        """Yield every id that came again, and let go of them all."""
        self._write()
        with self._folder as folder:
            for number in range(len(self._waiting)):
                with contextlib.suppress(FileNotFoundError):
                    with open(os.path.join(folder, str(number)), "rb") as file:
                        ids = file.read()
                    known = [ids[place : place + 16] for place in range(0, len(ids), 16)]
                    if len(set(known)) < len(known):
                        yield from (each for each, times in Counter(known).items() if times > 1)

    def _write(self) -> None:
        for number, ids in enumerate(self._waiting):
            if ids:
                with open(os.path.join(self._folder.name, str(number)), "ab") as file:
                    file.write(ids)
                ids.clear()
        self._count = 0


def in_lots(items: Iterable[Any], size_of: Callable[[Any], int]) -> Iterator[list[Any]]:
    """Yield consecutive items in lots that are not too much for one process at a time."""
    lot: list[Any] = []
    weight = 0
    for item in items:
        lot.append(item)
        weight += size_of(item)
        if len(lot) == _MOST_BUNDLES or weight > _MOST_BYTES:
            yield lot
            lot, weight = [], 0
    if lot:
        yield lot


Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


@contextlib.contextmanager
def pool(jobs: int, setup: Setup) -> Iterator[Run]:
    """Give a way to do many things in their order, a few at a time."""
    begin(setup)
    if jobs <= 1:
        yield lambda function, tasks: (function(task) for task in tasks)
        return
    can_fork = sys.platform.startswith("linux") and threading.active_count() == 1
    context = get_context("fork" if can_fork else "spawn")
    executor = ProcessPoolExecutor(jobs, context, begin, (setup,))
    try:
        yield lambda function, tasks: _in_order(executor, function, tasks, 2 * jobs)
    finally:
        executor.shutdown(cancel_futures=True)


def _in_order(
    executor: ProcessPoolExecutor,
    function: Callable[[Any], Any],
    tasks: Iterable[Any],
    most: int,
) -> Iterator[Any]:
    waiting: deque[Any] = deque()
    for task in tasks:
        waiting.append(executor.submit(function, task))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class Climb:
    """Builds the tree above the bundles, and compares each stored tile with what is below it."""

    def __init__(self, export: Export, store: Store, secret: bytes, sizes: set[int]) -> None:
        self.found = Found()
        self.files = self.manifest = 0
        # Bundles whose leaf hashes are wanted one by one, to tell a root in their midst.
        self.kept = {size >> 8 for size in sizes}
        self._export, self._store, self._secret = export, store, secret
        # The partial tiles of each size that is asked for, by level.
        self._edges: dict[int, dict[int, bytes]] = {size: {} for size in sizes}

    def root(self, size: int) -> bytes | None:
        """Return the root over the first *size* leaves; None if it cannot be told."""
        return root_of(self._edges[size], size)

    def over(self, nodes: Iterator[tuple[int, bytes]]) -> None:
        """Take the nodes above (or within) the tiles of level 0, in their order."""
        below = self._lowest(nodes)
        for level in levels_of(self._export.size)[1:]:
            below = self._level(level, below)
        deque(below, maxlen=0)

    def _lowest(self, nodes: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        for n, hashes in nodes:
            if len(hashes) > _HASH or width_at(0, n, self._export.size) == 1:
                self._keep(0, n, hashes)
            if width_at(0, n, self._export.size) == _WIDTH:
                yield n, perfect_root(hashes)

    def _level(self, level: int, below: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        tiles = self._export.levels[level].places(level, self._export.size)
        groups = groupby(below, lambda node: node[0] >> 8)
        tile, group = next(tiles, None), next(groups, None)
        while tile or group:
            n = min(each[0] for each in (tile, group) if each)
            known = dict(group[1]) if group and group[0] == n else {}
            stored = self._stored(tile) if tile and tile[0] == n else b""
            tile = next(tiles, None) if tile and tile[0] == n else tile
            group = next(groups, None) if known else group
            hashes = self._settle(level, n, stored, known)
            self._keep(level, n, hashes)
            if len(hashes) == _WIDTH * _HASH:
                yield n, perfect_root(hashes)

    def _stored(self, tile: tuple[int, int, Place]) -> bytes:
        _, width, place = tile
        try:
            data = fetch(self._store, place, width * _HASH)
        except MalformedError as error:
            self.found.find("file-refused", None, f"{place.name} {error}")
            return b""
        self.files += 1
        self.manifest += fingerprint(self._secret, place.name, hashlib.sha256(data))
        if len(data) != width * _HASH:
            self.found.find("tile-differs", None, f"{place.name} is not {width} hashes")
            return b""
        return data

    def _settle(self, level: int, n: int, stored: bytes, known: dict[int, bytes]) -> bytes:
        """Compare a tile with what is below it; return its hashes, as many as can be told."""
        width = width_at(level, n, self._export.size)
        hashes = [stored[at : at + _HASH] for at in range(0, len(stored), _HASH)]
        hashes += [b""] * (width - len(hashes))
        told = list(hashes)
        for number, node in known.items():
            told[number & 255] = node
        if stored and told != hashes:
            name = tile_name(level, n, width)
            self.found.find("tile-differs", None, f"{name} is not over what is below it")
        whole = next((i for i, node in enumerate(told) if not node), width)
        return b"".join(told[:whole])

    def _keep(self, level: int, n: int, hashes: bytes) -> None:
        for size, edge in self._edges.items():
            if size >> 8 * (level + 1) == n:
                edge[level] = hashes[: _HASH * (size >> 8 * level & 255)]


class Spans:
    """Ranges of leaves, to be asked whether one is in them."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in sorted(spans):
            if self._lasts and first <= self._lasts[-1]:
                self._lasts[-1] = max(last, self._lasts[-1])
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def has(self, number: int) -> bool:
        """Tell whether a leaf is in any of the ranges."""
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and number <= self._lasts[place]


class Lines:
    """The lines of a long file, one at a time, while its digest is taken."""

    def __init__(self, store: Store, place: Place, longest: int) -> None:
        self._store, self._place, self._longest = store, place, longest
        self.digest = hashlib.sha256()
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line without its newline."""
        left = self._place.size
        try:
            with self._store.open(self._place) as file:
                while left:
                    line = file.readline(min(left, self._longest))
                    if not line.endswith(b"\n"):
                        raise MalformedError(
                            f"ends within line {self.count + 1}, or it is too long"
                        )
                    left -= len(line)
                    self.digest.update(line)
                    self.count += 1
                    yield line[:-1]
        except OSError as error:
            raise MalformedError(f"cannot be read: {error.strerror}") from error


_PARTS = {"act": ("e", "payload"), "identity": ("s", "subject")}


def read_opening(line: bytes, last: int = -1) -> dict[str, Any]:
    """Read a line of openings.jsonl; leaves stand there in their order."""
    try:
        said = json.loads(line)
        canonical = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        is_canonical = canonical.encode() == line
    except (ValueError, RecursionError) as error:
        raise MalformedError("is no JSON") from error
    if not is_canonical or not isinstance(said, dict):
        raise MalformedError("is not canonical JSON")
    gone = said.get("gone", ["act"])
    fits = (
        set(said) <= {"act", "gone", "identity", "seq"}
        and len(said) > 1
        and type(said.get("seq")) is int
        and said["seq"] >= 0
        and gone in (["act"], ["identity"], ["act", "identity"])
        and not ("gone" in said and set(gone) & set(said))
        and all(_is_part(said[name], *words) for name, words in _PARTS.items() if name in said)
    )
    if not fits:
        raise MalformedError("is no opening")
    if said["seq"] <= last:
        raise MalformedError("is not in the order of its leaves")
    return said


def _is_part(part: Any, salt: str, value: str) -> bool:  # noqa: ANN401 (read from JSON)
    return (
        isinstance(part, dict)
        and {salt, value} <= set(part) <= {salt, value, "actor"}
        and all(isinstance(each, str) for name, each in part.items() if name != "subject")
        and isinstance(part.get("subject"), (str, type(None)))
        and re.fullmatch("[0-9a-f]{64}", part[salt]) is not None
    )


class Memory:
    """The last checkpoint that was verified, in a file that belongs to whoever verifies."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.note: Note | None = None
        self.head: Head | None = None

    @classmethod
    def read(cls, path: str) -> Memory:
        """Read it; a file that is not there yet is a memory of nothing."""
        memory = cls(path)
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            try:
                memory.note = read_note(file.read(_LARGEST_NOTE))
                memory.head = read_head(memory.note)
            except MalformedError as error:
                raise UsageError(
                    f"{path} {error}: name the file of an earlier --remember"
                ) from error
        return memory

    def write(self, checkpoint: bytes) -> None:
        """Put a newer checkpoint in its place, whole or not at all."""
        beside = f"{self._path}.{os.getpid()}.tmp"
        with open(beside, "wb") as file:
            file.write(checkpoint)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self._path)


@dataclass(frozen=True)
class Options:
    """How a verification is to be done."""

    signatures: str = "all"
    remember: str | None = None
    policy: str | None = None
    jobs: int = 1
    progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None


class Verification:
    """One verification of one export."""

    def __init__(self, store: Store, given: NoteKey, options: Options) -> None:
        self.report = Report()
        self._store, self._given, self._options = store, given, options
        self._setup = Setup(store, options.signatures, os.urandom(32))
        # What each file comes to in MANIFEST, summed up in whatever order they are read.
        self._files = self._manifest = self._disclosed = 0
        self._digests: dict[str, str] = {}
        self._checkpoint_bytes = b""
        self.report.told.update(entries=0, size=0, root="", checkpoints=0, writers=[])

    def run(self) -> Report:
        """Check everything there is."""
        report = self.report
        memory = Memory.read(self._options.remember) if self._options.remember else None
        note = self._checkpoint()
        if note is None:
            return report
        head = read_head(note)
        self._head, self._export = head, Export(self._store, head.size, report)
        gap = self._export.missing(ENTRIES) or None
        gap = gap and self._export.levels[ENTRIES].first_gap() * _WIDTH
        sizes = {head.size, memory.head.size if memory and memory.head else 0}
        sizes = {size for size in sizes if size <= head.size}
        climb = Climb(self._export, self._store, self._setup.secret, sizes)
        chain = self._keys(gap)
        self._entries(climb)
        self._judge_tree(climb)
        self._judge_checkpoint(note, chain)
        self._other_files(chain)
        self._judge_manifest(chain)
        if memory is not None:
            self._judge_memory(memory, climb, chain)
        else:
            report.notes.append("whether leaves were cut off behind these: give --remember FILE")
        return report

    def _take(self, name: str, most: int) -> bytes | None:
        """Read one of the small files, if it is there."""
        place = self._export.others.get(name)
        if place is None:
            return None
        try:
            data = fetch(self._store, place, most)
        except MalformedError as error:
            self.report.find("file-refused", None, f"{name} {error}")
            return None
        self._account(name, hashlib.sha256(data))
        return data

    def _account(self, name: str, digest: Any) -> None:  # noqa: ANN401 (hashlib names no type)
        self._files += 1
        self._manifest += fingerprint(self._setup.secret, name, digest)
        if name in _KNOWN:
            self._digests[name] = digest.hexdigest()

    def _checkpoint(self) -> Note | None:
        places = self._store.places(lambda _code, _detail: None)
        place = next((place for place in places if place.name == _CHECKPOINT), None)
        if place is None:
            self.report.incomplete.append("everything: there is no checkpoint in this export")
            return None
        try:
            data = fetch(self._store, place, _LARGEST_NOTE)
            note = read_note(data)
            read_head(note)
        except MalformedError as error:
            self.report.find("checkpoint-invalid", None, f"the checkpoint {error}")
            return None
        self._account(_CHECKPOINT, hashlib.sha256(data))
        self._checkpoint_bytes = data
        return note

    # Keys first: what the leaves of that kind say decides about all others.

    def _keys(self, gap: int | None) -> KeyChain:
        places = self._export.levels[ENTRIES].places(ENTRIES, self._head.size)
        bundles = in_lots(places, lambda each: each[2].size)
        announcements: list[Leaf] = []
        self._announced = 0
        with pool(self._options.jobs, self._setup) as run:
            for found in run(keys_in, bundles):
                for seq, data in found:
                    leaf = Leaf.read(seq, data)
                    if leaf is None or leaf.word("t") != "key" or not leaf.announces:
                        continue
                    hashed = hashlib.sha256(data)
                    self._announced += fingerprint(self._setup.secret, str(seq), hashed)
                    announcements.append(leaf)
                if len(announcements) > _MOST_ANNOUNCEMENTS:
                    self.report.find("log-key", None, "more keys are announced than any log has")
                    break
        chain = KeyChain(self._given, announcements, gap)
        self.report.take(chain.found)
        self._sum = Done(signed=chain.signed, unsure=chain.unsure)
        if not chain.knows_the_given:
            if gap is None:
                detail = "the key that was given was never this log's: it is another log, or forged"
                self.report.find("log-key", None, detail)
            else:
                self.report.incomplete.append("log key: the leaves that lead to it are not here")
        if gap is None and self._head.size > 1 and not any(leaf.seq == 1 for leaf in announcements):
            self.report.find("log-key", 1, "the second leaf does not tell the log's first key")
        now = month_of(time.gmtime())
        discloses = _OPENINGS in self._export.others
        self._setup = replace(
            self._setup,
            names=chain.names,
            writers=chain.writers,
            first_gap=gap,
            keeps_covers=discloses,
            month=now,
        )
        return chain

    # Then every bundle, every tile, every opening, in one go.

    def _entries(self, climb: Climb) -> None:
        seen = Seen(self._head.size)
        with pool(self._options.jobs, self._setup) as run:
            climb.over(self._nodes(run(work, self._tasks(climb)), seen))
        total, report = self._sum, self.report
        report.take(climb.found)
        self._files += climb.files
        self._manifest += climb.manifest
        if total.keys != self._announced:
            report.find(
                "file-refused", None, "a bundle is not what it was when keys were looked for"
            )
        for repeated in seen.repeated():
            detail = f"the id {repeated.hex()} stands in more than one leaf"
            report.find("entry-repeated", None, detail)
        self._judge_erasures()
        mode, count = self._options.signatures, len(self._setup.writers)
        report.told.update(entries=total.entries, signatures=mode)
        report.told["writers"] = sorted(key.hex() for _, key in self._setup.writers.values())[:100]
        report.checked.append(f"{total.entries} entries: form, hash, unique id")
        report.checked.append(f"{total.signed} writers' signatures, of {count} writers")
        if _OPENINGS in self._export.others:
            report.checked.append(f"{total.opened} openings: commitments, erasures")
        if mode != "all":
            report.incomplete.append(f"writers' signatures: {mode}")
        if total.unsure:
            text = f"{total.unsure} signatures, by keys that no leaf here announces"
            report.incomplete.append(text)

    def _nodes(self, dones: Iterator[Done], seen: Seen) -> Iterator[tuple[int, bytes]]:
        total = self._sum
        for done in dones:
            self.report.take(done)
            self._files += done.files
            self._manifest += done.manifest
            for ids in done.ids:
                seen.add(ids)
            for name in ("entries", "signed", "unsure", "opened", "keys", "covers", "gone"):
                setattr(total, name, getattr(total, name) + getattr(done, name))
            self._options.progress("entries", total.entries, self._head.size)
            yield from done.nodes

    def _tasks(self, climb: Climb) -> Iterator[Task]:
        openings = self._openings()
        waiting = next(openings, None)
        for pieces in in_lots(self._export.pieces(climb.kept), Piece.weight):
            opened = {}
            for piece in pieces:
                end = piece.n * _WIDTH + piece.width
                while waiting is not None and waiting["seq"] < end:
                    if piece.bundle is not None and waiting["seq"] >= piece.n * _WIDTH:
                        opened[waiting["seq"]] = waiting
                    else:
                        self._stray(waiting["seq"])
                    waiting = next(openings, None)
            yield Task(pieces, opened)
        while waiting is not None:
            self._stray(waiting["seq"])
            waiting = next(openings, None)

    def _stray(self, seq: int) -> None:
        self.report.find("opening-outside", seq, "the leaf of this opening is not here")

    def _openings(self, *, again: bool = False) -> Iterator[dict[str, Any]]:
        place = self._export.others.get(_OPENINGS)
        if place is None:
            return
        lines, last = Lines(self._store, place, _LONGEST_OPENING), -1
        try:
            for line in lines:
                opening = read_opening(line, last)
                last = opening["seq"]
                yield opening
        except MalformedError as error:
            where = f"{_OPENINGS} {error}, in or behind line {lines.count}"
            self.report.find("opening-malformed", None, where)
            return
        if not again:
            self._disclosed = lines.count
            self._account(_OPENINGS, lines.digest)

    def _judge_erasures(self) -> None:
        """Nothing may be disclosed that was erased; what is gone early must be covered."""
        total, report = self._sum, self.report
        ordered = [
            Spans(
                (first, last)
                for first, last, order, both in total.covers
                if order and (both or not act)
            )
            for act in (False, True)
        ]
        any_cause = [
            Spans((first, last) for first, last, _, both in total.covers if both or not act)
            for act in (False, True)
        ]
        for seq, is_act in total.gone:
            if not any_cause[is_act].has(seq):
                report.find("opening-missing", seq, "what is gone was due, and nothing covers it")
        if any(order for _, _, order, _ in total.covers):
            for opening in self._openings(again=True):
                for act, name in enumerate(("identity", "act")):
                    if name in opening and ordered[act].has(opening["seq"]):
                        detail = f"the {name} was erased and is disclosed"
                        report.find("erased-present", opening["seq"], detail)

    def _judge_tree(self, climb: Climb) -> None:
        report, size, export = self.report, self._head.size, self._export
        report.told.update(log=shown(self._head.origin), size=size, root=self._head.root.hex())
        root = climb.root(size)
        if root is None:
            report.incomplete.append("root: the tiles and bundles that it takes are not here")
        elif root != self._head.root:
            report.find(
                "root-differs", size, "the checkpoint's root is not the root of these leaves"
            )
        for level, pieces in export.levels.items():
            missing = export.missing(level)
            name = "entry bundles" if level == ENTRIES else f"tiles of level {level}"
            if len(pieces):
                report.checked.append(f"{len(pieces)} {name}")
            if missing:
                report.incomplete.append(
                    f"{name}: {missing} of {missing + len(pieces)} are not here"
                )
        if export.older and _MANIFEST in export.others:
            report.find("file-unexpected", None, f"{export.older} tiles are of an earlier size")
        elif export.older:
            report.incomplete.append(f"{export.older} partial tiles of earlier sizes")
        if _UNFINISHED in export.others:
            report.incomplete.append("what is missing: this export was never finished")

    def _judge_checkpoint(self, note: Note, chain: KeyChain) -> None:
        report, head = self.report, self._head
        state = next(
            (each for each in chain.states(head.size) if is_signed(note, head, each)), None
        )
        if state is None:
            detail = "the log's key, in force at this size, did not sign this checkpoint"
            report.find("checkpoint-invalid", head.size, detail)
            return
        logs = state.note_keys()
        report.told["checkpoints"] += 1
        report.checked.append(f"1 checkpoint, by {len(state.keys)} of the log's keys")
        own, policy = self._take(_POLICY, _LARGEST_NOTE), self._options.policy
        octets = own
        if policy is not None:
            with open(policy, "rb") as file:
                octets = file.read(_LARGEST_NOTE)
        elif own is not None:
            report.notes.append("witnesses: those that the export itself names; give --policy FILE")
        known = {(key.name, key.id) for key in logs}
        if octets is not None:
            known |= judge_policy(report, octets, note, logs, may_lag=True)
        strangers = sum((name, number) not in known for name, number, _ in note.signatures)
        if strangers:
            text = f"{strangers} signatures on the checkpoint, by keys that no policy names"
            report.incomplete.append(text)

    def _other_files(self, chain: KeyChain) -> None:
        """Check the checkpoints that were time-stamped; their tokens need other tools."""
        stamped, tokens = self._export.stamped, 0
        for (size, kind), place in sorted(stamped.items()):
            try:
                data = fetch(self._store, place, _LARGEST_NOTE)
                self._account(place.name, hashlib.sha256(data))
                if kind == "checkpoint":
                    self._stamped(place.name, size, read_note(data), chain)
            except MalformedError as error:
                self.report.find("file-refused", size, f"{place.name} {error}")
            tokens += kind == "tsr"
            if kind == "tsr" and (size, "checkpoint") not in stamped:
                self.report.find("file-unexpected", size, f"{place.name} is over nothing here")
        if tokens:
            text = f"time-stamps: {tokens} tokens; check them with `openssl ts -verify`"
            self.report.incomplete.append(text)

    def _stamped(self, name: str, size: int, note: Note, chain: KeyChain) -> None:
        head, report = read_head(note), self.report
        root = self._stored_root(size)
        if head.size != size or not any(is_signed(note, head, s) for s in chain.states(size)):
            report.find("checkpoint-invalid", size, f"the log did not sign {name}")
        elif root is None:
            report.incomplete.append(f"{name}: the tiles for it are not here")
        elif root != head.root:
            report.find("checkpoint-differs", size, f"{name} is not over these leaves")
        else:
            report.told["checkpoints"] += 1

    def _stored_root(self, size: int) -> bytes | None:
        """Compute the root at an earlier size from tiles that were compared with their leaves."""
        edge = {}
        for level in levels_of(size):
            if size >> 8 * level & 255:
                n = size >> 8 * (level + 1)
                place = self._export.levels[level].find(n, level, self._head.size)
                with contextlib.suppress(MalformedError):
                    edge[level] = fetch(self._store, place, _WIDTH * _HASH) if place else b""
        return root_of(edge, size)

    def _judge_manifest(self, chain: KeyChain) -> None:
        report, place = self.report, self._export.others.get(_MANIFEST)
        if place is None:
            report.incomplete.append("damage to files: there is no MANIFEST")
            return
        lines, heading, total, count = Lines(self._store, place, _LONGEST_HEADING), [], 0, 0
        try:
            for line in lines:
                if line.startswith(b"# ") and not count:
                    heading.append(line[2:].decode())
                    continue
                total += line_number(self._setup.secret, line + b"\n")
                count += 1
            self._judge_heading(heading, count, chain)
        except (MalformedError, UnicodeDecodeError) as error:
            report.find("manifest-differs", None, f"MANIFEST {error}")
            return
        if (total, count) != (self._manifest, self._files):
            self._name_differences(Lines(self._store, place, _LONGEST_HEADING))
        else:
            report.checked.append(f"{count} files against MANIFEST")

    def _judge_heading(self, heading: list[str], files: int, chain: KeyChain) -> None:
        head, export, report = self._head, self._export, self.report
        state = chain.states(head.size)[0]
        key = state.note_keys()[-1]
        encoded = base64.b64encode(bytes([_LOG]) + key.public).decode()
        said = dict(line.split(" ", 1) for line in heading if " " in line)
        due = {
            "format": "tradan journal export 1",
            "origin": head.origin,
            "key": f"{key.name}+{key.id.hex()}+{encoded}",
            "size": str(head.size),
            "root": head.root.hex(),
            "from": said.get("from", ""),
            "to": said.get("to", ""),
            "bundles": export.levels[ENTRIES].runs(),
            "openings": str(self._disclosed),
            "missing": "0",
            "files": str(files),
        }
        if [line.split(" ", 1)[0] for line in heading] != list(due):
            raise MalformedError("does not begin with the lines it should begin with")
        for name, value in due.items():
            if said.get(name) != value and name == "key" and not chain.is_whole:
                report.incomplete.append("MANIFEST's key: the leaves that lead to it are not here")
            elif said.get(name) != value:
                detail = f"the {name} is told as {shown(said.get(name, ''))[:100]}, not as it is"
                report.find("manifest-differs", None, detail)
        if not all(re.fullmatch("0|[1-9][0-9]{0,18}", said[name]) for name in ("from", "to")):
            raise MalformedError("does not tell which leaves were asked for")
        if (int(said["from"]), int(said["to"])) != (0, head.size - 1):
            text = f"a range: leaves {said['from']} to {said['to']} were asked for"
            report.incomplete.append(text)

    def _name_differences(self, lines: Lines) -> None:
        """Say which files are not those of MANIFEST, now that it is known that some are not."""
        report, before = self.report, self.report.counts["manifest-differs"]
        for line in lines:
            found = _MANIFEST_LINE.fullmatch(line)
            if line.startswith(b"# "):
                continue
            place = None if found is None else self._place_of(found[2].decode(errors="replace"))
            if found is None or place is None:
                detail = f"MANIFEST names {shown(line[66:].decode(errors='replace'))}: not here"
                report.find("manifest-differs", None, detail)
                continue
            if self._digest_of(place) != found[1].decode():
                detail = f"{place.name} is not as MANIFEST has it"
                report.find("manifest-differs", None, detail)
        if report.counts["manifest-differs"] == before:
            detail = f"{self._files} files are here, MANIFEST names {lines.count} or one twice"
            report.find("manifest-differs", None, detail)

    def _digest_of(self, place: Place) -> str:
        if place.name in _KNOWN:
            return self._digests.get(place.name, "")
        try:
            data = fetch(self._store, place, _WIDTH * (2 + _LONGEST_LEAF))
        except MalformedError:
            return ""
        return hashlib.sha256(data).hexdigest()

    def _place_of(self, name: str) -> Place | None:
        parts, stamped = read_name(name), _STAMPED.fullmatch(name)
        if parts is not None and parts[0] in self._export.levels:
            place = self._export.levels[parts[0]].find(parts[1], parts[0], self._head.size)
            return place if place and place.name == name else None
        if stamped:
            return self._export.stamped.get((int(stamped[1]), stamped[2]))
        return self._export.others.get(name)

    def _judge_memory(self, memory: Memory, climb: Climb, chain: KeyChain) -> None:
        report, head, old = self.report, self._head, memory.head
        if old is not None and memory.note is not None:
            if not any(is_signed(memory.note, old, each) for each in chain.states(old.size)):
                report.find("memory-foreign", old.size, "what is remembered is another log's word")
            elif old.size > head.size:
                detail = f"{old.size} leaves are remembered, {head.size} are here"
                report.find("tail-cut", head.size, detail)
            elif climb.root(old.size) is None:
                report.incomplete.append("what is remembered: the tiles for it are not here")
                return
            elif climb.root(old.size) != old.root:
                detail = "what is remembered has another root"
                report.find("history-rewritten", old.size, detail)
            else:
                report.checked.append(f"that these leaves continue the {old.size} remembered")
        else:
            report.notes.append("nothing was remembered before; from now on it is")
        if not report.counts and climb.root(head.size) == head.root:
            memory.write(self._checkpoint_bytes)


_MANIFEST_LINE = re.compile(rb"([0-9a-f]{64})  (.{1,4096})")


def is_signed(note: Note, head: Head, state: InForce) -> bool:
    """Tell whether a log in this state signed a checkpoint: its newest key, and none wrongly."""
    verdicts = [note.judge(key) for key in state.note_keys()]
    return head.origin == state.origin and bool(verdicts[-1]) and False not in verdicts


def judge_policy(
    report: Report, octets: bytes, note: Note, logs: Sequence[NoteKey], *, may_lag: bool
) -> set[tuple[str, bytes]]:
    """See whether a checkpoint has the cosignatures that are demanded; return the known keys.

    An export's newest checkpoint *may lag* behind its witnesses; a proof chooses its checkpoint.
    """
    try:
        policy = Policy(octets)
    except MalformedError as error:
        report.find("policy-malformed", None, f"the policy {error}")
        return set()
    if policy.logs and not {key.public for key in policy.logs} & {key.public for key in logs}:
        report.find("policy-differs", None, "the policy is for other logs")
    cosigned = []
    for key in policy.witnesses.values():
        verdict = note.judge(key)
        if verdict is False:
            detail = f"the cosignature of {shown(key.name)} does not hold"
            report.find("cosignature-invalid", None, detail)
        elif verdict:
            cosigned.append(key)
    is_reached = policy.reached(cosigned)
    if not is_reached and may_lag:
        # Witnesses are asked once a minute: what is newer than their last round is not forged.
        report.incomplete.append("cosignatures: the newest checkpoint has too few of them yet")
    elif not is_reached:
        report.find("quorum-missing", None, f"{len(cosigned)} witnesses cosigned: too few")
    text = "too few" if not is_reached else "enough" if policy.demands else "none is demanded"
    report.checked.append(f"{len(cosigned)} cosignatures of {len(policy.witnesses)}: {text}")
    return {(key.name, key.id) for key in (*policy.witnesses.values(), *policy.logs)}


# ---------------------------------------------------------------------------------------------
# The proof of one entry (C2SP tlog-proof), and two checkpoints compared.

_PROOF, _COMPARISON = "c2sp.org/tlog-proof@v1", "tradan journal comparison 1"
_MOST_HASHES, _LARGEST_PROOF = 63, 1 << 20


def verify_proof(
    data: bytes,
    keys: Sequence[NoteKey],
    *,
    leaf: bytes | None,
    openings: bytes | None,
    policy: bytes | None,
) -> Report:
    """Check that a leaf is in the log; the leaf stands in the proof, or beside it."""
    report = Report()
    try:
        index, path, extra, note, head = read_proof(data)
    except MalformedError as error:
        report.find("proof-malformed", None, f"the proof {error}")
        return report
    report.told.update(log=shown(head.origin), size=head.size, root=head.root.hex(), seq=index)
    judge_note(report, "the checkpoint", note, head, keys)
    if policy is not None:
        judge_policy(report, policy, note, keys, may_lag=False)
    leaf = leaf or extra
    if leaf is None:
        report.incomplete.append("the leaf: it is not in this proof; give --leaf FILE")
        return report
    hashed = leaf_hash(leaf)
    report.told.update(leaf_hash=hashed.hex(), receipt=receipt(hashed))
    if not verify_inclusion(hashed, index, head, path):
        report.find("proof-differs", index, "the proof does not lead from this leaf to the root")
        return report
    report.checked.append(f"that this is leaf {index} of the {head.size} of the log")
    judge_entry(report, index, leaf, openings)
    return report


def judge_entry(report: Report, index: int, data: bytes, openings: bytes | None) -> None:
    """Tell what an entry says of itself, and check what is disclosed of it."""
    entry = Leaf.read(index, data)
    if entry is None:
        report.find("leaf-malformed", index, "the leaf is not in canonical form")
        return
    seconds, rest = divmod(int(entry.word("ts")), 1_000_000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    report.told.update(id=entry.word("id"), kind=entry.word("t"), at=f"{moment}.{rest:06d}Z")
    report.notes.append("the writer's signature: its key stands in another leaf")
    judge_openings(report, entry, openings)


def read_proof(data: bytes) -> tuple[int, list[bytes], bytes | None, Note, Head]:
    """Read a proof: index, path, extra data, checkpoint."""
    begin, blank, rest = data.partition(b"\n\n")
    try:
        lines = begin.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("is not ASCII") from error
    if lines.pop(0) != _PROOF or not blank:
        raise MalformedError("is no C2SP tlog-proof")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decoded(lines.pop(0)[6:])
    if not lines or not re.fullmatch("index (0|[1-9][0-9]{0,18})", lines[0]):
        raise MalformedError("does not tell the index of its entry")
    if len(lines) > 1 + _MOST_HASHES:
        raise MalformedError("has more hashes than any path")
    note = read_note(rest)
    return (
        int(lines[0][6:]),
        [decoded(line, _HASH) for line in lines[1:]],
        extra,
        note,
        read_head(note),
    )


def judge_note(report: Report, what: str, note: Note, head: Head, keys: Sequence[NoteKey]) -> None:
    """See whether a checkpoint is signed by one of the keys that were given."""
    verdicts = [note.judge(key) for key in keys if key.name == head.origin]
    if True not in verdicts or False in verdicts:
        detail = f"{what} is not signed by the key that was given"
        report.find("checkpoint-invalid", head.size, detail)
    else:
        report.checked.append(f"{what}: the log signed it over {head.size} leaves")


def judge_openings(report: Report, entry: Leaf, openings: bytes | None) -> None:
    """Check what is disclosed of one entry."""
    if openings is None:
        return
    for line in openings.splitlines():
        try:
            opening = read_opening(line)
        except MalformedError as error:
            report.find("opening-malformed", None, f"a line of the openings {error}")
            continue
        if opening["seq"] == entry.seq:
            for fault in faults_of(entry, opening):
                detail = f"the {fault} is not what the leaf commits to"
                report.find("opening-differs", entry.seq, detail)
            report.checked.append("what is disclosed of it")


def verify_comparison(data: bytes, keys: Sequence[NoteKey]) -> Report:
    """Check two checkpoints that were compared: one continues the other, or the log forked."""
    report = Report()
    try:
        notes, root, path = read_comparison(data)
        older, newer = (read_head(note) for note in notes)
    except MalformedError as error:
        report.find("comparison-malformed", None, f"the comparison {error}")
        return report
    report.told.update(log=shown(newer.origin), older=older.size, newer=newer.size)
    judge_note(report, "the older checkpoint", notes[0], older, keys)
    judge_note(report, "the newer checkpoint", notes[1], newer, keys)
    if older.origin != newer.origin or not verify_consistency(older.size, root, newer, path):
        report.find("comparison-differs", None, "what is here does not lead from one to the other")
    elif root != older.root:
        detail = f"under the newer checkpoint the first {older.size} leaves are others"
        report.find("fork", older.size, detail)
    else:
        report.checked.append(f"that {newer.size} leaves continue the {older.size} before")
    return report


def read_comparison(data: bytes) -> tuple[list[Note], bytes, list[bytes]]:
    """Read a comparison: both checkpoints, the root between, and the way from it to the newer."""
    begin, *parts = data.split(b"\n\n")
    if len(parts) != 4 or not begin.isascii():
        raise MalformedError("does not hold two checkpoints")
    first, *lines = begin.decode().split("\n")
    if first != _COMPARISON or not 0 < len(lines) <= 2 * _MOST_HASHES:
        raise MalformedError("does not begin as one does")
    root, *path = [decoded(line, _HASH) for line in lines]
    older, newer = (b"\n\n".join(pair) for pair in (parts[:2], parts[2:]))
    return [read_note(older + b"\n"), read_note(newer)], root, path


# ---------------------------------------------------------------------------------------------
# The command line.


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify what the command line names; return the exit code."""
    given = _parser().parse_args(arguments)
    try:
        report = _verify(given)
    except UsageError as error:
        print(f"verify_journal: {shown(str(error))}", file=sys.stderr)
        return USAGE
    except OSError as error:
        where = f" {shown(str(error.filename))}" if error.filename else ""
        print(f"verify_journal: cannot use{where}: {error.strerror}", file=sys.stderr)
        return USAGE
    except BrokenProcessPool:
        print("verify_journal: a process was ended from outside; try --jobs 1", file=sys.stderr)
        return INCOMPLETE
    except KeyboardInterrupt:
        return INCOMPLETE
    try:
        print(json.dumps(report.shape()) if given.json else "\n".join(report.lines()), flush=True)
    except BrokenPipeError:  # who reads on has gone; the exit code stands
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return report.code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify_journal.py",
        description="Verify an export of a TraDan journal, a proof, or a comparison.",
        epilog="Ends 0: everything holds. 1: something was found. 2: not asked rightly. "
        "3: nothing was found, but not everything could be checked.",
    )
    add = parser.add_argument
    add("target", metavar="EXPORT", help="directory or tar; or a .tlog-proof; or a comparison")
    add(
        "--key",
        required=True,
        action="append",
        metavar="VKEY",
        help="the log's public key, ORIGIN+ID+KEY; for proofs and comparisons, once for each key",
    )
    add(
        "--signatures",
        choices=("all", "sample", "none"),
        default="all",
        help="which writers' signatures are checked; fewer than all end 3  [all]",
    )
    add(
        "--remember",
        metavar="FILE",
        help="require that the log continues the checkpoint in FILE, and keep the newer one there",
    )
    add("--policy", metavar="FILE", help="the tlog-policy whose witnesses must have cosigned")
    add("--leaf", metavar="FILE", help="for a proof that does not hold its leaf")
    add("--openings", metavar="FILE", help="for a proof: what is disclosed of the entry")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes  [all cores]")
    add("--json", action="store_true", help="print JSON")
    return parser


def _verify(given: argparse.Namespace) -> Report:
    keys = []
    for text in given.key:
        try:
            keys.append(read_key(text, _LOG))
        except (MalformedError, UnicodeEncodeError) as error:
            raise UsageError(f"the key {error}") from error
    if os.path.isdir(given.target):
        return _verify_export(Directory(given.target), keys, given)
    with open(given.target, "rb") as file:
        start = file.read(_BLOCK)
        rest = start + file.read(_LARGEST_PROOF)
    if start.startswith(_PROOF.encode() + b"\n"):
        leaf, openings, policy = (
            _content(name) for name in (given.leaf, given.openings, given.policy)
        )
        return verify_proof(rest, keys, leaf=leaf, openings=openings, policy=policy)
    if start.startswith(_COMPARISON.encode() + b"\n"):
        return verify_comparison(rest, keys)
    if start[257:262] == b"ustar":
        return _verify_export(Archive(given.target), keys, given)
    raise UsageError(f"{given.target} is no export, proof or comparison; unpack what is compressed")


def _verify_export(store: Store, keys: list[NoteKey], given: argparse.Namespace) -> Report:
    if len(keys) != 1 or given.leaf or given.openings:
        raise UsageError("an export is verified with one --key, and without --leaf and --openings")
    jobs = max(1, min(given.jobs, 64))
    with Ticker().running() as ticker:
        options = Options(given.signatures, given.remember, given.policy, jobs, ticker.tell)
        return Verification(store, keys[0], options).run()


def _content(name: str | None) -> bytes | None:
    if name is None:
        return None
    with open(name, "rb") as file:
        return file.read(_LARGEST_PROOF)


class Ticker:
    """Tells on standard error that the work goes on."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._live = sys.stderr.isatty()
        self._every = 0.2 if self._live else 10.0

    @contextlib.contextmanager
    def running(self) -> Iterator[Ticker]:
        """Tell while the work goes on, and clear the line behind it."""
        try:
            yield self
        finally:
            if self._live:
                print("\r\033[K", end="", file=sys.stderr, flush=True)

    def tell(self, what: str, done: int, total: int) -> None:
        """Tell how much is done, if it is time to."""
        now = time.monotonic()
        if now - self._told < self._every:
            return
        self._told = now
        rate = done / max(now - self._began, 0.001)
        line = f"{done} of {total} {what}, {rate:.0f} a second"
        print(
            f"\r\033[K{line}" if self._live else line,
            end="" if self._live else "\n",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
