"""The benchmark's end of the process that fills a journal: orders out, figures in."""

import json
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.errors import ServiceError
from benchmark.service import Service

_HOUSE = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 7200.0


@dataclass(frozen=True, slots=True)
class JournalFiller:
    """A process with the journal of one deployment open."""

    process: subprocess.Popen[bytes]
    log: Path
    key: str = ""

    def ask(self, name: str, **arguments: float) -> dict[str, Any]:
        """Have something done, and return the figures of it.

        Raises: ServiceError if the process has ended or falls silent.
        """
        return self.tell({name: arguments})

    def tell(self, words: Mapping[str, object]) -> dict[str, Any]:
        """Write one line and read the one that answers it."""
        if self.process.stdin is None or self.process.poll() is not None:
            raise ServiceError(f"the process with the journal has ended: {self._tail()}")
        self.process.stdin.write(json.dumps(words).encode() + b"\n")
        self.process.stdin.flush()
        out = self.process.stdout
        if out is None or not select.select([out], [], [], _PATIENCE_SECONDS)[0]:
            raise ServiceError(f"the process with the journal does not answer: {self._tail()}")
        line = out.readline()
        if not line:
            raise ServiceError(f"the process with the journal has ended: {self._tail()}")
        figures: dict[str, Any] = json.loads(line)
        return figures

    def _tail(self) -> str:
        return self.log.read_text(errors="replace").strip()[-2000:]


@contextmanager
def started(service: Service) -> Iterator[JournalFiller]:
    """Start the process; what it complains of goes to a file beside the deployment.

    Raises: ServiceError if it does not start.
    """
    log = service.folder / "journal.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmark.journal_process"],
            cwd=_HOUSE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,  # a keyboard's interrupt reaches it through the benchmark alone
        )
    filler = JournalFiller(process, log)
    try:
        yield replace(filler, key=filler.tell(service.environ)["key"])
    finally:
        process.terminate()
        process.communicate()
