"""Hands the verifier what this deployment has: its database, its keys, its signer's memory.

The verifier itself knows none of them; this is the glue that `journal verify` and the service use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import keys
from core.db import Database
from core.errors import DecryptionError
from core.keyring import Keyring, Sealed, row_id
from journal.journal import MEMORY_FILE
from journal.verifier import Report, Signatures, verify
from journal.verifier_log import read_memory


@dataclass(frozen=True, slots=True)
class KeyringOpenings:
    """Opens what the journal encrypted, by the keyring of its deployment."""

    keyring: Keyring

    def identity(self, entry_id: bytes, key_id: int, blob: bytes) -> bytes | None:
        """Return the opened identity, None if it does not open."""
        return self._open("enc_identity", entry_id, key_id, blob)

    def act(self, entry_id: bytes, key_id: int, blob: bytes) -> bytes | None:
        """Return the opened act, None if it does not open."""
        return self._open("enc_act", entry_id, key_id, blob)

    def indexes(self, of: str, value: str) -> set[int]:
        """Return the numbers by which entries about a person are found again."""
        return {row_id(tag) for tag in self.keyring.indexes(of, value)}

    def _open(self, column: str, entry_id: bytes, key_id: int, blob: bytes) -> bytes | None:
        sealed = Sealed(key_id, blob)
        try:
            return self.keyring.decrypt(sealed, table="journal_open", column=column, row=entry_id)
        except DecryptionError:
            return None


def verify_live(
    database: Database,
    keyring: Keyring,
    keys_dir: Path,
    state_dir: Path,
    *,
    now: datetime,
    signatures: Signatures = Signatures.ALL,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Verify the journal of a running or resting deployment, whatever state it is in.

    Raises: KeysError if its keys cannot be read.
    """
    log = Ed25519PrivateKey.from_private_bytes(keys.load(keys_dir).log)
    # Read before the database is: what it tells was committed before, and must be found.
    remembered = read_memory(state_dir / MEMORY_FILE)
    return verify(
        database.read,
        log.public_key().public_bytes_raw(),
        now=now,
        remembered=remembered,
        openings=KeyringOpenings(keyring),
        signatures=signatures,
        progress=progress,
    )
