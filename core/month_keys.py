"""The month keys of a machine: ciphers made of them, and how a month's key is destroyed."""

import fcntl
import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core import key_files, months, ratchet
from core.errors import KeysError
from core.ratchet import Chain

_NAMES = {number: purpose for purpose, number in months.PURPOSES.items()}
_LAST_MONTH = 219912
_FRESH = "journal-months.new"

Cipher = tuple[AESGCM, bytes]


class MonthKeys:
    """The month keys of this machine."""

    def __init__(self, keys_dir: Path) -> None:
        self._keys_dir = keys_dir
        self._chains: dict[str, Chain] = {}
        self._ciphers: dict[int, Cipher] = {}

    def cipher(self, key_id: int) -> Cipher:
        """Return what a key id encrypts with, and the stamp to authenticate.

        Raises: KeyError if the key was destroyed, or names no month; KeysError.
        """
        found = self._ciphers.get(key_id)
        if found is None:
            found = self._ciphers[key_id] = self._derived(key_id)
        return found

    def reread(self) -> None:
        """Forget every key and read the file again: another process may have destroyed some.

        Raises: KeysError.
        """
        faults: list[str] = []
        chains = months.load(self._keys_dir, faults)
        if faults:
            raise KeysError(faults)
        self._chains, self._ciphers = chains, {}

    def chains(self) -> Mapping[str, Chain]:
        """Return the chains by their purposes.

        Raises: KeysError.
        """
        if not self._chains:
            self.reread()
        return self._chains

    @contextmanager
    def destroying(
        self, gone: Mapping[str, Collection[int]]
    ) -> Iterator[dict[str, tuple[int, ...]]]:
        """Destroy months' keys by purpose when the block ends well; hand it those still there.

        Raises: KeysError; OSError if the file cannot be replaced, before the block is entered.
        """
        folder = os.open(self._keys_dir, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            self.reread()
            there = {
                purpose: tuple(sorted(chain.readable(max(gone[purpose])) & set(gone[purpose])))
                for purpose, chain in self._chains.items()
                if gone.get(purpose)
            }
            there = {purpose: here for purpose, here in there.items() if here}
            if not there:
                yield there
                return
            chains = {
                purpose: chain.without(purpose, there.get(purpose, ()))
                for purpose, chain in self._chains.items()
            }
            fresh = _written_beside(self._keys_dir, chains)
            try:
                yield there
            except BaseException:
                fresh.unlink()
                raise
            _replace(fresh, self._keys_dir / months.FILE)
            os.fsync(folder)
            self.reread()
        finally:
            os.close(folder)

    def _derived(self, key_id: int) -> Cipher:
        number, month = divmod(key_id, months.FIRST_ID)
        purpose = _NAMES[number]
        # A row's word for it must not cost a long way along the chain.
        if not ratchet.is_month(month) or month > _LAST_MONTH:
            raise KeyError(key_id)
        key = self.chains()[purpose].data_key(purpose, month)
        return AESGCM(key), f"{purpose}/{month}".encode()


def _written_beside(keys_dir: Path, chains: Mapping[str, Chain]) -> Path:
    path = keys_dir / _FRESH
    path.unlink(missing_ok=True)  # a process that was killed may have left its own
    key_files.make(path, months.written(chains))
    return path


def _replace(fresh: Path, path: Path) -> None:
    """Put *fresh* in the place of *path*, and overwrite what stood there before."""
    path.chmod(0o600)
    with path.open("r+b") as old:
        length = os.fstat(old.fileno()).st_size
        fresh.replace(path)
        # The rename only lets go of the old blocks: they would hold the destroyed keys for long.
        old.write(secrets.token_bytes(length))
        old.flush()
        os.fsync(old.fileno())
