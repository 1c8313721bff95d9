"""A witness: cosigns checkpoints of the logs it knows, and never one that contradicts another.

It knows nothing of the service whose log it witnesses, and is run by another body.
Source: C2SP tlog-witness, v1.1.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core import log
from core.clock import Clock
from journal import checkpoint, note, proofs, witness_memory
from journal.cosignature import Cosigner
from journal.errors import NoteError
from journal.note import Verifier
from journal.tree import HASH_BYTES, TreeHead
from journal.witness_client import SIZE_TYPE
from journal.witness_memory import WitnessMemory

_log = log.get_logger(__name__)
_TEXT = "text/plain; charset=utf-8"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_MOST_PROOF_LINES = 63
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with."""

    status: int
    body: str
    content_type: str = _TEXT


@dataclass(frozen=True, slots=True)
class _Request:
    """A request that is well formed; nobody's signature is checked yet."""

    raw: str
    old_size: int
    proof: tuple[bytes, ...]
    note: str
    text: str
    origin: str
    head: TreeHead


class Witness:
    """Answers the logs that one witness knows."""

    def __init__(
        self, cosigner: Cosigner, logs: Sequence[Verifier], memory: WitnessMemory, clock: Clock
    ) -> None:
        self._cosigner = cosigner
        self._logs: dict[str, list[Verifier]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        self._origins = {hashlib.sha256(name.encode()).hexdigest(): name for name in self._logs}
        self._memory = memory
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> Answer:
        """Cosign a checkpoint that continues the last one, or say why not."""
        try:
            request = _read(body)
        except (NoteError, UnicodeDecodeError):
            return Answer(400, "this is not a request of C2SP tlog-witness\n")
        keys = self._logs.get(request.origin)
        if keys is None:
            return Answer(404, "this witness does not know the log\n")
        signatures = _of_the_log(request, keys)
        if signatures is None:
            return Answer(403, "the checkpoint is not signed by a key known of the log\n")
        if request.old_size > request.head.size:
            return Answer(400, "the old size is larger than the checkpoint's\n")
        with self._memory.alone(request.origin) as remembered:
            return self._judge(request, signatures, remembered)

    def checkpoint(self, origin_hash: str) -> Answer:
        """Show the newest checkpoint that was cosigned of the log whose origin has this SHA-256."""
        origin = self._origins.get(origin_hash)
        seen = self._memory.seen(origin) if origin is not None else witness_memory.Seen()
        return Answer(200, seen.note) if seen.note else Answer(404, "nothing was cosigned\n")

    def _judge(self, request: _Request, signatures: str, remembered: witness_memory.Log) -> Answer:
        """Compare with what is remembered; called while nobody else can change it."""
        seen, head, now = remembered.seen(), request.head, self._clock.now()
        origin = request.origin
        # Of an empty tree too: there is one root of nothing.
        is_split = head.size == seen.head.size and head.root != seen.head.root
        if is_split:
            remembered.keep("another-root", request.raw, now)
        if request.old_size != seen.head.size:
            return Answer(409, f"{seen.head.size}\n", SIZE_TYPE)
        grew = not is_split and proofs.verify_consistency(
            request.old_size, seen.head.root, head.size, head.root, request.proof
        )
        if not grew:
            if not is_split:
                remembered.keep("inconsistent", request.raw, now)
            _log.error("witness.refused", name=origin, reason="inconsistent", size=head.size)
            return Answer(422, "the checkpoint does not continue the last one cosigned\n")
        if seen.cosigned_at is not None and now < seen.cosigned_at:
            _log.error("witness.refused", name=origin, reason="clock", size=head.size)
            return Answer(503, "this witness's clock has gone back: set it right\n")
        line = self._cosigner.cosign(request.text, now)
        remembered.remember(head, f"{request.text}\n{signatures}{line}", now)
        _log.info("witness.cosigned", name=origin, size=head.size, root=head.root.hex())
        return Answer(200, line)


def _read(body: bytes) -> _Request:
    """Take a request apart.

    Raises: NoteError if it is malformed.
    """
    raw = body.decode()
    head, blank, signed = raw.partition("\n\n")
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    if not blank or old is None or len(lines) > _MOST_PROOF_LINES:
        raise NoteError("this is no old size, proof and checkpoint")
    proof = tuple(note.decode(line) for line in lines)
    if any(len(node) != HASH_BYTES for node in proof):
        raise NoteError("a line of the proof is not a SHA-256 hash")
    text, _ = note.split(signed)
    origin = text.partition("\n")[0]
    told = checkpoint.parse(text, origin)
    if max(told.size, int(old[1])) > _LARGEST:
        raise NoteError("a tree has no such size")
    return _Request(raw, int(old[1]), proof, signed, text, origin, told)


def _of_the_log(request: _Request, keys: Sequence[Verifier]) -> str | None:
    """Return the signature lines of known keys; None if there is none, or one does not hold."""
    _, signatures = note.split(request.note)
    known = {(key.name, key.key_id): key for key in keys}
    ours = [one for one in signatures if (one.name, one.key_id) in known]
    if not all(known[one.name, one.key_id].holds(request.text, one.value) for one in ours):
        return None
    return "".join(note.write_line(one.name, one.key_id, one.value) for one in ours) or None
