"""Key files as such: made once and whole, readable by their owner alone."""

import os
import stat
from pathlib import Path


def make(path: Path, content: bytes) -> bool:
    """Make a key file unless it is there, and return whether it was made."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    except FileExistsError:
        return False
    write(descriptor, content)
    return True


def write(descriptor: int, content: bytes) -> None:
    """Write *content*, have it outlive a power failure, and close the file."""
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def sync(folder: Path) -> None:
    """Have the names in a folder outlive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path, longest: int, faults: list[str]) -> bytes:
    """Read a key file, one byte beyond *longest* at most; what is wrong with it joins *faults*."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(longest + 1)
    except FileNotFoundError:
        faults.append(missing(path))
        return b""
    except OSError as error:
        faults.append(f"key file {path} cannot be read ({error.strerror})")
        return b""
    if mode & 0o077:
        faults.append(
            f"key file {path} is open to others (mode {mode:04o}): run chmod 0400 on it, and "
            "replace the key if anyone else may have read it"
        )
    return content


def missing(path: Path) -> str:
    """Say that a key file is not there, and what to do."""
    return f"key file {path} is missing: restore it from your key backup, or run `init` if new"
