"""The file of month keys: what the journal's openings are encrypted under, and how a month ends.

The keys lie in KEYS_DIR and never in a database, so that a copy of the database from before holds
nothing that opens a month whose key was destroyed since. ADR 0014.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core import key_files, ratchet
from core.errors import KeysError
from core.ratchet import KEY_BYTES, Chain

FILE = "journal-months.key"
# A key id is the number of its purpose and the month: 1202603.
PURPOSES = {
    "journal-lookup-identity": 1,
    "journal-lookup-act": 2,
    "journal-act-identity": 3,
    "journal-act-act": 4,
}
FIRST_ID = 1_000_000
# No journal is older than the program.
FIRST_MONTH = 202601
_LAST_MONTH = 219912
_NAMES = {number: purpose for purpose, number in PURPOSES.items()}
_LONGEST = 1_000_000
_FRESH = "journal-months.new"

Cipher = tuple[AESGCM, bytes]


def create(keys_dir: Path) -> list[str]:
    """Make the file if it is missing and return the names of what was made."""
    chains = {
        purpose: Chain(FIRST_MONTH, secrets.token_bytes(KEY_BYTES), {}) for purpose in PURPOSES
    }
    return [FILE] if key_files.make(keys_dir / FILE, _written(chains)) else []


def load(keys_dir: Path, faults: list[str]) -> dict[str, Chain]:
    """Read the chains; what is wrong with the file joins *faults*."""
    path, before = keys_dir / FILE, len(faults)
    # Twice: the file may be replaced, and what is being read overwritten, in that very moment.
    for _ in range(2):
        content = key_files.read(path, _LONGEST, faults)
        if len(faults) > before:
            return {}
        try:
            said = json.loads(content)
            return {purpose: _chain(said[purpose]) for purpose in PURPOSES}
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    faults.append(f"key file {path} does not hold month keys: restore it from your key backup")
    return {}


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
        chains = load(self._keys_dir, faults)
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
            there = {purpose: months for purpose, months in there.items() if months}
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
            _replace(fresh, self._keys_dir / FILE)
            os.fsync(folder)
            self.reread()
        finally:
            os.close(folder)

    def _derived(self, key_id: int) -> Cipher:
        number, month = divmod(key_id, FIRST_ID)
        purpose = _NAMES[number]
        # A row's word for it must not cost a long way along the chain.
        if not ratchet.is_month(month) or month > _LAST_MONTH:
            raise KeyError(key_id)
        key = self.chains()[purpose].data_key(purpose, month)
        return AESGCM(key), f"{purpose}/{month}".encode()


def key_id(purpose: str, at: datetime) -> int:
    """Return the id of the key that *purpose* has in the month of *at*."""
    return _first_of(purpose) + at.year * 100 + at.month


def ids(purpose: str, months: Collection[int]) -> list[int]:
    """Return the ids of a purpose's keys in these months."""
    return [_first_of(purpose) + month for month in sorted(months)]


@cache
def _first_of(purpose: str) -> int:
    return PURPOSES[purpose] * FIRST_ID


def _chain(said: Mapping[str, object]) -> Chain:
    start, kept = said["from"], said["kept"]
    if not isinstance(start, int) or not isinstance(kept, dict):
        raise TypeError
    found = Chain(start, _key(said["key"]), {int(month): _key(kept[month]) for month in kept})
    if not all(map(ratchet.is_month, (start, *found.kept))):
        raise ValueError
    return found


def _key(text: object) -> bytes:
    key = bytes.fromhex(str(text))
    if len(key) != KEY_BYTES:
        raise ValueError
    return key


def _written(chains: Mapping[str, Chain]) -> bytes:
    said = {
        purpose: {
            "from": chain.start,
            "key": chain.key.hex(),
            "kept": {str(month): key.hex() for month, key in sorted(chain.kept.items())},
        }
        for purpose, chain in chains.items()
    }
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"


def _written_beside(keys_dir: Path, chains: Mapping[str, Chain]) -> Path:
    path = keys_dir / _FRESH
    path.unlink(missing_ok=True)  # a process that was killed may have left its own
    key_files.make(path, _written(chains))
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
