import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from core.leadership import Leadership
from journal.entries import Entry
from journal.errors import Fault, JournalFault
from journal.journal import Journal
from journal.rotation import Rotation
from journal.sealer import _WAITING, MOST_A_ROUND, Sealer
from tests.fakes import FixedClock
from tests.journal.conftest import ORIGIN, Administrator, House

_LITERALLY = {"literal_binds": True}


@pytest.fixture
def house(
    postgres_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[House]:
    """A journal on PostgreSQL, where entries wait for the sealer."""
    keyring = Keyring.load(keys_dir, postgres_database, clock)
    journal = Journal.open(postgres_database, keyring, keys_dir, tmp_path, ORIGIN, clock)
    yield House(journal, postgres_database, keyring, keys_dir, tmp_path, clock)
    journal.close()


@pytest.fixture
def administrator(postgres_database: Database) -> Iterator[Administrator]:
    engine = sa.create_engine(postgres_database.url, poolclass=sa.pool.NullPool)
    yield Administrator(engine)
    engine.dispose()


def wait_for(house: House, count: int, start: int = 0) -> list[Entry]:
    """Append entries and leave them waiting."""
    made = house.journal.prepare(house.drafts(count, start))
    house.database.write(lambda session: house.journal.append(session, made))
    return made


def fault_of(house: House, journal: Journal | None = None) -> Fault:
    with pytest.raises(JournalFault) as fault:
        (journal or house.journal).seal_once()
    return fault.value.code


@pytest.mark.parametrize("how", ["prepare", "write"])
def test_an_announcement_that_a_failover_lost_is_made_again(
    house: House, administrator: Administrator, how: str
) -> None:
    """A standby that has not got the last commits yet becomes the server."""
    house.seal()
    size = house.size()
    fresh = house.reopen()
    fresh.prepare([house.draft()])
    waiting = [row.entry_id for row in administrator.rows("SELECT entry_id FROM journal_pending")]
    for table, column in (("pending", "entry_id"), ("open", "entry_id"), ("entry", "id")):
        administrator.run(f"DELETE FROM journal_{table} WHERE {column} = :id", id=waiting[0])  # noqa: S608 (our own words)

    if how == "prepare":
        made = fresh.prepare(house.drafts(2))
        house.database.write(lambda session: fresh.append(session, made))
    else:
        house.database.write(lambda session: fresh.write(session, house.drafts(2)))

    assert len(waiting) == 1
    assert fresh.seal_once() == 3
    assert house.size() == size + 3
    assert house.verify().ok
    fresh.close()


def test_entries_wait_until_they_are_sealed(house: House) -> None:
    made = wait_for(house, 3)
    assert house.database.read(house.journal.oldest_unsealed) == house.clock.now()
    assert house.database.read(lambda s: house.journal.index_of(s, made[0].id)) is None

    sealed = house.journal.seal_once()

    assert sealed == 3
    assert house.database.read(house.journal.oldest_unsealed) is None
    assert house.database.read(lambda s: house.journal.index_of(s, made[0].id)) == 2
    assert house.journal.seal_once() == 0


def test_a_backlog_is_sealed_in_rounds(house: House) -> None:
    wait_for(house, MOST_A_ROUND + 5)

    rounds = [house.journal.seal_once() for _ in range(3)]

    assert rounds == [MOST_A_ROUND, 5, 0]
    assert house.verify().ok


def test_a_transaction_that_commits_late_is_sealed_late(house: House) -> None:
    early, late = house.journal.prepare(house.drafts(2))
    written, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        def work(session: sa.orm.Session) -> None:
            house.journal.append(session, [early])
            written.set()
            go_on.wait(10)

        house.database.write(work)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    written.wait(10)
    house.database.write(lambda session: house.journal.append(session, [late]))
    first = house.journal.seal_once()
    go_on.set()
    writer.join()
    second = house.journal.seal_once()

    assert (first, second) == (1, 1)
    assert house.verify().ok


def test_what_another_process_wrote_is_checked_and_sealed(house: House, tmp_path: Path) -> None:
    state_dir = tmp_path / "leader"
    state_dir.mkdir()
    leader = house.reopen(state_dir)
    wait_for(house, 5)

    assert leader.seal_once() == 5
    assert house.verify().ok
    leader.close()


def test_two_sealers_at_once_make_one_tree(house: House, tmp_path: Path) -> None:
    state_dir = tmp_path / "other"
    state_dir.mkdir()
    other = house.reopen(state_dir)
    stop = threading.Event()
    faults: list[JournalFault] = []
    threads = [
        threading.Thread(target=seal_until, args=(journal, stop, faults))
        for journal in (house.journal, other)
    ]

    for thread in threads:
        thread.start()
    for number in range(40):
        wait_for(house, 3, 10 * number)
    stop.set()
    for thread in threads:
        thread.join()
    house.seal()

    assert not faults
    assert house.size() == 2 + 120
    assert house.verify().ok
    other.close()


def seal_until(journal: Journal, stop: threading.Event, faults: list[JournalFault]) -> None:
    while not stop.is_set():
        try:
            journal.seal_once()
        except JournalFault as fault:
            faults.append(fault)


def test_a_sealer_that_finds_another_at_it_does_nothing(house: House) -> None:
    wait_for(house, 1)
    engine = sa.create_engine(house.database.url, poolclass=sa.pool.NullPool)

    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM tree_state FOR UPDATE")
        while_other = house.journal.seal_once()
    engine.dispose()

    assert while_other == 0
    assert house.journal.seal_once() == 1


def test_a_row_forged_into_pending_stops_the_sealer(
    house: House, administrator: Administrator, tmp_path: Path
) -> None:
    made = wait_for(house, 1)[0]
    administrator.run(
        "UPDATE journal_entry SET leaf = :leaf, leaf_hash = sha256(:prefix || :leaf)",
        leaf=made.leaf.replace(b'"lookup"', b'"admin" '),
        prefix=b"\x00",
    )

    assert fault_of(house) == Fault.ENTRY_FORGED
    assert house.size() == 2


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM journal_entry WHERE kind = 'lookup'",
        "UPDATE journal_entry SET kind = 'admin' WHERE kind = 'lookup'",
        "UPDATE journal_entry SET leaf_hash = sha256(leaf) WHERE kind = 'lookup'",
        "UPDATE journal_entry SET leaf = substr(leaf, 2) WHERE kind = 'lookup'",
        "UPDATE journal_entry SET leaf = '' WHERE kind = 'lookup'",
    ],
)
def test_a_changed_row_that_waits_stops_the_sealer(
    house: House, administrator: Administrator, tmp_path: Path, change: str
) -> None:
    wait_for(house, 1)
    state_dir = tmp_path / "leader"
    state_dir.mkdir()
    leader = house.reopen(state_dir)
    administrator.run(change)

    assert fault_of(house, leader) == Fault.ENTRY_FORGED
    assert house.size() == 2
    leader.close()


def test_a_genuine_leaf_that_waits_again_stops_the_sealer(
    house: House, administrator: Administrator
) -> None:
    made = house.append(3)[1]
    administrator.run("INSERT INTO journal_pending VALUES (:id)", id=made.id)

    assert fault_of(house) == Fault.ENTRY_REPLAYED


def test_a_pending_row_deleted_before_sealing_keeps_its_answer_from_going_out(
    house: House, administrator: Administrator
) -> None:
    made = wait_for(house, 1)[0]

    administrator.run("DELETE FROM journal_pending")
    house.seal()

    assert house.database.read(lambda s: house.journal.index_of(s, made.id)) is None
    assert set(house.verify().counts) == {"entry-outside"}


def test_a_key_that_the_log_did_not_sign_for_is_announced_in_vain(
    house: House, administrator: Administrator, tmp_path: Path
) -> None:
    key = house.database.read(
        lambda s: s.execute(sa.text("SELECT leaf FROM journal_entry WHERE kind = 'key' LIMIT 1"))
    ).scalar_one()
    state_dir = tmp_path / "leader"
    state_dir.mkdir()
    made = wait_for(house, 1)[0]
    administrator.run(
        "UPDATE journal_entry SET kind = 'key', leaf = :leaf, leaf_hash = sha256(:p || :leaf) "
        "WHERE id = :id",
        leaf=key.replace(b'"ke":"', b'"ke":"0')[:-1],
        p=b"\x00",
        id=made.id,
    )

    leader = house.reopen(state_dir)
    assert fault_of(house, leader) == Fault.ENTRY_FORGED
    leader.close()


def test_one_of_two_leads_and_the_other_takes_over(house: House) -> None:
    one, other = (
        Leadership(house.database.url, "sealing"),
        Leadership(house.database.url, "sealing"),
    )

    assert (one.held(), other.held(), one.held()) == (True, False, True)
    one.resign()
    assert (other.held(), one.held()) == (True, False)
    other.resign()


def test_a_lost_connection_is_noticed_and_leads_no_more(
    house: House, administrator: Administrator
) -> None:
    seconds = iter([0.0, 5.0, 6.0])
    leadership = Leadership(house.database.url, "sealing", lambda: next(seconds))
    assert leadership.held()
    administrator.run(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory'"
    )

    with pytest.raises(UnavailableError):
        leadership.held()

    assert leadership.held()
    leadership.resign()


def test_the_sealers_thread_seals_what_comes_and_what_came_before_its_stop(house: House) -> None:
    sealer, stop = house.journal.sealer(), threading.Event()
    sealed: list[int] = []
    came = threading.Event()

    def on_sealed(count: int) -> None:
        sealed.append(count)
        came.set()

    thread = threading.Thread(
        target=sealer.run, args=(stop,), kwargs={"on_sealed": on_sealed, "on_fault": raised}
    )
    thread.start()
    wait_for(house, 4)
    sealer.wake()
    assert came.wait(10)
    wait_for(house, 3, 10)
    stop.set()
    sealer.wake()
    thread.join(10)

    assert sum(sealed) == 7
    assert house.size() == 2 + 7


def test_the_sealers_thread_tells_of_a_fault_and_goes_on(
    house: House, administrator: Administrator
) -> None:
    sealer, stop = house.journal.sealer(), threading.Event()
    faults: list[Fault] = []
    made = wait_for(house, 1)[0]
    administrator.run("UPDATE journal_entry SET leaf = '' WHERE id = :id", id=made.id)

    def on_fault(fault: JournalFault) -> None:
        faults.append(fault.code)
        administrator.run("DELETE FROM journal_pending")
        stop.set()

    sealer.run(stop, on_sealed=lambda _: None, on_fault=on_fault)

    assert faults == [Fault.ENTRY_FORGED]
    assert house.size() == 2


def test_a_sealer_without_a_database_waits_for_it(house: House) -> None:
    stop = threading.Event()
    rounds: list[int] = []

    def gone() -> int:
        rounds.append(1)
        stop.set()
        raise UnavailableError("the database cannot be reached")

    sealer = Sealer(gone, Leadership(house.database.url, "sealing"))
    sealer.wake()
    sealer.run(stop, on_sealed=lambda _: None, on_fault=raised)

    assert len(rounds) == 2


def raised(fault: JournalFault) -> None:
    raise fault


def test_a_journal_that_is_written_to_is_read_followed_and_verified(
    house: House, tmp_path: Path
) -> None:
    state_dir = tmp_path / "reader"
    state_dir.mkdir()
    reader, stop = house.reopen(state_dir), threading.Event()
    faults: list[JournalFault] = []

    def write() -> None:
        number = 0
        while not stop.is_set():
            wait_for(house, 2, number % 1000)
            house.journal.seal_once()
            number += 2

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(20):
        try:
            reader.keep_memory()
            house.database.read(reader.head)
        except JournalFault as fault:
            faults.append(fault)
    reports = [house.verify() for _ in range(5)]
    stop.set()
    writer.join()

    assert not faults
    assert [report.counts for report in reports] == [{}] * 5
    reader.close()


def test_a_sealer_without_the_logs_newest_key_leaves_the_lead(house: House, tmp_path: Path) -> None:
    other_keys, state_dir = tmp_path / "other-keys", tmp_path / "other"
    shutil.copytree(house.keys_dir, other_keys)
    state_dir.mkdir()
    other = Journal.open(house.database, house.keyring, other_keys, state_dir, ORIGIN, house.clock)
    Rotation(house.database, house.journal, house.clock).rotate(timedelta(days=1), by="console:an")
    wait_for(house, 1)

    waits = other.sealer()._round(lambda _: None, raised)
    takes_over = house.journal.sealer()._round(lambda _: None, raised)

    assert waits > 1 > takes_over
    assert house.database.read(house.journal.oldest_unsealed) is None
    other.close()


def test_a_round_reads_what_waits_and_not_the_journal(
    house: House, administrator: Administrator
) -> None:
    house.append(300)
    with administrator.engine.connect().execution_options(
        isolation_level="AUTOCOMMIT"
    ) as connection:
        connection.exec_driver_sql("ANALYZE")
        # As after hours of work: pages that were full, and nobody knows how full they are.
        connection.exec_driver_sql(
            "UPDATE pg_class SET reltuples = 1000000, relpages = 1 "
            "WHERE relname = 'journal_pending'"
        )
        said = str(_WAITING.compile(dialect=connection.dialect, compile_kwargs=_LITERALLY))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {said}").scalars())

    assert "pk_journal_entry" in plan
    assert "Hash" not in plan
    assert "Merge" not in plan
