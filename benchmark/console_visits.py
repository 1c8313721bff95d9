"""Officers who open pages in the very process that serves them, and the plans behind the pages."""

import io
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from wsgiref.types import WSGIApplication

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmark.errors import ServiceError
from console.access import officers, sessions
from console.access.roles import Role
from console.desk import Deployment
from journal.errors import JournalFault

COOKIE = "tradan-console"
_GROWN = "inbound|inbound_key|outbound|journal_entry|journal_leaf|journal_open|tally"
_COUNTS = re.compile(rf"count\(.*?\bFROM\s+({_GROWN})\b", re.IGNORECASE | re.DOTALL)
_SCANS = {
    "postgresql": re.compile(rf"Seq Scan on ({_GROWN})\b"),
    "sqlite": re.compile(rf"\bSCAN ({_GROWN})(?! USING)\b"),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """What one page took.

    Units: seconds; *cpu* is that of the process, a sealer's in it included.
    """

    took: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Visitor:
    """An officer with a session."""

    deployment: Deployment
    app: WSGIApplication
    token: str = field(repr=False)

    @classmethod
    def enter(cls, deployment: Deployment, app: WSGIApplication, role: Role) -> "Visitor":
        """Add an officer who plays one part, and begin a session."""
        now, name = deployment.clock.now(), role.replace("-", "_")

        def work(session: Session) -> str:
            officer = officers.add(session, name, "Benchmark", [role], now)
            return sessions.begin(session, officer, "127.0.0.1", "", now)

        return cls(deployment, app, deployment.database.write(work))

    def open(self, path: str, query: str = "") -> "Visit":
        """Open a page and return what the application took for it.

        Raises: ServiceError if it was not shown.
        """
        # What an officer may look at in a day is little beside what is measured here.
        self.deployment.database.write(lambda s: s.execute(sa.text("DELETE FROM officer_count")))
        told: list[str] = []
        began, busy = time.perf_counter(), time.process_time()
        pieces = self.app(self._environ(path, query), lambda status, *_: told.append(status))  # type: ignore[arg-type]  # nobody writes
        body = b"".join(pieces)
        took = Visit(time.perf_counter() - began, time.process_time() - busy)
        if int(told[-1][:3]) != HTTPStatus.OK:
            raise ServiceError(f"{path}?{query} answered {told[-1]}: {body[:300]!r}")
        return took

    def _environ(self, path: str, query: str) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": quote(path),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_COOKIE": f"{COOKIE}={self.token}",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }


@dataclass(slots=True)
class Plans:
    """What the pages asked the database for, and how it goes about that."""

    deployment: Deployment
    asked: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note each statement that Core runs meanwhile, once, with the values it first had."""

        def note(_connection: object, _cursor: object, text: str, values: Any, *_: object) -> None:  # noqa: ANN401 (the driver's)
            if text.lstrip().upper().startswith("SELECT"):
                self.asked.setdefault(text, values)

        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            yield
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)

    def counting(self) -> list[str]:
        """Return the tables whose rows are counted by any of the statements."""
        return sorted({found for text in self.asked for found in _COUNTS.findall(text)})

    def scanned(self) -> list[str]:
        """Return the tables that any of the statements reads from end to end."""
        dialect = self.deployment.database.dialect
        explain = "EXPLAIN " if dialect == "postgresql" else "EXPLAIN QUERY PLAN "
        found: set[str] = set()
        for text, values in self.asked.items():

            def plan(session: Session, text: str = text, values: Any = values) -> str:  # noqa: ANN401 (the driver's)
                rows = session.connection().exec_driver_sql(explain + text, values).all()
                return "\n".join(str(row[-1]) for row in rows)

            found.update(_SCANS[dialect].findall(self.deployment.database.read(plan)))
        return sorted(found)


@contextmanager
def sealing(deployment: Deployment) -> Iterator[None]:
    """Seal what pages write, as a worker beside them does, where that is not done at once."""
    if deployment.database.dialect == "sqlite":
        yield
        return
    over, faults = threading.Event(), list[JournalFault]()
    sealer = deployment.journal.sealer()
    thread = threading.Thread(
        target=sealer.run,
        args=(over,),
        kwargs={"on_sealed": lambda _count: None, "on_fault": faults.append},
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        sealer.wake()
        thread.join()
    if faults:
        raise ServiceError(f"the sealer found {faults[0]}")
