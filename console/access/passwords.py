"""Officers' passwords: Argon2id at the library's own cost, and no more than two at once."""

import threading
import unicodedata
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

SHORTEST, LONGEST = 15, 128
# Guesses that a patient machine needs, as a power of ten.
_LEAST_GUESSES = 10
# No more of it is judged than the judge takes (72 characters).
_JUDGED = 72
# One computation takes 64 MiB and a core's whole attention.
_AT_ONCE = 2
_HASHER = PasswordHasher()


class Passwords:
    """Hashes and verifies; waiting for a turn is the caller's."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or _HASHER
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = _hash_for_nobody(self._hasher)

    def is_busy(self) -> bool:
        """Tell whether whoever came now would have to wait for a turn."""
        if not self._turns.acquire(blocking=False):
            return True
        self._turns.release()
        return False

    def hash(self, password: str) -> str:
        """Return the hash to be stored."""
        with self._turns:
            return self._hasher.hash(_written(password))

    def holds(self, stored: str | None, password: str) -> bool:
        """Tell whether *password* is the one; for an officer who is not there, at the same cost."""
        with self._turns:
            try:
                self._hasher.verify(stored or self._nobody, _written(password))
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether the library would hash more dearly by now."""
        return self._hasher.check_needs_rehash(stored)


class Fault(StrEnum):
    """What is wrong with a new password."""

    SHORT = "short"
    LONG = "long"
    GUESSABLE = "guessable"


def fault(password: str, *, name: str, full_name: str) -> Fault | None:
    """Say what is wrong with a new password."""
    written = _written(password)
    if len(written) < SHORTEST:
        return Fault.SHORT
    if len(written) > LONGEST:
        return Fault.LONG
    known = [name, *full_name.split(), "tradan", "matkhau", "cancuoc", "congan", "vietnam"]
    judged = zxcvbn(written[:_JUDGED], known)
    return Fault.GUESSABLE if judged["guesses_log10"] < _LEAST_GUESSES else None


@cache
def _hash_for_nobody(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")


def _written(password: str) -> str:
    # The same word typed on another keyboard may be composed otherwise.
    return unicodedata.normalize("NFC", password)
