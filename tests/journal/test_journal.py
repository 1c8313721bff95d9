import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database
from core.keyring import Keyring
from journal import checkpoint, note, proofs
from journal.entries import Entry
from journal.errors import Fault, JournalFault, UnsealedError
from journal.journal import MEMORY_FILE, Inclusion, Journal
from journal.tables import JOURNAL_CHECKPOINT, JOURNAL_ENTRY, JOURNAL_LEAF
from journal.verifier_log import read_memory
from tests.fakes import FixedClock
from tests.journal.conftest import ORIGIN, Administrator, House


class Abort(Exception):  # noqa: N818 (what breaks off a test's transaction)
    """Stands for whatever ends a transaction before its commit."""


def test_the_first_opening_announces_the_writer_and_the_log(house: House) -> None:
    wanted = sa.select(JOURNAL_ENTRY.c.leaf).order_by(JOURNAL_ENTRY.c.id)

    writer, log = house.database.read(lambda session: session.execute(wanted).scalars().all())

    assert house.size() == 2
    assert b'"kw":"' in writer
    assert b'"t":"key"' in writer
    verifier = note.Verifier.parse(house.journal.verifier_key)
    assert f'"kl":"{verifier.public.hex()}"'.encode() in log


def test_opening_again_announces_nothing(house: House) -> None:
    again = house.reopen()

    assert house.size() == 2
    again.close()


def test_each_process_announces_a_key_of_its_own_before_its_first_entry(house: House) -> None:
    others = [house.reopen(), house.reopen()]

    for number, other in enumerate(others):
        for start in (0, 100):
            made = other.prepare(house.drafts(3, 10 * number + start))
            house.database.write(partial(other.append, made=made))
    house.seal()

    report = house.verify()
    assert house.size() == 2 + 2 * (1 + 6)
    assert (report.ok, len(report.writers)) == (True, 3)
    for other in others:
        other.close()


def test_what_only_reads_writes_nothing(house: House) -> None:
    reader = house.reopen()

    house.database.read(reader.head)
    house.database.read(reader.log_keys)
    reader.keep_memory()
    assert reader.prepare([]) == []
    reader.close()

    assert house.size() == 2


def test_of_many_threads_that_begin_at_once_one_announces_the_process(house: House) -> None:
    process, start = house.reopen(), threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        made = process.prepare(house.drafts(2, 10 * number))
        house.database.write(lambda session: process.append(session, made))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    house.seal()

    assert house.size() == 2 + 1 + 16
    assert house.verify().ok
    process.close()


def test_the_logs_name_outlives_a_change_of_the_public_url(house: House) -> None:
    renamed = Journal.open(
        house.database, house.keyring, house.keys_dir, house.state_dir, "tradan/new.example"
    )

    assert renamed.origin == ORIGIN
    renamed.close()


def test_every_appended_entry_is_proved_by_the_head(house: House) -> None:
    made = [entry for start in range(0, 90, 30) for entry in house.append(30, start)]

    for entry in made:
        proof = prove(house, entry)
        assert proof.leaf_hash == entry.leaf_hash
        assert proofs.verify_inclusion(
            proof.leaf_hash, proof.index, proof.size, proof.path, proof.root
        )


def test_the_head_is_under_a_checkpoint_that_the_log_signed(house: House) -> None:
    house.append(300)

    head = house.database.read(house.journal.head)

    verifier = note.Verifier.parse(house.journal.verifier_key)
    said = checkpoint.parse(note.open_note(head.checkpoint, verifier), ORIGIN)
    assert (said.size, said.root) == (head.size, head.root) == (302, head.root)


def test_an_entry_that_is_not_sealed_has_no_place_and_no_proof(house: House) -> None:
    unknown = uuid4()

    assert house.database.read(lambda s: house.journal.index_of(s, unknown)) is None
    with pytest.raises(UnsealedError):
        house.database.read(lambda s: house.journal.inclusion(s, unknown))


def test_appending_nothing_changes_nothing(house: House) -> None:
    house.database.write(lambda session: house.journal.append(session, []))

    assert house.size() == 2


def test_killed_between_signing_and_commit_the_journal_goes_on(house: House) -> None:
    house.append(5)
    lost = house.journal.prepare(house.drafts(4, 100))

    def killed(session: Session) -> None:
        house.journal.append(session, lost)
        raise Abort

    with pytest.raises(Abort):
        house.database.write(killed)
    kept = house.append(6, 200)

    assert house.size() == 2 + 5 + 6
    assert place(house, lost[0]) is None
    assert place(house, kept[0]) == 7
    assert house.verify().ok


def test_a_process_that_starts_after_such_a_kill_goes_on_too(house: House) -> None:
    lost = house.journal.prepare(house.drafts(4))

    def killed(session: Session) -> None:
        house.journal.append(session, lost)
        raise Abort

    with pytest.raises(Abort):
        house.database.write(killed)
    reborn = house.reopen()
    made = reborn.prepare(house.drafts(2))
    house.database.write(lambda session: reborn.append(session, made))
    house.seal()

    assert house.size() == 2 + 1 + 2
    assert house.verify().ok
    reborn.close()


def test_killed_between_commit_and_memory_the_signer_catches_up(
    house: House, tmp_path: Path
) -> None:
    house.append(3)
    old_memory = (house.state_dir / MEMORY_FILE).read_bytes()
    house.append(300)
    state_dir = tmp_path / "state-of-the-killed"
    state_dir.mkdir()
    (state_dir / MEMORY_FILE).write_bytes(old_memory)

    reborn = house.reopen(state_dir)

    remembered = read_memory(state_dir / MEMORY_FILE)
    assert remembered is not None
    assert remembered.size == house.size() == 305
    reborn.close()


@pytest.mark.parametrize("taken_back", [0, 1, 3])
def test_a_savepoint_that_is_taken_back_leaves_no_trace(house: House, taken_back: int) -> None:
    batches = [house.journal.prepare(house.drafts(3, 10 * number)) for number in range(4)]

    def work(session: Session) -> None:
        for number, batch in enumerate(batches):
            savepoint = session.begin_nested()
            house.journal.append(session, batch)
            if number == taken_back:
                savepoint.rollback()
            else:
                savepoint.commit()

    house.database.write(work)
    house.seal()
    house.append(1)

    assert house.size() == 2 + 9 + 1
    assert place(house, batches[taken_back][0]) is None
    assert house.verify().ok


def test_of_many_who_share_a_commit_one_that_fails_leaves_no_trace(house: House) -> None:
    batches = [house.journal.prepare(house.drafts(2, 10 * number)) for number in range(24)]
    start = threading.Barrier(len(batches))

    def work(session: Session, number: int) -> None:
        house.journal.append(session, batches[number])
        if number % 3 == 0:
            raise Abort

    def write(number: int) -> bool:
        start.wait()
        try:
            house.database.write(lambda session: work(session, number))
        except Abort:
            return False
        return True

    with ThreadPoolExecutor(len(batches)) as pool:
        kept = list(pool.map(write, range(len(batches))))
    house.seal()

    assert kept == [number % 3 != 0 for number in range(24)]
    assert [place(house, batch[0]) is not None for batch in batches] == kept
    assert house.size() == 2 + 2 * 16
    assert house.verify().ok


def test_memory_follows_the_commit_and_never_leads_it(house: House) -> None:
    seen: list[int] = []

    def remembered() -> int:
        known = read_memory(house.state_dir / MEMORY_FILE)
        return 0 if known is None else known.size

    def work(session: Session) -> None:
        house.journal.append(session, made)
        seen.append(remembered())

    made = house.journal.prepare(house.drafts(3))
    house.database.write(work)
    house.seal()
    seen.append(remembered())

    assert seen == [2, 5]


def test_a_second_node_follows_the_checkpoints_it_sees(house: House, tmp_path: Path) -> None:
    state_dir = tmp_path / "second-node"
    state_dir.mkdir()
    second = house.reopen(state_dir)
    house.append(10)

    second.keep_memory()

    remembered = read_memory(state_dir / MEMORY_FILE)
    assert remembered is not None
    assert remembered.size == 12
    second.close()


def test_an_edited_tree_gets_no_signature(house: House, administrator: Administrator) -> None:
    house.append(5)
    administrator.run("UPDATE tree_state SET root = :root", root=bytes(32))

    assert refused(lambda: house.append(1)) == Fault.TREE_MISMATCH
    assert refused(house.journal.keep_memory) == Fault.CHECKPOINT_INVALID


def test_leaves_put_into_the_tree_by_hand_get_no_signature(
    house: House, administrator: Administrator
) -> None:
    house.append(5)
    forged = house.journal.prepare([house.draft(99)])[0]
    administrator.run(
        "INSERT INTO journal_entry (id, kind, leaf, leaf_hash, created_at) "
        "VALUES (:id, 'lookup', :leaf, :hash, 1)",
        id=forged.id.hex,
        leaf=forged.leaf,
        hash=forged.leaf_hash,
    )
    administrator.run(
        "INSERT INTO journal_leaf VALUES (7, :id, :hash)", id=forged.id.hex, hash=forged.leaf_hash
    )
    administrator.rebuild()

    assert refused(lambda: house.append(1)) == Fault.CHECKPOINT_INVALID


def test_a_flipped_bit_in_a_tile_is_seen_before_the_next_signature(
    house: House, administrator: Administrator, tmp_path: Path
) -> None:
    house.append(5)
    administrator.run("UPDATE journal_tile SET hashes = :hashes", hashes=bytes(32 * 7))
    state_dir = tmp_path / "fresh"
    state_dir.mkdir()

    assert refused(lambda: house.reopen(state_dir)) == Fault.SIGNER_REFUSES


def test_a_process_with_the_right_edge_in_mind_does_not_cover_up_a_flipped_tile(
    house: House, administrator: Administrator
) -> None:
    house.append(5)
    administrator.run("UPDATE journal_tile SET hashes = :hashes", hashes=bytes(32 * 7))

    assert refused(lambda: house.append(1)) == Fault.TREE_MISMATCH


@pytest.mark.parametrize("live", [True, False])
def test_a_restored_backup_gets_no_signature(
    sqlite_database: Database,
    keys_dir: Path,
    tmp_path: Path,
    clock: FixedClock,
    live: bool,
) -> None:
    path = Path(str(sqlite_database.url.database))
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    journal = Journal.open(sqlite_database, keyring, keys_dir, tmp_path, ORIGIN, clock)
    house = House(journal, sqlite_database, keyring, keys_dir, tmp_path, clock)
    house.append(5)
    with sa.create_engine(sqlite_database.url).connect() as connection:
        connection.exec_driver_sql(f"VACUUM INTO '{tmp_path / 'backup.db'}'")
    house.append(5)

    with sa.create_engine(sqlite_database.url).begin() as connection:
        restore(connection, tmp_path / "backup.db")

    assert path.exists()
    if live:
        assert refused(lambda: house.append(1)) == Fault.SIGNER_REFUSES
    else:
        assert refused(house.reopen) == Fault.SIGNER_REFUSES
    journal.close()


def test_two_processes_append_to_one_sqlite_file(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    keyring = Keyring.load(keys_dir, sqlite_database)
    journal = Journal.open(sqlite_database, keyring, keys_dir, tmp_path, ORIGIN)
    house = House(journal, sqlite_database, keyring, keys_dir, tmp_path, clock)
    command = [
        sys.executable,
        str(Path(__file__).parent / "appending.py"),
        str(sqlite_database.url.database),
        str(keys_dir),
        str(tmp_path),
    ]

    other = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    for number in range(60):
        house.append(2, 10 * number)

    assert other.wait() == 0
    assert house.size() == 2 + 120 + 1 + 120
    assert house.verify().ok
    journal.close()


def test_checkpoints_are_kept_one_a_minute_and_the_latest(house: House) -> None:
    wanted = sa.select(JOURNAL_CHECKPOINT.c.size).order_by(JOURNAL_CHECKPOINT.c.size)
    for _ in range(3):
        house.append(1)
    house.clock.advance(timedelta(minutes=1))
    for _ in range(3):
        house.append(1)
    house.clock.advance(timedelta(minutes=5))
    house.append(1)

    kept = house.database.read(lambda session: session.execute(wanted).scalars().all())

    assert kept == [5, 8, 9]


def test_a_cosigned_checkpoint_is_kept(house: House, administrator: Administrator) -> None:
    wanted = sa.select(JOURNAL_CHECKPOINT.c.size).order_by(JOURNAL_CHECKPOINT.c.size)
    administrator.run("UPDATE journal_checkpoint SET cosignatures = 'a witness'")

    house.append(1)
    house.append(1)

    kept = house.database.read(lambda session: session.execute(wanted).scalars().all())
    assert kept == [2, 4]


def test_leaves_stand_in_the_order_of_their_batch(house: House) -> None:
    wanted = sa.select(JOURNAL_LEAF.c.entry_id).order_by(JOURNAL_LEAF.c.seq).offset(2)

    made = house.append(40)

    found = house.database.read(lambda session: session.execute(wanted).scalars().all())
    assert found == [entry.id for entry in made]


def test_a_memory_that_cannot_be_written_stops_the_next_signature(house: House) -> None:
    descriptor = house.journal._signer._memory._file
    read_only = os.open(house.state_dir / MEMORY_FILE, os.O_RDONLY)
    os.dup2(read_only, descriptor)  # what a file system does that has become read-only
    os.close(read_only)

    house.append(1)

    assert refused(lambda: house.append(1)) == Fault.MEMORY_UNREADABLE
    reborn = house.reopen()
    assert house.size() == 3
    assert house.verify().ok
    reborn.close()


def prove(house: House, entry: Entry) -> Inclusion:
    return house.database.read(lambda session: house.journal.inclusion(session, entry.id))


def place(house: House, entry: Entry) -> int | None:
    return house.database.read(lambda session: house.journal.index_of(session, entry.id))


def refused(work: Callable[[], object]) -> Fault:
    with pytest.raises(JournalFault) as fault:
        work()
    return fault.value.code


def restore(connection: sa.Connection, backup: Path) -> None:
    """Put back every table of the journal as a backup has it."""
    connection.exec_driver_sql(f"ATTACH '{backup}' AS backup")
    triggers = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for name in list(triggers.scalars()):
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    for table in ("entry", "open", "leaf", "tile", "checkpoint"):
        connection.exec_driver_sql(f"DELETE FROM main.journal_{table}")  # noqa: S608 (our own names)
        connection.exec_driver_sql(
            f"INSERT INTO main.journal_{table} SELECT * FROM backup.journal_{table}"  # noqa: S608 (our own names)
        )
    connection.exec_driver_sql("DELETE FROM main.tree_state")
    connection.exec_driver_sql("INSERT INTO main.tree_state SELECT * FROM backup.tree_state")
