"""A process of its own that appends to the journal while a test does: database, keys, state."""

import sys
from functools import partial
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

from core import databases
from core.keyring import Keyring
from journal.entries import Draft, Kind, Retention
from journal.journal import Journal

BATCHES = 60


def main(path: str, keys_dir: Path, state_dir: Path) -> None:
    """Append entries two at a time."""
    database = databases.open_database(sa.URL.create("sqlite", database=path))
    keyring = Keyring.load(keys_dir, database)
    journal = Journal.open(database, keyring, keys_dir, state_dir, "tradan/another.example")
    draft = Draft(
        kind=Kind.ADMIN,
        retention=Retention.ACT,
        actor="officer:an",
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"act": "operator-add", "code": "viettel"},
    )
    for _ in range(BATCHES):
        made = journal.prepare([draft, draft])
        database.write(partial(journal.append, made=made))
    journal.close()
    database.close()


main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
