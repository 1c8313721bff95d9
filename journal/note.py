"""Signed notes: text, and lines of signatures by named keys.

Source: C2SP signed-note, and golang.org/x/mod/sumdb/note for the written form of keys.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from journal.errors import NoteError

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_PUBLIC_BYTES = 32
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
        return key_id(self.name, _ED25519, self.public)

    def __str__(self) -> str:
        """Write the key as policies and configurations hold it: name+id+key."""
        return write_key(self.name, _ED25519, self.public)

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read a key as written by `str`.

        Raises: NoteError if it is no Ed25519 key or its parts disagree.
        """
        return cls(*read_key(text, _ED25519))

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
        if not is_name(name):
            raise NoteError("a note key's name must not be empty nor hold spaces or plus signs")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the note of *text*, which ends in a newline, with this signature alone."""
        return sign(text, [self])

    def line(self, text: str) -> str:
        """Return the line that signs *text*."""
        return write_line(self.verifier.name, self.verifier.key_id, self._key.sign(text.encode()))


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who is said to have signed, and with what outcome."""

    name: str
    key_id: bytes
    value: bytes


def sign(text: str, signers: Sequence[Signer]) -> str:
    """Return the note of *text*, which ends in a newline, signed by each of these in turn."""
    if not _is_text(text):
        raise NoteError("a note's text must end in a newline and hold no control characters")
    return text + "\n" + "".join(signer.line(text) for signer in signers)


def open_note(note: str, verifier: Verifier) -> str:
    """Return the text of a note that *verifier* signed.

    Raises: NoteError if the note is malformed, or no signature or a wrong one is by that key.
    """
    text, signatures = split(note)
    ours = [
        signature.value
        for signature in signatures
        if (signature.name, signature.key_id) == (verifier.name, verifier.key_id)
    ]
    if not ours:
        raise NoteError(f"the note is not signed by {verifier.name}+{verifier.key_id.hex()}")
    if not all(verifier.holds(text, signature) for signature in ours):
        raise NoteError(f"the signature of {verifier.name} on the note does not hold")
    return text


def split(note: str) -> tuple[str, list[Signature]]:
    """Part a note into its text and its signatures, of which none is checked.

    Raises: NoteError if it is malformed.
    """
    text, blank, block = note.rpartition("\n\n")
    text += "\n"
    if not blank or not _is_text(text):
        raise NoteError("this is not a signed note")
    return text, read_lines(block)


def read_lines(block: str) -> list[Signature]:
    """Read signature lines, at least one.

    Raises: NoteError if one is malformed, or there are too many.
    """
    lines = block.split("\n")
    if lines.pop() or not lines:
        raise NoteError("this is not a signed note")
    if len(lines) > _MOST_SIGNATURES:
        raise NoteError("a note has more signatures than anybody needs")
    return [_read_line(line) for line in lines]


def write_line(name: str, key: bytes, value: bytes) -> str:
    """Write one signature line, its newline included."""
    return f"{_DASH}{name} {base64.b64encode(key + value).decode()}\n"


def key_id(name: str, algorithm: bytes, public: bytes) -> bytes:
    """Return the four bytes that, with the name, tell a key from others."""
    return hashlib.sha256(name.encode() + b"\n" + algorithm + public).digest()[:_KEY_ID_BYTES]


def write_key(name: str, algorithm: bytes, public: bytes) -> str:
    """Write a key as policies and configurations hold it: name+id+key."""
    key = base64.b64encode(algorithm + public).decode()
    return f"{name}+{key_id(name, algorithm, public).hex()}+{key}"


def read_key(text: str, algorithm: bytes) -> tuple[str, bytes]:
    """Read the name and the 32 bytes of a key as written by `write_key`.

    Raises: NoteError if it is no key of this algorithm or its parts disagree.
    """
    name, _, rest = text.partition("+")
    said, _, encoded = rest.partition("+")
    key = decode(encoded)
    if not is_name(name) or key[:1] != algorithm or len(key) != 1 + _PUBLIC_BYTES:
        raise NoteError("this is not the written form of an Ed25519 note key")
    if key_id(name, algorithm, key[1:]).hex() != said:
        raise NoteError("a note key's id does not belong to its name and key")
    return name, key[1:]


def _read_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    signature = decode(encoded)
    if not line.startswith(_DASH) or not is_name(name) or len(signature) <= _KEY_ID_BYTES:
        raise NoteError("a signature line of the note is malformed")
    return Signature(name, signature[:_KEY_ID_BYTES], signature[_KEY_ID_BYTES:])


def decode(encoded: str) -> bytes:
    """Read base64 that can be written in no other way.

    Raises: NoteError.
    """
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("a note holds something that is not base64") from error
    if base64.b64encode(decoded).decode() != encoded:
        raise NoteError("a note holds base64 that can be written another way")
    return decoded


def is_name(name: str) -> bool:
    """Tell whether a key may be called so."""
    # Half a character is what a byte that is no UTF-8 was read as.
    odd = (c.isspace() or c < " " or "\ud800" <= c <= "\udfff" for c in name)
    return bool(name) and "+" not in name and not any(odd)


def _is_text(text: str) -> bool:
    return text.endswith("\n") and all(c >= " " or c == "\n" for c in text)
