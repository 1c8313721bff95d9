"""The manifest of an export: what the export is, and the digest of every file in it.

Its lines lie in an unnamed file until it is written, so that memory does not grow with the log.
Form: docs/journal-format.md.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from journal.runs import Run, written
from journal.tree import TreeHead

MANIFEST = "MANIFEST"
_FORMAT = "tradan journal export 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What an export is of."""

    origin: str
    key: str
    head: TreeHead
    first: int
    last: int
    bundles: Sequence[Run]

    def lines(self) -> str:
        """Write the lines that are known before anything is exported."""
        return (
            f"{beginning(self.origin)}# key {self.key}\n"
            f"# size {self.head.size}\n# root {self.head.root.hex()}\n"
            f"# from {self.first}\n# to {self.last}\n# bundles {written(self.bundles)}\n"
        )


class Manifest:
    """Collects the digests of an export's files."""

    def __init__(self) -> None:
        self._lines: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the export)
        self.files = 0

    def add(self, path: str, digest: "hashlib._Hash") -> None:
        """Note a file."""
        self._lines.write(f"{digest.hexdigest()}  {path}\n".encode())
        self.files += 1

    def write(self, to: IO[bytes], heading: Heading, *, openings: int, missing: int) -> None:
        """Write the whole of it."""
        counts = f"# openings {openings}\n# missing {missing}\n# files {self.files}\n"
        to.write((heading.lines() + counts).encode())
        self._lines.seek(0)
        shutil.copyfileobj(self._lines, to)

    def close(self) -> None:
        """Let go of the unnamed file."""
        self._lines.close()


def beginning(origin: str) -> str:
    """Return the lines by which an export of this log is known, finished or not."""
    return f"# format {_FORMAT}\n# origin {origin}\n"
