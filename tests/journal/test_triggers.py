from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

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


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", EMPTIED)
def test_our_own_code_puts_no_row_over_another(house: House, table: str) -> None:
    house.append(3)

    refuse(house.database, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608 (our own words)


def test_a_cosigned_checkpoint_is_not_dropped(house: House) -> None:
    cosign = sa.text("UPDATE journal_checkpoint SET cosignatures = 'a witness'")
    house.database.write(lambda session: session.execute(cosign))
    house.append(1)

    refuse(house.database, "DELETE FROM journal_checkpoint WHERE size = 2")


def test_what_others_said_of_a_checkpoint_is_added_to_and_never_taken_away(house: House) -> None:
    vouch = "UPDATE journal_checkpoint SET cosignatures = :line, timestamp_token = :token"
    there = {"line": "— a.example AAAA\n", "token": b"token"}
    for line in (there["line"], "— a.example BBBB\n", "— a.example BBBB\n— b.example CCCC\n"):
        added = {**there, "line": line}
        house.database.write(partial(_run, sa.text(vouch).bindparams(**added)))

    refuse(house.database, "UPDATE journal_checkpoint SET cosignatures = NULL")
    refuse(house.database, "UPDATE journal_checkpoint SET cosignatures = ''")
    refuse(house.database, "UPDATE journal_checkpoint SET cosignatures = '— a.example BBBB'")
    refuse(house.database, "UPDATE journal_checkpoint SET timestamp_token = NULL")
    other = sa.text("UPDATE journal_checkpoint SET timestamp_token = :token").bindparams(token=b"t")
    with pytest.raises(sa.exc.IntegrityError, match="is append-only"):
        house.database.write(partial(_run, other))


def test_what_an_entry_opens_to_may_be_erased(house: House) -> None:
    house.append(3)

    house.database.write(lambda session: session.execute(sa.text("DELETE FROM journal_open")))

    assert house.size() == 5


def test_no_table_is_emptied_at_once(postgres_database: Database) -> None:
    for table in EMPTIED:
        refuse(postgres_database, f"TRUNCATE {table}")


def _run(statement: sa.TextClause, session: Session) -> None:
    session.execute(statement)


@pytest.mark.parametrize("how", ["dropped", "replaced", "switched off"])
def test_a_trigger_that_no_longer_refuses_is_found(house: House, how: str) -> None:
    name, table = "journal_entry_delete", "journal_entry"
    on_postgres = house.database.dialect == "postgresql"
    drop = f"DROP TRIGGER {name}" + (f" ON {table}" if on_postgres else "")
    does_nothing = f"CREATE TRIGGER {name} BEFORE DELETE ON {table} BEGIN SELECT 1; END"
    statements = [drop] if on_postgres or how == "dropped" else [drop, does_nothing]
    if on_postgres and how == "replaced":
        function = f"CREATE OR REPLACE FUNCTION journal_{name}_refused() RETURNS trigger"
        statements = [f"{function} LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$"]
    if on_postgres and how == "switched off":
        statements = [f"ALTER TABLE {table} DISABLE TRIGGER {name}"]
    assert house.verify().findings == []

    for statement in statements:
        house.database.write(partial(_run, sa.text(statement)))

    (finding,) = house.verify().findings
    assert (finding.code, finding.detail.split()[0]) == ("trigger-missing", name)
