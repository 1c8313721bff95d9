"""Field encryption and blind indexes: the one place where values become ciphertext and back.

Values are sealed by AES-256-GCM under monthly data keys; the table, column and row they stand in
are authenticated with them, so a ciphertext moved elsewhere does not open. Data keys lie in the
database wrapped by a key that does not (ADR 0008); those of the journal's openings lie outside of
it altogether (ADR 0014).
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from core import keys, months
from core.clock import Clock, SystemClock
from core.db import Database, dialect_of, upsert
from core.errors import DecryptionError, KeysError
from core.keys import Keys
from core.month_keys import Cipher, MonthKeys
from core.tables import DATA_KEY

PURPOSES = ("register", "message", "link", "officer", "journal")
_NONCE_BYTES = 12
_NEXT_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext and the data key it opens under.

    Shape: 12 bytes of nonce, then ciphertext and tag.
    """

    key_id: int
    blob: bytes


class Keyring:
    """Encrypts, decrypts and indexes values under the keys of one deployment."""

    def __init__(
        self, material: Keys, month_keys: MonthKeys, database: Database, clock: Clock
    ) -> None:
        self.month_keys = month_keys
        self._database = database
        self._clock = clock
        self._keks = material.keks
        self._pepper = material.pepper
        self._index_roots = [material.indexes[n] for n in sorted(material.indexes, reverse=True)]
        self._field_keys: dict[str, list[bytes]] = {}
        self._ciphers: dict[int, tuple[AESGCM, bytes]] = {}
        self._current: dict[tuple[str, str], int] = {}

    @classmethod
    def load(cls, keys_dir: Path, database: Database, clock: Clock | None = None) -> "Keyring":
        """Open the keyring of *keys_dir*, with data keys for this month and the next.

        Raises: KeysError when a key file is not as it must be or data keys do not open under it.
        """
        material, month_keys = keys.load(keys_dir), MonthKeys(keys_dir)
        keyring = cls(material, month_keys, database, clock or SystemClock())
        keyring.provide()
        return keyring

    def provide(self) -> None:
        """Make the data keys of this month and the next where they are missing, and read all."""
        now = self._clock.now()
        months = {_month(now), _month(now.replace(day=1) + _NEXT_MONTH)}
        wanted = {(purpose, month) for purpose in PURPOSES for month in months}
        self._read_data_keys()
        if missing := wanted - self._current.keys():
            self._database.write(lambda session: self._make_data_keys(session, missing, now))
            self._read_data_keys()
        if wanted - self._current.keys():
            fault = "the kek-<n>.key that wraps this month's data keys is missing: restore it"
            raise KeysError([fault])

    def encrypt(
        self,
        plaintext: bytes,
        purpose: str,
        *,
        table: str,
        column: str,
        row: bytes,
        at: datetime | None = None,
    ) -> Sealed:
        """Seal *plaintext* for one place in the database.

        What is sealed for the journal opens as long as the month of *at* does.
        Raises: KeysError if that month's key was destroyed.
        """
        if purpose in months.PURPOSES:
            key_id = months.key_id(purpose, at or self._clock.now())
        else:
            key_id = self._key_of(purpose)
        try:
            cipher, stamp = self._cipher(key_id)
        except KeyError as error:
            fault = f"the month key {key_id} was destroyed, or never was: see that the clock is set"
            raise KeysError([fault]) from error
        nonce = secrets.token_bytes(_NONCE_BYTES)
        bound = _place(table, column, row, stamp)
        return Sealed(key_id, nonce + cipher.encrypt(nonce, plaintext, bound))

    def decrypt(self, sealed: Sealed, *, table: str, column: str, row: bytes) -> bytes:
        """Open what was sealed for this place.

        Raises: DecryptionError if it was altered, moved, or its key is gone.
        """
        if sealed.key_id < months.FIRST_ID and sealed.key_id not in self._ciphers:
            self._read_data_keys()
        try:
            cipher, stamp = self._cipher(sealed.key_id)
            nonce, rest = sealed.blob[:_NONCE_BYTES], sealed.blob[_NONCE_BYTES:]
            return cipher.decrypt(nonce, rest, _place(table, column, row, stamp))
        except (KeyError, InvalidTag, TypeError, ValueError) as error:
            message = f"a value of {table}.{column} does not open under data key {sealed.key_id}"
            raise DecryptionError(message) from error

    def index(self, field: str, value: str) -> bytes:
        """Return the blind index of *value*, equal for equal values and telling nothing else."""
        return hmac.digest(self._keys_of(field)[0], value.encode(), "sha256")

    def indexes(self, field: str, value: str) -> tuple[bytes, ...]:
        """Return the blind index under each readable generation, the current one first."""
        return tuple(hmac.digest(key, value.encode(), "sha256") for key in self._keys_of(field))

    def pepper(self, label: str, message: bytes) -> bytes:
        """Return the keyed digest of *message* for one use, named by *label*."""
        return hmac.digest(self._pepper, label.encode() + b"\x00" + message, "sha256")

    def _cipher(self, key_id: int) -> Cipher:
        if key_id >= months.FIRST_ID:
            return self.month_keys.cipher(key_id)
        return self._ciphers[key_id]

    def _keys_of(self, field: str) -> list[bytes]:
        found = self._field_keys.get(field)
        if found is None:
            label = b"blind-index/1\x00" + field.encode()
            found = [hmac.digest(root, label, "sha256") for root in self._index_roots]
            self._field_keys[field] = found
        return found

    def _key_of(self, purpose: str) -> int:
        found = self._current.get((purpose, _month(self._clock.now())))
        if found is not None:
            return found
        # Housekeeping makes next month's keys long before; a day late is better than not at all.
        made = [(month, key) for (owner, month), key in self._current.items() if owner == purpose]
        return max(made)[1]

    def _read_data_keys(self) -> None:
        rows = self._database.read(lambda s: s.execute(sa.select(DATA_KEY)).all())
        for row in rows:
            if row.id in self._ciphers:
                continue
            kek = self._keks.get(row.kek)
            if kek is None:
                continue
            stamp = f"{row.purpose}/{row.month}/{row.kek}".encode()
            try:
                data_key = AESGCM(kek).decrypt(row.wrapped[:12], row.wrapped[12:], stamp)
            except InvalidTag as error:
                fault = f"data key {row.id} does not open: KEYS_DIR belongs to another database"
                raise KeysError([fault]) from error
            self._ciphers[row.id] = (AESGCM(data_key), f"{row.purpose}/{row.month}".encode())
            self._current[row.purpose, row.month] = row.id

    def _make_data_keys(
        self, session: Session, wanted: set[tuple[str, str]], now: datetime
    ) -> None:
        kek_id = max(self._keks)
        rows = []
        for purpose, month in sorted(wanted):
            nonce = secrets.token_bytes(_NONCE_BYTES)
            stamp = f"{purpose}/{month}/{kek_id}".encode()
            wrapped = AESGCM(self._keks[kek_id]).encrypt(nonce, secrets.token_bytes(32), stamp)
            rows.append(
                {
                    "purpose": purpose,
                    "month": month,
                    "kek": kek_id,
                    "wrapped": nonce + wrapped,
                    "created_at": now,
                }
            )
        # Another process may have made the same keys since: the first one stands.
        statement = upsert(dialect_of(session), DATA_KEY)
        session.execute(statement.on_conflict_do_nothing(), rows)


def row_id(tag: bytes) -> int:
    """Return the integer primary key of a blind index: its first eight bytes, signed."""
    return int.from_bytes(tag[:8], "big", signed=True)


def _month(instant: datetime) -> str:
    return _named_month(instant.year, instant.month)


@cache
def _named_month(year: int, month: int) -> str:
    return f"{year:04}-{month:02}"


def _place(table: str, column: str, row: bytes, stamp: bytes) -> bytes:
    return _column_of(table, column, stamp) + len(row).to_bytes(2, "big") + row


@cache
def _column_of(*parts: str | bytes) -> bytes:
    pieces = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(piece).to_bytes(2, "big") + piece for piece in pieces)
