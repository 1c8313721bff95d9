"""Where an operator's files and mapping are kept: STATE_DIR/billing/OPERATOR, closed to others.

A file in its normal form stands under the digest that it came with, so it is there once however
often it is imported. What has no note beside it was never imported.
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from billing.periods import Period
from billing.reconciliation import mapping_file
from billing.reconciliation.errors import ReconciliationError
from billing.reconciliation.mapping import CdrMapping

_FOLDER = "billing"
_SCRATCH = ".scratch"
_MAPPING = "mapping.toml"
_LEFT_SECONDS = 86_400
# As codes of operators are, and nothing that leads elsewhere.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is known of an imported file.

    Shape: *reading* is that of the mapping it was read by. Units: *amount* in hundredths of a dong,
    of the records that were carried; None without amounts.
    """

    digest: str
    records: int
    carried: int
    parts: int
    amount: int | None
    imported_at: datetime
    imported_by: str
    reading: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """The files of one operator."""

    home: Path
    operator: str

    @classmethod
    def of(cls, state_dir: Path, operator: str) -> "Store":
        """Return the store of an operator. Raises: ReconciliationError if none can be called so."""
        if not _CODE.fullmatch(operator):
            raise ReconciliationError("no operator has a code like that")
        return cls(state_dir / _FOLDER, operator)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Make a folder for what is thrown away, spills too, beside what is kept."""
        parent = self._made(self.home / _SCRATCH)
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            _sweep(parent, Path(folder).stat().st_mtime)
            yield Path(folder)

    def mapping_text(self) -> str | None:
        """Return the operator's mapping as it was given, if there is one."""
        path = self._folder / _MAPPING
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def mapping(self) -> CdrMapping:
        """Return the operator's mapping. Raises: ReconciliationError, MappingError."""
        text = self.mapping_text()
        if text is None:
            raise ReconciliationError(
                f"{self.operator} has no mapping: give one with `billing mapping set`"
            )
        return mapping_file.parse(text)

    def set_mapping(self, text: str) -> None:
        """Keep a mapping in the place of the one before."""
        with self.scratch() as folder:
            path = folder / _MAPPING
            path.write_text(text, encoding="utf-8")
            _move(path, self._made(self._folder))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from changing mapping, or which files count, and wait for them."""
        folder = os.open(self._made(self._folder), os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def notes(self, period: Period) -> dict[str, Note]:
        """Return what is imported for a period, by digest."""
        found = {}
        for path in sorted(self._of(period).glob("*.json")):
            said = json.loads(path.read_text(encoding="utf-8"))
            note = Note(**{**said, "imported_at": datetime.fromisoformat(said["imported_at"])})
            if self._records(period, note.digest).is_file():
                found[note.digest] = note
        return found

    def files(self, period: Period) -> list[Path]:
        """Return the imported files of a period in their normal form."""
        return [self._records(period, digest) for digest in self.notes(period)]

    def lay(self, period: Period, records: Path, digest: str) -> None:
        """Put a file in its place; it does not count before its note is there."""
        folder = self._made(self._of(period))
        _move(records, folder, f"{digest}.parquet")

    def note(self, period: Period, note: Note) -> None:
        """Let a file count that was laid."""
        said = {name: getattr(note, name) for name in Note.__dataclass_fields__}
        said["imported_at"] = note.imported_at.isoformat()
        with self.scratch() as folder:
            path = folder / f"{note.digest}.json"
            path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
            _move(path, self._of(period))

    def drop(self, period: Period, digest: str) -> None:
        """Forget a file, its note first."""
        (self._of(period) / f"{digest}.json").unlink(missing_ok=True)
        self._records(period, digest).unlink(missing_ok=True)

    def results(self, period: Period) -> Path:
        """Return the folder of what a period's reconciliation came to, if it was made."""
        return self._of(period) / "result"

    def put_results(self, period: Period, files: Iterable[Path]) -> Path:
        """Put files, in their order, in the place of what stood there; return their folder."""
        folder = self._made(self.results(period))
        for path in files:
            _move(path, folder)
        return folder

    @property
    def _folder(self) -> Path:
        return self.home / self.operator

    def _of(self, period: Period) -> Path:
        return self._folder / str(period)

    def _records(self, period: Period, digest: str) -> Path:
        return self._of(period) / f"{digest}.parquet"

    def _made(self, folder: Path) -> Path:
        """Make a folder and those above it, every one of ours closed to others."""
        self.home.parent.mkdir(parents=True, exist_ok=True)
        below = [each for each in folder.parents if each.is_relative_to(self.home)]
        for each in (*reversed(below), folder):
            each.mkdir(mode=0o700, exist_ok=True)
        return folder


def _sweep(parent: Path, now: float) -> None:
    """Remove what a process left that was killed; nothing here is in use for a day."""
    for left in parent.iterdir():
        with suppress(FileNotFoundError):
            if now - left.stat().st_mtime > _LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _move(path: Path, folder: Path, name: str | None = None) -> None:
    path.chmod(0o600)
    shutil.move(path, folder / (name or path.name))
