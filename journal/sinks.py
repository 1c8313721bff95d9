"""Where an export goes: a folder, which can be gone on with, or a tar, which is streamed."""

import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

from journal import layout
from journal.errors import ExportError
from journal.files import Folder, is_unfinished
from journal.manifest import MANIFEST, Heading, beginning

INCOMPLETE = "INCOMPLETE"
OPENINGS = "openings.jsonl"
POLICY = "policy.txt"
TIMESTAMPS = "tsr"
_MODE = 0o700
_HEADING_BYTES = 4096
# Eleven octal digits (POSIX.1-1988 ustar).
_LONGEST_MEMBER = 8**11 - 1


class Sink(Protocol):
    """Takes the files of one export."""

    def see_fit(self, origin: str) -> None:
        """See that an export of this log can be put here.

        Raises: ExportError if it cannot.
        """
        ...

    def begin(self, heading: Heading) -> None:
        """Make ready; from here on the export is unfinished.

        Raises: ExportError as `see_fit`.
        """
        ...

    def held(self, path: str) -> bytes | None:
        """Return what an earlier, unfinished run left under this path."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Take a file."""
        ...

    @contextmanager
    def stream(self, path: str) -> Iterator[IO[bytes]]:
        """Take a file of any length while it is written."""
        ...

    def settle(self) -> None:
        """Keep for good what was taken."""
        ...

    def end(self, belongs: Callable[[str], bool]) -> None:
        """Finish, and leave nothing of an earlier export that does not belong to this one."""
        ...


class DirectorySink:
    """A folder; an unfinished export in it is gone on with."""

    def __init__(self, root: Path) -> None:
        self._folder = Folder(root, mode=_MODE)

    def see_fit(self, origin: str) -> None:
        """See that the folder is new, or empty, or holds an export of this log."""
        root = self._folder.root
        if root.exists() and not root.is_dir():
            raise ExportError(f"{root} is a file: name a folder, or give --tar")
        names = self._folder.names("")
        known = [name for name in (INCOMPLETE, MANIFEST) if name in names]
        if names and not known:
            raise ExportError(f"{root} is not empty and no export: name another folder")
        for name in known:
            with (root / name).open("rb") as file:
                if not file.read(_HEADING_BYTES).startswith(beginning(origin).encode()):
                    raise ExportError(f"{root} holds an export of another log: name another folder")

    def begin(self, heading: Heading) -> None:
        """Mark the folder as unfinished before anything in it is."""
        self.see_fit(heading.origin)
        self._folder.put(INCOMPLETE, heading.lines().encode())
        self._folder.sync()

    def held(self, path: str) -> bytes | None:
        """Return what an earlier run left under this path."""
        return self._folder.read(path)

    def put(self, path: str, data: bytes) -> None:
        """Write a file."""
        self._folder.put(path, data)

    @contextmanager
    def stream(self, path: str) -> Iterator[IO[bytes]]:
        """Write a file; if that breaks off, nothing of it stands under its name."""
        with self._folder.writing(path) as file:
            yield file

    def settle(self) -> None:
        """Flush the names of what was taken, before any checkpoint says that it is there."""
        self._folder.sync()

    def end(self, belongs: Callable[[str], bool]) -> None:
        """Remove what an export of another size or range left here, then the mark."""
        self._folder.sync()
        for path in [each for each in _ours(self._folder) if not belongs(each)]:
            self._folder.remove(path)
        self._folder.sync()
        self._folder.remove(INCOMPLETE)
        self._folder.sync()


class TarSink:
    """A tar of plain files, written as it goes to a file or to a pipe."""

    def __init__(self, to: IO[bytes], made_at: datetime) -> None:
        self._to = to
        self._time = int(made_at.timestamp())

    def see_fit(self, origin: str) -> None:
        """Do nothing: whoever opened it saw to that."""

    def begin(self, heading: Heading) -> None:
        """Do nothing: an unfinished tar is known by its end."""

    def held(self, path: str) -> bytes | None:  # noqa: ARG002 (of the protocol)
        """Return nothing: a tar is never gone on with."""
        return None

    def put(self, path: str, data: bytes) -> None:
        """Write a member."""
        self._add(path, BytesIO(data), len(data))

    @contextmanager
    def stream(self, path: str) -> Iterator[IO[bytes]]:
        """Write a member by way of an unnamed file: a tar tells a length before the bytes."""
        with tempfile.TemporaryFile() as file:
            yield file
            length = file.tell()
            if length > _LONGEST_MEMBER:
                raise ExportError(f"{path} is too long for a tar: export to a folder")
            file.seek(0)
            self._add(path, file, length)

    def settle(self) -> None:
        """Do nothing: whoever opened the file sees to that."""

    def end(self, belongs: Callable[[str], bool]) -> None:  # noqa: ARG002 (of the protocol)
        """Write the end of the tar."""
        self._to.write(bytes(2 * tarfile.BLOCKSIZE))
        self._to.flush()

    def _add(self, path: str, content: IO[bytes], length: int) -> None:
        # By hand: the library remembers every member it has written.
        member = tarfile.TarInfo(path)
        member.size, member.mtime, member.mode = length, self._time, 0o600
        self._to.write(member.tobuf(tarfile.USTAR_FORMAT))
        shutil.copyfileobj(content, self._to)
        self._to.write(bytes(-length % tarfile.BLOCKSIZE))


def _ours(folder: Folder) -> Iterator[str]:
    """Yield the path of every file that an export of ours can have put there."""
    for path in folder.files():
        top = path.partition("/")[0]
        if is_unfinished(path) or top in {OPENINGS, POLICY, TIMESTAMPS} or layout.parse(path):
            yield path
