"""A process of its own that is killed at a named point between signing and sending."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parents[2]))

from core import databases
from core.clock import SystemClock
from core.db import Database, after_commit
from core.keyring import Keyring
from journal.entries import Draft, Kind, Retention
from journal.journal import Journal
from journal.rotation import Rotation

DRAFT = Draft(
    kind=Kind.ADMIN,
    retention=Retention.ACT,
    actor="officer:an",
    actor_index=None,
    subject=None,
    subject_index=None,
    payload={"act": "operator-add", "code": "viettel"},
)


def die() -> None:
    """End as a process does that is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def seal(database: Database, journal: Journal, point: str) -> None:
    """Append three entries and seal them."""
    made = journal.prepare([DRAFT] * 3)
    inline = database.dialect == "sqlite"
    if not inline:
        database.write(lambda session: journal.append(session, made))

    def work(session: Session) -> None:
        if point == "commit":
            after_commit(session, die)  # before the signer's own, which remembers
        if inline:
            journal.append(session, made)
        else:
            journal._sealing.seal_waiting(session)
        if point == "signing":
            die()

    database.write(work)


class Dying:
    """A database on which whoever writes dies, before the commit or just after."""

    def __init__(self, database: Database, point: str) -> None:
        self._database = database
        self._point = point
        self.read = database.read

    def write(self, work: Callable[[Session], Any]) -> Any:  # noqa: ANN401 (whatever is written)
        """Write, and be killed."""

        def dying(session: Session) -> None:
            work(session)
            if self._point == "rotation":
                die()
            after_commit(session, die)

        self._database.write(dying)


def change(database: Database, journal: Journal, point: str) -> None:
    """Rotate the log key, or retire the older one."""
    rotation = Rotation(Dying(database, point), journal, SystemClock())  # type: ignore[arg-type]  # as much of a database as is used
    if point == "retirement":
        rotation.retire(by="console:an", reason="over", early=True)
    rotation.rotate(timedelta(days=1), by="console:an")


def main(point: str, url: str, keys_dir: Path, state_dir: Path) -> None:
    """Be killed at *point*."""
    database = databases.open_database(sa.make_url(url))
    keyring = Keyring.load(keys_dir, database, SystemClock())
    journal = Journal.open(database, keyring, keys_dir, state_dir, "tradan/another.example")
    act = change if point in {"rotation", "retirement"} else seal
    act(database, journal, point)
    die()


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
