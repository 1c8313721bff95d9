"""Cosignatures: a witness's word that a checkpoint continues everything it saw of the log before.

Source: C2SP tlog-cosignature, `cosignature/v1` by Ed25519 keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from journal import note
from journal.errors import NoteError

_ED25519 = b"\x04"
_TIME_BYTES = 8
_VALUE_BYTES = _TIME_BYTES + 64


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A named Ed25519 key that cosigns."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, tell this key from others."""
        return note.key_id(self.name, _ED25519, self.public)

    def __str__(self) -> str:
        """Write the key as policies hold it: name+id+key."""
        return note.write_key(self.name, _ED25519, self.public)

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """Read a key as written by `str`.

        Raises: NoteError if it is no Ed25519 key of a witness or its parts disagree.
        """
        return cls(*note.read_key(text, _ED25519))


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that holds: whose it is, of when, and the line it stands in."""

    key: WitnessKey
    at: datetime
    line: str


class Cosigner:
    """The private half of a witness's key."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not note.is_name(name):
            raise NoteError("a witness's name must not be empty nor hold spaces or plus signs")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = WitnessKey(name, self._key.public_key().public_bytes_raw())

    def cosign(self, text: str, now: datetime) -> str:
        """Return the signature line for the text of a checkpoint."""
        seconds = int(now.timestamp())
        value = seconds.to_bytes(_TIME_BYTES, "big") + self._key.sign(_message(seconds, text))
        return note.write_line(self.key.name, self.key.key_id, value)


def verified(
    text: str, lines: str | None, keys: Iterable[WitnessKey]
) -> dict[WitnessKey, Cosignature]:
    """Return of each key its newest cosignature of a checkpoint's text; what is not one is ignored.

    Shape: *lines* are signature lines, each with its newline; None for none.
    """
    if not lines:
        return {}
    try:
        signatures = note.read_lines(lines)
    except NoteError:
        return {}
    by_id = {(key.name, key.key_id): key for key in keys}
    found: dict[WitnessKey, Cosignature] = {}
    for signature in signatures:
        key = by_id.get((signature.name, signature.key_id))
        at = None if key is None else _signed_at(key.public, text, signature.value)
        if key is None or at is None or (key in found and found[key].at >= at):
            continue
        line = note.write_line(signature.name, signature.key_id, signature.value)
        found[key] = Cosignature(key, at, line)
    return found


def merged(lines: str, new: Iterable[Cosignature]) -> str:
    """Put cosignatures among signature lines, each in place of an older one by the same key.

    Shape: in a fixed order, fit to stand below the checkpoint.
    """
    try:
        old = note.read_lines(lines) if lines else []
    except NoteError:
        old = []  # somebody else wrote there
    added = {(each.key.name, each.key.key_id): each.line for each in new}
    kept = [
        note.write_line(each.name, each.key_id, each.value)
        for each in old
        if (each.name, each.key_id) not in added
    ]
    return "".join(sorted([*kept, *added.values()]))


def _signed_at(public: bytes, text: str, value: bytes) -> datetime | None:
    """Return when a cosignature was made, None if it does not hold."""
    if len(value) != _VALUE_BYTES:
        return None
    seconds = int.from_bytes(value[:_TIME_BYTES], "big")
    if not _holds(public, value[_TIME_BYTES:], _message(seconds, text)):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


@lru_cache(maxsize=512)
def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    # Asked about the same few again and again, once a second.
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
