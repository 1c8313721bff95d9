"""The key files of a deployment: made once, readable by their owner alone, never in a database."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from core import key_files, months
from core.errors import KeysError

KEY_BYTES = 32
_GENERATIONS = 2
_SINGLE = ("pepper", "log", "writer")
_ROTATED = ("kek", "index")


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key files hold; generations are numbered, the newest two can be read."""

    keks: dict[int, bytes] = field(repr=False)
    indexes: dict[int, bytes] = field(repr=False)
    pepper: bytes = field(repr=False)
    log: bytes = field(repr=False)
    writer: bytes = field(repr=False)


def create(keys_dir: Path) -> list[str]:
    """Make the key files that are missing and return their names."""
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = [f"{name}.key" for name in _SINGLE if _make(keys_dir / f"{name}.key")]
    made.extend(
        f"{name}-1.key"
        for name in _ROTATED
        if not _generations(keys_dir, name) and _make(keys_dir / f"{name}-1.key")
    )
    return made + months.create(keys_dir)


def load(keys_dir: Path) -> Keys:
    """Read every key file.

    Raises: KeysError naming each file that is missing, open to others or of the wrong length.
    """
    faults: list[str] = []
    singles = {name: _read(keys_dir / f"{name}.key", faults) for name in _SINGLE}
    rotated = {name: _read_generations(keys_dir, name, faults) for name in _ROTATED}
    months.load(keys_dir, faults)
    if faults:
        raise KeysError(faults)
    return Keys(rotated["kek"], rotated["index"], **singles)


def _read_generations(keys_dir: Path, name: str, faults: list[str]) -> dict[int, bytes]:
    numbers = _generations(keys_dir, name)[:_GENERATIONS]
    if not numbers:
        faults.append(key_files.missing(keys_dir / f"{name}-1.key"))
    return {number: _read(keys_dir / f"{name}-{number}.key", faults) for number in numbers}


def _generations(keys_dir: Path, name: str) -> list[int]:
    """Return the generation numbers on disk, the newest first."""
    stems = (path.stem.removeprefix(f"{name}-") for path in keys_dir.glob(f"{name}-*.key"))
    return sorted((int(stem) for stem in stems if stem.isdecimal()), reverse=True)


def _make(path: Path) -> bool:
    return key_files.make(path, secrets.token_bytes(KEY_BYTES))


def _read(path: Path, faults: list[str]) -> bytes:
    before = len(faults)
    content = key_files.read(path, KEY_BYTES, faults)
    is_there = len(faults) == before or content
    if is_there and len(content) != KEY_BYTES:
        faults.append(f"key file {path} does not hold exactly {KEY_BYTES} bytes")
    return content
