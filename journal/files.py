"""A folder whose files come whole or not at all, whenever power fails."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_UNFINISHED = ".tmp"


class Folder:
    """Writes files under one folder: beside their place first, flushed, then put in place."""

    def __init__(self, root: Path, *, mode: int) -> None:
        self.root = root
        self._folder_mode = mode
        self._file_mode = mode & 0o666
        self._touched: set[Path] = set()

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the folder against other processes; yield whether it could be had."""
        self._make(self.root)
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            yield False
            return
        try:
            yield True
        finally:
            os.close(descriptor)  # and the lock with it

    def read(self, path: str) -> bytes | None:
        """Return what a file holds; None if it is not there."""
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextmanager
    def writing(self, path: str) -> Iterator[IO[bytes]]:
        """Write a file; once `sync` has returned, it outlives a power failure under its name."""
        place = self.root / path
        self._make(place.parent)
        with whole(place, self._file_mode) as file:
            yield file
        self._touched.add(place.parent)

    def put(self, path: str, data: bytes) -> None:
        """Write a file whose bytes are in hand."""
        with self.writing(path) as file:
            file.write(data)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all it holds, if it is there; and folders left empty."""
        place = self.root / path
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        above = place.parent
        while above != self.root and above.is_dir() and not any(above.iterdir()):
            above.rmdir()
            above = above.parent
        self._touched.add(above)

    def sync(self) -> None:
        """Have every name that was changed outlive a power failure."""
        for folder in self._touched:
            if folder.is_dir():
                _flush(folder)
        self._touched.clear()

    def names(self, under: str) -> list[str]:
        """Return the names in one folder, none if it is not there."""
        try:
            return [each.name for each in (self.root / under).iterdir()]
        except FileNotFoundError:
            return []

    def files(self, under: str = "") -> Iterator[str]:
        """Yield the path of every file, leftovers of an unfinished writing among them."""
        for folder, _, names in os.walk(self.root / under):
            for name in names:
                yield (Path(folder) / name).relative_to(self.root).as_posix()

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir(mode=self._folder_mode, exist_ok=True)
        self._touched.add(folder.parent)


@contextmanager
def whole(place: Path, mode: int) -> Iterator[IO[bytes]]:
    """Write a file that has its name only once it is whole and flushed."""
    beside = place.with_name(f".{place.name}{_UNFINISHED}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(beside, flags, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def is_unfinished(path: str) -> bool:
    """Tell whether a file is what an interrupted writing left behind."""
    name = path.rpartition("/")[2]
    return name.startswith(".") and name.endswith(_UNFINISHED)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
