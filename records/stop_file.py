"""The stop by file: holds disclosure on its machine, also while the database is down.

Whoever can write to the state folder can stop the machine, with `touch` if need be. A running
worker puts a stop in force for such a file, and removes the file once that stop is lifted.
"""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

NAME = "stop"
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class StopFile:
    """What a stop file says, if it says anything: which stop it is the file of, and whose."""

    stop_id: int | None = None
    by: str | None = None
    reason: str | None = None
    note: str | None = None
    scope: str | None = None


def is_there(state_dir: Path) -> bool:
    """Tell whether this machine is stopped by file; what cannot be told counts as stopped."""
    try:
        (state_dir / NAME).lstat()
    except FileNotFoundError:
        # A state folder that is gone hides the file rather than lifting the stop.
        return not state_dir.is_dir()
    except OSError:
        return True
    return True


def write(state_dir: Path, said: StopFile) -> None:
    """Stop this machine, or say more about the stop that stands.

    Raises: OSError.
    """
    draft = state_dir / f".{NAME}.{os.getpid()}"
    text = {name: value for name in StopFile.__slots__ if (value := getattr(said, name))}
    with draft.open("w") as file:
        json.dump(text, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(state_dir / NAME)
    folder = os.open(state_dir, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(state_dir: Path) -> StopFile | None:
    """Return what the stop file says; None if there is none that could be removed."""
    try:
        with (state_dir / NAME).open() as file:
            text = file.read(_LONGEST)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        return StopFile()
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            number = found.get("stop_id")
            words = {name: _word(found.get(name)) for name in ("by", "reason", "note", "scope")}
            return StopFile(number if isinstance(number, int) else None, **words)
    return StopFile()


def remove(state_dir: Path) -> None:
    """Let this machine go on, as far as the file is concerned.

    Raises: OSError.
    """
    (state_dir / NAME).unlink(missing_ok=True)


def _word(found: object) -> str | None:
    return found if isinstance(found, str) and found.isprintable() else None
