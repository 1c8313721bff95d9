"""Signed notes: text, and lines of signatures by named keys.

Source: C2SP signed-note, and golang.org/x/mod/sumdb/note for the written form of keys.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from journal.errors import NoteError

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_DASH = "— "
# A note with more is not read on: who signs often is not who signs well.
_MOST_SIGNATURES = 100


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named Ed25519 key that notes may be signed by."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, tell this key from others."""
        digest = hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public)
        return digest.digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """Write the key as policies and configurations hold it: name+id+key."""
        key = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read a key as written by `str`.

        Raises: NoteError if it is no Ed25519 key or its parts disagree.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        key = _decode(encoded)
        if not _is_name(name) or key[:1] != _ED25519 or len(key) != 1 + 32:
            raise NoteError("this is not the written form of an Ed25519 note key")
        verifier = cls(name, key[1:])
        if verifier.key_id.hex() != key_id:
            raise NoteError("a note key's id does not belong to its name and key")
        return verifier

    def holds(self, text: str, signature: bytes) -> bool:
        """Tell whether *signature* over *text* is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """The private half of a named key."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not _is_name(name):
            raise NoteError("a note key's name must not be empty nor hold spaces or plus signs")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the note of *text*, which ends in a newline, with this signature alone."""
        if not _is_text(text):
            raise NoteError("a note's text must end in a newline and hold no control characters")
        signature = self.verifier.key_id + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.verifier.name} {base64.b64encode(signature).decode()}\n"


def open_note(note: str, verifier: Verifier) -> str:
    """Return the text of a note that *verifier* signed.

    Raises: NoteError if the note is malformed, or no signature or a wrong one is by that key.
    """
    text, blank, block = note.rpartition("\n\n")
    text += "\n"
    lines = block.split("\n")
    if not blank or lines.pop() or not lines or not _is_text(text):
        raise NoteError("this is not a signed note")
    if len(lines) > _MOST_SIGNATURES:
        raise NoteError("a note has more signatures than anybody needs")
    signatures = [_signature_line(line) for line in lines]
    ours = [
        signature[_KEY_ID_BYTES:]
        for name, signature in signatures
        if (name, signature[:_KEY_ID_BYTES]) == (verifier.name, verifier.key_id)
    ]
    if not ours:
        raise NoteError(f"the note is not signed by {verifier.name}+{verifier.key_id.hex()}")
    if not all(verifier.holds(text, signature) for signature in ours):
        raise NoteError(f"the signature of {verifier.name} on the note does not hold")
    return text


def _signature_line(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    signature = _decode(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or len(signature) <= _KEY_ID_BYTES:
        raise NoteError("a signature line of the note is malformed")
    return name, signature


def _decode(encoded: str) -> bytes:
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("a note holds something that is not base64") from error
    if base64.b64encode(decoded).decode() != encoded:
        raise NoteError("a note holds base64 that can be written another way")
    return decoded


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _is_text(text: str) -> bool:
    return text.endswith("\n") and all(c >= " " or c == "\n" for c in text)
