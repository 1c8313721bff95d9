"""The file of month keys: what the journal's openings are encrypted under.

The keys lie in KEYS_DIR and never in a database, so that a copy of the database from before holds
nothing that opens a month whose key was destroyed since. ADR 0014.
"""

import json
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from core import key_files, ratchet
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
_LONGEST = 1_000_000


def create(keys_dir: Path) -> list[str]:
    """Make the file if it is missing and return the names of what was made."""
    chains = {
        purpose: Chain(FIRST_MONTH, secrets.token_bytes(KEY_BYTES), {}) for purpose in PURPOSES
    }
    return [FILE] if key_files.make(keys_dir / FILE, written(chains)) else []


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


def written(chains: Mapping[str, Chain]) -> bytes:
    """Write chains as the file holds them."""
    said = {
        purpose: {
            "from": chain.start,
            "key": chain.key.hex(),
            "kept": {str(month): key.hex() for month, key in sorted(chain.kept.items())},
        }
        for purpose, chain in chains.items()
    }
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"
