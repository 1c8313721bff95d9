"""The leaf of an entry: what stands in the tree, signed by the process that wrote it.

It holds commitments only. What they commit to lies in `journal_open`, encrypted, and can be erased
without the tree noticing. docs/journal-format.md, ADR 0004.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from journal.errors import DraftError

SIGNATURE_BYTES = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# The integers that every reader of JSON takes for the same number (RFC 8785, 3.2.2.3).
_LARGEST = 2**53 - 1
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)

PayloadValue = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a `key` entry makes known: a writer, or a change of the log's keys or name.

    Shape: keys and the endorsement in hexadecimal; *until* in microseconds since 1970.
    """

    endorsement: str | None = None
    log: str | None = None
    name: str | None = None
    former_name: str | None = None
    retired: str | None = None
    until: int | None = None
    writer: str | None = None

    def written(self) -> str:
        """Write what is announced, as it stands in the leaf."""
        parts = {
            "ke": self.endorsement,
            "kl": self.log,
            "kn": self.name,
            "ko": self.former_name,
            "kr": self.retired,
            "ku": self.until,
            "kw": self.writer,
        }
        said = {name: value for name, value in parts.items() if value is not None}
        return _CANONICAL.encode(said)[1:-1] + ","


@dataclass(frozen=True, slots=True)
class Cover:
    """The leaves whose openings an `erase` entry says are gone.

    Shape: `cause` is "order" or "loss", `part` "identity" or "all", `leaves` as `cover.written`.
    """

    cause: str
    part: str
    leaves: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Everything a leaf says."""

    id: UUID
    kind: str
    retention: str
    at: datetime
    actor: bytes
    subject: bytes
    payload: bytes
    announcement: Announcement | None
    cover: Cover | None = None


class Writer:
    """Signs the leaves of one process for one log."""

    def __init__(self, seed: bytes, origin: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._context = leaf_context(origin)
        self.public = self._key.public_key().public_bytes_raw()
        self._id = writer_id(self.public)

    def leaf(self, statement: Statement) -> bytes:
        """Form and sign the leaf of *statement*."""
        text = _text(statement, self._id)
        return self._key.sign(self._context + text) + text


def leaf_context(origin: str) -> bytes:
    """Return what is signed before a leaf's text, so that no other log can take it over."""
    return f"tradan journal entry v1\n{origin}\n".encode()


def writer_id(public: bytes) -> str:
    """Return the short name by which a leaf says which writer signed it."""
    return hashlib.sha256(public).hexdigest()[:16]


def commitment(salt: bytes, label: bytes, value: bytes) -> bytes:
    """Commit to *value*: whoever lacks the salt cannot even guess it."""
    return hmac.digest(hmac.digest(salt, label, "sha256"), value, "sha256")


def canonical(payload: Mapping[str, PayloadValue]) -> bytes:
    """Write a payload in the one form that RFC 8785 gives it.

    Raises: DraftError for a name or value whose form other readers might take otherwise.
    """
    for name, value in payload.items():
        if not (name.isascii() and name.isidentifier()):
            raise DraftError("a payload's names must be plain ASCII identifiers")
        if not _is_plain(value):
            raise DraftError("a payload's values are strings, lists of them, booleans or integers")
    try:
        return _CANONICAL.encode(payload).encode()
    except UnicodeEncodeError as error:
        raise DraftError("a payload holds half a character") from error


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, str) or (isinstance(value, int) and abs(value) <= _LARGEST)


def _text(statement: Statement, writer: str) -> bytes:
    """Write the canonical JSON of a leaf: no value in it ever needs an escape."""
    announced, cover, covered = "", statement.cover, ""
    if cover is not None:
        covered = f'"ec":"{cover.cause}","ep":"{cover.part}","es":"{cover.leaves}",'
    if statement.announcement is not None:
        announced = statement.announcement.written()
    return (
        f'{{"ca":"{statement.actor.hex()}","cp":"{statement.payload.hex()}",'
        f'"cs":"{statement.subject.hex()}",{covered}"id":"{statement.id}",{announced}'
        f'"r":"{statement.retention}","t":"{statement.kind}",'
        f'"ts":{(statement.at - _EPOCH) // _MICROSECOND},"v":1,"w":"{writer}"}}'
    ).encode()
