"""The mirror: the log in files under the state folder, kept a second behind the database.

Auditors may be handed it as it is, and a database that was restored to an earlier moment gets its
missing entries back from it; so it never follows a database that is behind it or of another log.
"""

from collections.abc import Iterator
from pathlib import Path

from core import log, metrics
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from journal import layout, published
from journal.errors import JournalError, MirrorError
from journal.files import Folder
from journal.layout import CHECKPOINT, ENTRIES, Resource
from journal.tree import EMPTY, TILE_WIDTH, TreeHead

FOLDER = "journal"
_MODE = 0o750
_PAGE = 8
_PARTIAL = ".p"
_AGAIN_SECONDS = 60.0
_log = log.get_logger(__name__)


class Mirror:
    """Brings the files of one machine up to the database's newest checkpoint."""

    def __init__(self, database: Database, state_dir: Path, clock: Clock) -> None:
        self._database = database
        self._folder = Folder(state_dir / FOLDER, mode=_MODE)
        self._clock = clock
        self._told: tuple[str, float] = ("", 0.0)

    def keep(self) -> None:
        """Catch up, and say when that cannot be done: at once, and then once a minute."""
        try:
            self.catch_up()
        except (JournalError, UnavailableError, OSError) as error:
            said = type(error).__name__
            now = self._clock.monotonic()
            if self._told[0] != said or now - self._told[1] >= _AGAIN_SECONDS:
                self._told = said, now
                _log.error("journal.not_mirrored", **log.failure(error))
                metrics.ALARMS.labels("journal-mirror").inc()
        else:
            self._told = "", 0.0

    def catch_up(self) -> TreeHead | None:
        """Mirror what is new and return the head that is mirrored; None if another is at it.

        Raises: MirrorError if the database is not a continuation of what is mirrored; OSError.
        """
        with self._folder.locked() as is_ours:
            if not is_ours:
                return None
            return self._catch_up()

    def _catch_up(self) -> TreeHead:
        newest = self._database.read(published.newest)
        mirrored = (self._folder.read(CHECKPOINT) or b"").decode(errors="replace")
        if mirrored == newest.note:
            return newest.head
        at = published.head_of(mirrored) if mirrored else EMPTY
        if at is None:
            raise MirrorError(
                "the checkpoint in the mirror is damaged: keep the folder `journal` of the state "
                "folder elsewhere, and a new one is made"
            )
        self._see_continued(at, newest.head)
        for page in _missing(at.size, newest.head.size):
            self._copy(page)
        self._folder.sync()
        self._folder.put(CHECKPOINT, newest.note.encode())
        self._folder.sync()
        self._sweep(at.size, newest.head.size)
        return newest.head

    def _see_continued(self, at: TreeHead, head: TreeHead) -> None:
        if not self._database.read(lambda session: published.continues(session, at, head)):
            raise MirrorError(
                "the database's journal does not continue what is mirrored in the state folder: a "
                "restored backup, or an edited database; see `recover` in docs/operations.md"
            )

    def _copy(self, page: list[Resource]) -> None:
        found = self._database.read(lambda session: published.read(session, page))
        for resource in page:
            data = found.get(resource)
            if data is None:
                raise MirrorError(
                    f"{resource.path} cannot be made of what the database holds: run "
                    "`journal verify`, which names what is missing"
                )
            if self._folder.read(resource.path) != data:
                self._folder.put(resource.path, data)

    def _sweep(self, old_size: int, size: int) -> None:
        """Remove partial tiles and bundles beside which the full ones are."""
        for level in (ENTRIES, *layout.levels_of(size)):
            edge = Resource(level, layout.edge(level, old_size))
            if layout.width_at(level, edge.n, size) != TILE_WIDTH:
                continue
            # Its neighbours too: a killed process may have left theirs.
            beside = edge.path.rpartition("/")[0]
            for name in self._folder.names(beside):
                full = name.removesuffix(_PARTIAL)
                if name != full and (self._folder.root / beside / full).is_file():
                    self._folder.remove(f"{beside}/{name}")


def _missing(old_size: int, size: int) -> Iterator[list[Resource]]:
    """Yield, in pages, what a tree of *size* has that one of *old_size* had not."""
    for level in (ENTRIES, *layout.levels_of(size)):
        page: list[Resource] = []
        for resource in layout.resources(level, size, layout.edge(level, old_size)):
            page.append(resource)
            if len(page) == _PAGE:
                yield page
                page = []
        if page:
            yield page
