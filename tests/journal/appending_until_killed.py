"""A process that appends to the journal from many threads until it is killed.

It tells each entry's id once the entry is sealed: what it told must outlive it.
"""

import os
import sys
import threading
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import sqlalchemy as sa

from core import databases, log
from core.db import Database
from core.keyring import Keyring
from journal.entries import Draft, Kind, Retention
from journal.errors import JournalFault
from journal.journal import Journal

THREADS = 8
ACT = Draft(
    kind=Kind.ADMIN,
    retention=Retention.ACT,
    actor="officer:an",
    actor_index=None,
    subject=None,
    subject_index=None,
    payload={"act": "operator-add", "code": "viettel"},
)


def main(url: str, keys_dir: Path, state_dir: Path) -> None:
    """Append for ever."""
    log.configure(json=True)  # to standard error: what stands on the other is counted
    database = databases.open_database(sa.make_url(url))
    keyring = Keyring.load(keys_dir, database)
    journal = Journal.open(database, keyring, keys_dir, state_dir, "tradan/another.example")
    if database.dialect == "postgresql":
        seal = partial(
            journal.sealer().run, threading.Event(), on_sealed=lambda _: None, on_fault=fail
        )
        threading.Thread(target=seal).start()
    for _ in range(THREADS):
        threading.Thread(target=append, args=(database, journal)).start()


def append(database: Database, journal: Journal) -> None:
    """Append one entry after another, and tell each that is sealed."""
    while True:
        made = journal.prepare([ACT])
        database.write(partial(journal.append, made=made))
        while database.read(partial(journal.index_of, entry_id=made[0].id)) is None:
            time.sleep(0.002)
        os.write(sys.stdout.fileno(), made[0].id.hex.encode() + b"\n")


def fail(fault: JournalFault) -> None:
    """Tell what must not be, and end."""
    os.write(sys.stdout.fileno(), f"fault {fault.code}\n".encode())
    os._exit(1)


main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
