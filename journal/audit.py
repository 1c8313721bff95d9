"""Hands the verifier what this deployment has: its database, its keys, its signer's memory.

The verifier itself knows none of them; this is the glue that `journal verify` and the service use.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from core import keys
from core.databases import open_database
from core.db import Database
from core.errors import DecryptionError
from core.keyring import Keyring, Sealed, row_id
from journal import triggers
from journal.journal import MEMORY_FILE
from journal.log_keys import public_of
from journal.side_by_side import SideBySide
from journal.verifier import Finding, Pages, Report, Signatures, one_by_one, verify
from journal.verifier_log import Remembered, read_memory
from journal.verifier_rows import Rows

# A process more takes as long to begin as this many entries take to verify.
_WORTH_A_PROCESS = 20_000


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


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens a deployment's database, and the keys if wanted, in another process."""

    url: sa.URL
    keys_dir: Path | None

    def __call__(self) -> tuple[Database, KeyringOpenings | None]:
        """Open them."""
        database = open_database(self.url)
        if self.keys_dir is None:
            return database, None
        return database, KeyringOpenings(Keyring.load(self.keys_dir, database))


def verify_live(
    database: Database,
    keyring: Keyring,
    keys_dir: Path,
    state_dir: Path,
    *,
    now: datetime,
    since: Remembered | None = None,
    signatures: Signatures = Signatures.ALL,
    with_openings: bool = True,
    processes: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Verify the journal of a running or resting deployment, whatever state it is in.

    With more *processes*, a journal that is long enough is verified by so many.
    Raises: KeysError if its keys cannot be read.
    """
    log_keys = [public_of(seed) for seed in keys.load(keys_dir).logs.values()]
    # Read before the database is: what it tells was committed before, and must be found.
    remembered = read_memory(state_dir / MEMORY_FILE)
    leaves = Rows(database.read).top().size - (since.size if since else 0)
    count = min(processes, leaves // _WORTH_A_PROCESS)
    opens = Opener(database.url, keys_dir if with_openings else None)
    pages: Pages = SideBySide(opens, count) if count > 1 else one_by_one
    report = verify(
        database.read,
        log_keys,
        now=now,
        remembered=remembered,
        since=since,
        openings=KeyringOpenings(keyring) if with_openings else None,
        signatures=signatures,
        pages=pages,
        progress=progress,
    )
    return found_too(report, _missing_triggers(database))


def _missing_triggers(database: Database) -> list[Finding]:
    return [
        Finding("trigger-missing", None, f"{name} no longer keeps its table from being changed")
        for name in database.read(triggers.missing)
    ]


def found_too(report: Report, findings: Sequence[Finding]) -> Report:
    """Add what was found beside the log itself."""
    counts = Counter(report.counts)
    counts.update(finding.code for finding in findings)
    return replace(report, findings=[*report.findings, *findings], counts=dict(counts))
