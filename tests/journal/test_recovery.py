"""A restored backup: the signer refuses, and what is left to do does what it says."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from journal import note, openings
from journal.entries import Entry
from journal.errors import Fault, JournalFault, RecoveryError
from journal.journal import MEMORY_FILE
from journal.mirror import FOLDER, Mirror
from journal.recovery import Grounds, Recovery, name_after
from journal.rotation import Rotation
from journal.stored import StoredTree
from journal.tables import JOURNAL_ENTRY, JOURNAL_OPEN
from journal.verifier_log import read_memory
from tests.journal.conftest import ORIGIN, Administrator, House
from tests.journal.test_rotation import verified_alone
from tests.restoring import backup, restore

GROUNDS = Grounds("console:an", ("Tran Thi B", "Le Van C"), "disk 2 failed")


def mirrored(house: House) -> None:
    Mirror(house.database, house.state_dir, house.clock).catch_up()


def recovery(house: House, state_dir: Path | None = None) -> Recovery:
    return Recovery(
        house.database, house.keyring, house.keys_dir, state_dir or house.state_dir, house.clock
    )


def nothing(_session: Session) -> None:
    """Stand in for the fence, which is of another package."""


def refused(work: Callable[[], object]) -> Fault:
    with pytest.raises(JournalFault) as fault:
        work()
    return fault.value.code


def go_on(house: House, count: int, start: int) -> list[Entry]:
    """Write as a process does that has started since."""
    with closing(house.reopen()) as journal:
        made = journal.prepare(house.drafts(count, start))
        house.database.write(lambda session: journal.append(session, made))
        if house.database.dialect == "postgresql":
            while journal.seal_once():
                pass
    return made


@pytest.fixture
def lost(house: House, administrator: Administrator) -> list[Entry]:
    """A journal restored to before these entries, of which the mirror and the memory know."""
    house.append(250)
    kept = backup(administrator)
    made = [*house.append(40, 1000), *house.append(300, 2000)]
    mirrored(house)
    restore(administrator, kept)
    return made


def test_a_restored_database_gets_no_signature_on_any_machine(
    house: House, administrator: Administrator, tmp_path: Path
) -> None:
    other_state = tmp_path / "other"
    other_state.mkdir()
    other = house.reopen(other_state)
    house.append(5)
    kept = backup(administrator)
    house.append(5, 10)
    other.keep_memory()

    restore(administrator, kept)

    assert refused(lambda: house.append(1, 20)) == Fault.SIGNER_REFUSES
    assert refused(other.keep_memory) == Fault.SIGNER_REFUSES
    assert refused(house.reopen) == Fault.SIGNER_REFUSES
    assert refused(lambda: house.reopen(other_state)) == Fault.SIGNER_REFUSES
    other.close()


def test_the_tail_comes_back_from_the_mirror_leaf_by_leaf(house: House, lost: list[Entry]) -> None:
    found = recovery(house).look(house.state_dir / FOLDER)
    assert (found.head.size, found.best.size, found.is_whole) == (252, 592, True)

    head = recovery(house).replay(found, GROUNDS, nothing)

    wanted = sa.select(JOURNAL_ENTRY.c.leaf).where(JOURNAL_ENTRY.c.id.in_([e.id for e in lost]))
    back = house.database.read(lambda s: set(s.execute(wanted).scalars()))
    assert back == {entry.leaf for entry in lost}
    assert head.size == 592
    go_on(house, 3, 5000)
    report = house.verify()
    assert (report.ok, report.incomplete) == (True, [])
    assert report.notes == ["680 openings were lost, and entries say why"]
    mirrored(house)


def test_what_is_replayed_is_exactly_what_was_signed(house: House, lost: list[Entry]) -> None:
    found = recovery(house).look(house.state_dir / FOLDER)
    assert found.tail is not None
    assert found.tail.head == found.remembered
    bundle = house.state_dir / FOLDER / "tile" / "entries" / "001"
    content = bundle.read_bytes()
    bundle.write_bytes(content.replace(b'"r":"lookup"', b'"r":"lookuq"', 1))

    with pytest.raises(RecoveryError, match="another history, or damaged"):
        recovery(house).look(house.state_dir / FOLDER)
    with pytest.raises(RecoveryError, match="has changed meanwhile"):
        recovery(house).replay(found, GROUNDS, nothing)

    assert house.database.read(lambda s: StoredTree(s).head()) == found.head


def test_a_fence_that_fails_leaves_everything_as_it_was(house: House, lost: list[Entry]) -> None:
    found = recovery(house).look(house.state_dir / FOLDER)

    def broken(_session: Session) -> None:
        raise RecoveryError("no")

    with pytest.raises(RecoveryError):
        recovery(house).replay(found, GROUNDS, broken)

    assert house.database.read(lambda s: StoredTree(s).head()) == found.head
    assert refused(house.reopen) == Fault.SIGNER_REFUSES
    recovery(house).replay(found, GROUNDS, nothing)
    assert house.verify().ok


def test_a_mirror_that_ends_too_early_replays_nothing(
    house: House, administrator: Administrator
) -> None:
    house.append(5)
    kept = backup(administrator)
    house.append(5, 10)
    mirrored(house)
    house.append(5, 20)
    restore(administrator, kept)
    found = recovery(house).look(house.state_dir / FOLDER)

    with pytest.raises(RecoveryError, match=r"17 leaves are remembered, and .* ends at 12"):
        recovery(house).replay(found, GROUNDS, nothing)

    assert refused(house.reopen) == Fault.SIGNER_REFUSES


def test_a_change_of_the_log_key_in_the_tail_comes_back_too(
    house: House, administrator: Administrator
) -> None:
    house.append(5)
    kept = backup(administrator)
    rotation = Rotation(house.database, house.journal, house.clock)
    rotation.rotate(by="console:an", overlap=house.clock.now() - house.clock.now())
    rotation.look_after()
    house.append(5, 10)
    mirrored(house)
    restore(administrator, kept)
    assert {path.name for path in house.keys_dir.glob("log*")} == {"log-2.key"}

    found = recovery(house).look(house.state_dir / FOLDER)
    recovery(house).replay(found, GROUNDS, nothing)

    go_on(house, 2, 50)
    assert house.verify().ok


def test_entries_that_waited_in_the_backup_keep_what_they_open_to(
    house: House, administrator: Administrator
) -> None:
    made = house.journal.prepare(house.drafts(3))
    house.database.write(lambda session: house.journal.append(session, made))
    kept = backup(administrator)
    house.seal()
    house.append(2, 10)
    mirrored(house)
    restore(administrator, kept)

    found = recovery(house).look(house.state_dir / FOLDER)
    recovery(house).replay(found, GROUNDS, nothing)

    go_on(house, 1, 50)
    report = house.verify()
    assert report.ok
    assert administrator.rows("SELECT count(*) AS n FROM journal_pending")[0].n == 0
    assert report.notes == ["4 openings were lost, and entries say why"]


def test_a_new_log_goes_on_over_what_is_left_and_says_what_is_lost(
    house: House, administrator: Administrator
) -> None:
    house.append(250)
    kept = backup(administrator)
    house.append(40, 1000)
    mirrored(house)
    house.append(7, 2000)
    known = read_memory(house.state_dir / MEMORY_FILE)
    restore(administrator, kept)
    found = recovery(house).look(house.state_dir / FOLDER)

    name = recovery(house).begin_anew(found, GROUNDS, nothing)

    assert name == f"{ORIGIN}/2"
    with closing(house.reopen()) as journal:
        head = house.database.read(journal.head)
        assert journal.origin == name
        assert note.Verifier.parse(journal.verifier_key).name == name
        assert head.checkpoint.startswith(f"{name}\n{292 + 3}\n")
    go_on(house, 3, 5000)
    report = house.verify()
    assert (report.ok, report.incomplete) == (True, [])
    assert read_memory(house.state_dir / f"{MEMORY_FILE}-1") == known
    assert (house.state_dir / f"{FOLDER}-1" / "checkpoint").read_text().startswith(f"{ORIGIN}\n")
    mirrored(house)
    with closing(house.reopen()) as journal:
        for key in (ORIGIN, name):
            verifier = note.Verifier(key, note.Verifier.parse(journal.verifier_key).public)
            done = verified_alone(house.state_dir / FOLDER, str(verifier))
            assert done.returncode in {0, 3}, done.stdout
    assert told_of_the_old_log(house) == (299, known.root.hex() if known else "")


def told_of_the_old_log(house: House) -> tuple[int, str]:
    """Open the entry that names the log anew."""
    wanted = (
        sa.select(JOURNAL_ENTRY, JOURNAL_OPEN)
        .join(JOURNAL_OPEN, JOURNAL_OPEN.c.entry_id == JOURNAL_ENTRY.c.id)
        .where(JOURNAL_ENTRY.c.kind == "key")
    )
    rows = house.database.read(lambda s: s.execute(wanted).all())
    (row,) = (row for row in rows if b'"kn":"' in row.leaf)
    act = openings.act(house.keyring, row.id, row.act_key_id, row.enc_act)
    assert act is not None
    assert act.payload["approved_by"] == ["Tran Thi B", "Le Van C"]
    return act.payload["former_size"], act.payload["former_root"]


def test_another_machine_follows_a_new_log_only_when_it_is_told_to(
    house: House, administrator: Administrator, tmp_path: Path
) -> None:
    other_state = tmp_path / "other"
    other_state.mkdir()
    house.append(5)
    kept = backup(administrator)
    house.append(5, 10)
    house.reopen(other_state).close()
    restore(administrator, kept)
    found = recovery(house).look(None)
    name = recovery(house).begin_anew(found, GROUNDS, nothing)

    assert refused(lambda: house.reopen(other_state)) == Fault.SIGNER_REFUSES
    assert recovery(house, other_state).is_left_behind()
    (aside,) = recovery(house, other_state).adopt()

    assert aside == str(other_state / f"{MEMORY_FILE}-1")
    with closing(house.reopen(other_state)) as followed:
        assert followed.origin == name
    with pytest.raises(RecoveryError, match="remembers no log"):
        recovery(house, other_state).adopt()
    with pytest.raises(RecoveryError, match="remembers no log"):
        recovery(house).adopt()


def test_a_log_may_be_begun_anew_more_than_once(house: House, administrator: Administrator) -> None:
    for number in (1, 2):
        go_on(house, 3, 100 * number)
        kept = backup(administrator)
        go_on(house, 3, 100 * number + 10)
        restore(administrator, kept)
        recovery(house).begin_anew(recovery(house).look(None), GROUNDS, nothing)

    with closing(house.reopen()) as journal:
        assert journal.origin == f"{ORIGIN}/3"
    assert house.verify().ok
    assert refused(lambda: house.append(1, 900)) == Fault.SIGNER_REFUSES


def test_no_new_log_is_begun_where_nothing_is_missing(house: House) -> None:
    house.append(5)
    mirrored(house)
    found = recovery(house).look(house.state_dir / FOLDER)

    with pytest.raises(RecoveryError, match="no new log is due"):
        recovery(house).begin_anew(found, GROUNDS, nothing)
    with pytest.raises(RecoveryError, match="nothing to replay"):
        recovery(house).replay(found, GROUNDS, nothing)


def test_a_restored_database_that_was_written_to_leaves_only_a_new_log(
    house: House, administrator: Administrator, tmp_path: Path
) -> None:
    """A machine without memory signed over the backup: two histories, and one of them is known."""
    house.append(5)
    kept = backup(administrator)
    house.append(5, 10)
    mirrored(house)
    restore(administrator, kept)
    careless = tmp_path / "careless"
    careless.mkdir()
    with closing(house.reopen(careless)) as journal:
        made = journal.prepare(house.drafts(9, 20))
        house.database.write(lambda session: journal.append(session, made))
        if house.database.dialect == "postgresql":
            journal.seal_once()

    found = recovery(house).look(house.state_dir / FOLDER)

    assert (found.forked, found.tail) == (True, None)
    with pytest.raises(RecoveryError, match="two histories were written"):
        recovery(house).replay(found, GROUNDS, nothing)
    assert recovery(house).begin_anew(found, GROUNDS, nothing) == f"{ORIGIN}/2"
    assert house.verify().ok


def test_a_mirror_of_another_log_replays_nothing(
    house: House, lost: list[Entry], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(house.state_dir / FOLDER, elsewhere)
    checkpoint = elsewhere / "checkpoint"
    text = checkpoint.read_text()

    checkpoint.write_text(text.replace(ORIGIN, "tradan/another.example"))
    with pytest.raises(RecoveryError, match="is not this log's"):
        recovery(house).look(elsewhere)
    checkpoint.write_text("nothing\n")
    with pytest.raises(RecoveryError, match="no checkpoint"):
        recovery(house).look(elsewhere)
    checkpoint.unlink()
    with pytest.raises(RecoveryError, match="cannot be read"):
        recovery(house).look(elsewhere)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tradan/sms.example.vn", "tradan/sms.example.vn/2"),
        ("tradan/sms.example.vn/2", "tradan/sms.example.vn/3"),
        ("tradan/10", "tradan/10/2"),
        ("tradan/10/9", "tradan/10/10"),
    ],
)
def test_the_name_of_a_new_log_counts_on(before: str, after: str) -> None:
    assert name_after(before) == after


def test_a_name_that_no_leaf_can_tell_is_refused() -> None:
    with pytest.raises(RecoveryError):
        name_after("tradan/sms.chính-phủ.vn")
