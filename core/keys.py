"""The key files of a deployment: made once, readable by their owner alone, never in a database."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from core import key_files, months
from core.errors import KeysError

KEY_BYTES = 32
_GENERATIONS = 2
_ROTATED = ("kek", "index")
# The first key of the log; those after it are numbered from 2.
_LOG = "log"


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key files hold; generations are numbered, the newest two can be read.

    Of *logs* all that are there: which of them are in force, the journal says.
    """

    keks: dict[int, bytes] = field(repr=False)
    indexes: dict[int, bytes] = field(repr=False)
    pepper: bytes = field(repr=False)
    logs: dict[int, bytes] = field(repr=False)


def create(keys_dir: Path) -> list[str]:
    """Make the key files that are missing and return their names."""
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    singles = ["pepper"] if _log_files(keys_dir) else ["pepper", _LOG]
    made = [f"{name}.key" for name in singles if _make(keys_dir / f"{name}.key")]
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
    pepper = _read(keys_dir / "pepper.key", faults)
    logs = _read_logs(keys_dir, faults)
    rotated = {name: _read_generations(keys_dir, name, faults) for name in _ROTATED}
    months.load(keys_dir, faults)
    if faults:
        raise KeysError(faults)
    return Keys(rotated["kek"], rotated["index"], pepper, logs)


def load_logs(keys_dir: Path) -> dict[int, bytes]:
    """Read every key of the log that is there.

    Raises: KeysError if one cannot be read, or there is none.
    """
    faults: list[str] = []
    logs = _read_logs(keys_dir, faults)
    if faults:
        raise KeysError(faults)
    return logs


def make_log(keys_dir: Path) -> int:
    """Make the next key of the log, and return its number."""
    number = max(_log_files(keys_dir), default=1) + 1
    _make(keys_dir / log_name(number))
    key_files.sync(keys_dir)
    return number


def destroy_log(keys_dir: Path, number: int) -> str:
    """Destroy a key of the log, as far as a file can be, and return its name."""
    path = _log_files(keys_dir)[number]
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    key_files.sync(keys_dir)
    return path.name


def log_name(number: int) -> str:
    """Return the name of the file that holds a key of the log."""
    return f"{_LOG}.key" if number == 1 else f"{_LOG}-{number}.key"


def _read_logs(keys_dir: Path, faults: list[str]) -> dict[int, bytes]:
    files = _log_files(keys_dir) or {1: keys_dir / log_name(1)}
    return {number: _read(path, faults) for number, path in files.items()}


def _log_files(keys_dir: Path) -> dict[int, Path]:
    numbers = sorted({1, *_generations(keys_dir, _LOG)})
    files = {number: keys_dir / log_name(number) for number in numbers}
    return {number: path for number, path in files.items() if path.exists()}


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
