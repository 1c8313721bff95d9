import pytest
import sqlalchemy as sa

from core.db import Database
from tests.journal.conftest import House

REFUSED = (
    "UPDATE journal_entry SET leaf = ''",
    "DELETE FROM journal_entry",
    "UPDATE journal_leaf SET seq = seq + 100",
    "DELETE FROM journal_leaf WHERE seq = 1",
    "UPDATE journal_tile SET hashes = leaf_hash FROM journal_leaf",
    "UPDATE journal_tile SET n = 7",
    "DELETE FROM journal_tile",
    "UPDATE tree_state SET size = size - 1",
    "UPDATE tree_state SET origin = 'other', size = size + 1",
    "DELETE FROM tree_state",
    "UPDATE journal_checkpoint SET note = ''",
    "UPDATE journal_checkpoint SET signed_at = 0",
    "DELETE FROM journal_checkpoint",
)
EMPTIED = ("journal_entry", "journal_leaf", "journal_tile", "journal_checkpoint", "tree_state")


def refuse(database: Database, statement: str) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="is append-only"):
        database.write(lambda session: session.execute(sa.text(statement)))


def test_what_is_written_stands(house: House) -> None:
    house.append(3)

    for statement in REFUSED:
        refuse(house.database, statement)

    assert house.verify().ok


def test_a_cosigned_checkpoint_is_not_dropped(house: House) -> None:
    cosign = sa.text("UPDATE journal_checkpoint SET cosignatures = 'a witness'")
    house.database.write(lambda session: session.execute(cosign))
    house.append(1)

    refuse(house.database, "DELETE FROM journal_checkpoint WHERE size = 2")


def test_what_an_entry_opens_to_may_be_erased(house: House) -> None:
    house.append(3)

    house.database.write(lambda session: session.execute(sa.text("DELETE FROM journal_open")))

    assert house.size() == 5


def test_no_table_is_emptied_at_once(postgres_database: Database) -> None:
    for table in EMPTIED:
        refuse(postgres_database, f"TRUNCATE {table}")
