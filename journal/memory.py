"""What the signer remembers, in a file beside the database and outside of it.

Two slots are written in turn, each with a checksum, so that a torn write leaves the other. A slot
is written without a flush: a killed process loses nothing, and after a power failure the signer
catches up from the database by proof. docs/journal-format.md, ADR 0004.
"""

import fcntl
import hashlib
import os
import struct
from collections.abc import Collection
from pathlib import Path

from journal.errors import Fault, JournalFault
from journal.tree import TreeHead

_SLOT = struct.Struct(">8sQ32s32s")
_MAGIC = b"tradanS1"
_CHECKSUM_BYTES = 32
_LENGTH = _SLOT.size + _CHECKSUM_BYTES
# A sector of its own for each slot, whatever the disk's sectors are.
_PLACES = (0, 4096)


class Memory:
    """The newest tree head that was signed for one log and committed."""

    def __init__(self, path: Path, identity: bytes) -> None:
        self._identity = hashlib.sha256(identity).digest()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self) -> TreeHead | None:
        """Return what is remembered; None if nothing ever was.

        Raises: JournalFault if the file holds nothing readable, or another log's memory.
        """
        slots = [os.pread(self._file, _LENGTH, place) for place in _PLACES]
        if not any(slots):
            return None
        heads = [head for slot in slots if (head := self._unpack(slot)) is not None]
        if not heads:
            raise JournalFault(
                Fault.MEMORY_UNREADABLE,
                "the signer's memory cannot be read: run `journal verify` against a checkpoint "
                "kept elsewhere, then delete signer-memory and start again",
            )
        return max(heads, key=lambda head: head.size)

    def advance(self, head: TreeHead, line: Collection[TreeHead]) -> None:
        """Remember *head* if what is remembered is on *line*, from which *head* grew.

        If it is not, another process has just remembered something else: that stands, and the next
        signing looks for the proof that leads on from there.
        Raises: OSError if the file cannot be written.
        """
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            known = self.read()
            if known is None or known in line:
                self._write(head, known)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def sync(self) -> None:
        """Have what is remembered outlive a power failure."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _write(self, head: TreeHead, known: TreeHead | None) -> None:
        packed = _SLOT.pack(_MAGIC, head.size, head.root, self._identity)
        slots = [self._unpack(os.pread(self._file, _LENGTH, place)) for place in _PLACES]
        place = _PLACES[1] if known is not None and slots[0] == known else _PLACES[0]
        os.pwrite(self._file, packed + hashlib.sha256(packed).digest(), place)

    def _unpack(self, slot: bytes) -> TreeHead | None:
        packed = slot[: _SLOT.size]
        if len(slot) != _LENGTH or hashlib.sha256(packed).digest() != slot[_SLOT.size :]:
            return None
        magic, size, root, identity = _SLOT.unpack(packed)
        if magic != _MAGIC:
            return None
        if identity != self._identity:
            raise JournalFault(
                Fault.SIGNER_REFUSES,
                "the signer's memory belongs to another log: the state folder, the database and "
                "the keys are not of one deployment, or another machine began the log anew "
                "(`journal recover --new-log` here too)",
            )
        return TreeHead(size, root)


def refusal() -> JournalFault:
    """Return the fault of a database that is not what the signer signed."""
    return JournalFault(
        Fault.SIGNER_REFUSES,
        "the database's journal is not a continuation of what this signer has signed: a restored "
        "backup or an edited database; change nothing, and see what `journal recover` says (the "
        "restore rule in docs/operations.md)",
    )
