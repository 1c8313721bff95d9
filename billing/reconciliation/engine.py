"""DuckDB as it is used here: bounded in memory, spilling into a folder of ours, shut in.

It reads and writes nothing outside the folders it is given, and loads no extension. Only CSV and
Parquet are kept, never its own format.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from billing.reconciliation.unpacking import Tell

MEMORY = "1200MB"
THREADS = 2
_LOOK_SECONDS = 0.25
_PERCENT = 100

Cell = int | str | bool | None
Refused = duckdb.Error


class Engine:
    """Runs statements in turn and tells how far all of them together are.

    Shape: *steps* is how many statements `run` will be given.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, steps: int, tell: Tell) -> None:
        self._connection = connection
        self._total = steps * _PERCENT
        self._done = 0
        self._tell = tell

    def run(self, sql: str) -> list[tuple[Cell, ...]]:
        """Run a statement and return all rows it yields."""
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over,))
        watch.start()
        try:
            found: list[tuple[Cell, ...]] = self._connection.execute(sql).fetchall()
        finally:
            over.set()
            watch.join()
        self._done += _PERCENT
        self._tell(min(self._done, self._total), self._total)
        return found

    def rows(self, sql: str, batch: int = 10_000) -> Iterator[tuple[Cell, ...]]:
        """Yield what a statement yields, a batch at a time."""
        cursor = self._connection.cursor()
        try:
            found = cursor.execute(sql)
            while some := found.fetchmany(batch):
                yield from some
        finally:
            cursor.close()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_SECONDS):
            share = max(0, min(_PERCENT, int(self._connection.query_progress())))
            self._tell(min(self._done + share, self._total), self._total)


@contextmanager
def opened(
    folder: Path, reads: Sequence[Path] = (), *, steps: int = 1, tell: Tell = lambda _, __: None
) -> Iterator[Engine]:
    """Open an engine that may write to *folder*, and may read *reads* beside it."""
    spill = folder / "spill"
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "threads": THREADS,
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        connection.execute(f"SET allowed_directories = {texts([f'{folder}/'])}")
        connection.execute(f"SET allowed_paths = {texts(reads)}")
        connection.execute("SET enable_progress_bar = true")
        connection.execute("SET enable_progress_bar_print = false")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield Engine(connection, steps, tell)
    finally:
        connection.close()


def name(column: str) -> str:
    """Return a column's name as SQL has it."""
    return '"' + column.replace('"', '""') + '"'


def text(value: str | Path) -> str:
    """Return a text as SQL has it."""
    return "'" + str(value).replace("'", "''") + "'"


def texts(values: Sequence[str | Path]) -> str:
    """Return a list of texts as SQL has it."""
    return "[" + ", ".join(map(text, values)) + "]"
