"""What the verifier must believe before anything else: the log's key, its notes, its memory.

Source: C2SP signed-note and tlog-checkpoint; docs/journal-format.md for the memory's file.
"""

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_MEMORY_SLOT = 112  # bytes of a slot that its checksum covers, and the checksum
_MEMORY_PLACES = (0, 4096)
# Anybody's signature: a name, and in base64 the key's four bytes and what it signed.
_SIGNED = re.compile(r"— [^\s+]+ [0-9A-Za-z+/]{6,}={0,2}")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A tree head that somebody remembers."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class LogKey:
    """The public key and the origin of the log that is verified."""

    origin: str
    public: bytes

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the log signed *message*."""
        return holds(self.public, message, signature)

    def head_of(self, note: str) -> Remembered | None:
        """Return the tree head that a note tells, None if it is not this log's word."""
        text, _, block = note.rpartition("\n\n")
        text += "\n"
        signed = block.split("\n")
        if signed.pop() or not all(_SIGNED.fullmatch(line) for line in signed):
            return None
        if not any(self._line_holds(text, line) for line in signed):
            return None
        lines = text.split("\n")
        if len(lines) != 4 or lines[0] != self.origin:  # noqa: PLR2004 (three lines and their end)
            return None
        if not (lines[1].isascii() and lines[1].isdecimal()):
            return None
        root = _decoded(lines[2])
        return (
            Remembered(int(lines[1]), root) if len(root) == hashlib.sha256().digest_size else None
        )

    def _line_holds(self, text: str, line: str) -> bool:
        start = f"— {self.origin} "
        identity = self.origin.encode() + b"\n\x01" + self.public
        said = _decoded(line.removeprefix(start)) if line.startswith(start) else b""
        known = hashlib.sha256(identity).digest()[:4]
        return said[:4] == known and self.signed(text.encode(), said[4:])


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether an Ed25519 signature is that of a public key."""
    try:
        _key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


def read_memory(path: Path) -> Remembered | None:
    """Return the newest tree head in a signer's memory file, None if it holds none."""
    content = path.read_bytes() if path.exists() else b""
    heads = []
    for place in _MEMORY_PLACES:
        slot = content[place : place + _MEMORY_SLOT]
        if slot and hashlib.sha256(slot[:-32]).digest() == slot[-32:]:
            _, size, root, _ = struct.unpack(">8sQ32s32s", slot[:-32])
            heads.append(Remembered(size, root))
    return max(heads, key=lambda head: head.size, default=None)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
