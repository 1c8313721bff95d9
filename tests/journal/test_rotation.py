"""The log's keys follow one another: who signs when, who goes by what, and what is refused."""

import shutil
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core import keys
from core.errors import KeysError, UnavailableError
from journal import log_keys, note
from journal.author import key_draft
from journal.entries import Draft, Entry
from journal.errors import Fault, JournalFault, KeyChangeError
from journal.journal import Journal
from journal.log_keys import LogKeys
from journal.rotation import Rotation
from journal.sinks import DirectorySink
from journal.verifier import verify
from tests.journal.conftest import ORIGIN, Administrator, House
from tests.journal.exporting import run

OVERLAP = timedelta(days=30)


def rotation(house: House, journal: Journal | None = None) -> Rotation:
    return Rotation(house.database, journal or house.journal, house.clock)


def signers(house: House) -> list[bytes]:
    """Return the keys that the newest checkpoint bears lines of."""
    head = house.database.read(house.journal.head)
    found = house.database.read(house.journal.log_keys)
    _, lines = note.split(head.checkpoint)
    by_id = {key.key_id: key.public for key in found.ever}
    for key in found.verifiers:
        note.open_note(head.checkpoint, key)
    return [by_id[line.key_id] for line in lines]


def publics(keys_dir: Path) -> list[bytes]:
    return [log_keys.public_of(seed) for seed in keys.load_logs(keys_dir).values()]


def found_with(house: House, *given: bytes) -> set[str]:
    """Verify as somebody does who was given these keys."""
    return set(verify(house.database.read, given, now=house.clock.now()).counts)


def elsewhere(house: House, tmp_path: Path, name: str) -> tuple[Journal, Path]:
    """Open the journal on another machine, with a copy of the keys as they are now."""
    keys_dir, state_dir = tmp_path / f"{name}-keys", tmp_path / f"{name}-state"
    shutil.copytree(house.keys_dir, keys_dir)
    state_dir.mkdir()
    journal = Journal.open(house.database, house.keyring, keys_dir, state_dir, ORIGIN, house.clock)
    return journal, keys_dir


def write(house: House, journal: Journal, count: int, start: int) -> list[Entry]:
    made = journal.prepare(house.drafts(count, start))
    house.database.write(lambda session: journal.append(session, made))
    return made


def sealed_by(house: House, journal: Journal, start: int) -> None:
    write(house, journal, 2, start)
    if house.database.dialect == "postgresql":
        assert journal.seal_once() >= 2


def test_from_its_entry_on_both_keys_sign(house: House) -> None:
    house.append(3)
    (old,) = signers(house)

    rotation(house).rotate(OVERLAP, by="console:an")
    at_once = signers(house)
    house.append(3, 10)

    _, new = publics(house.keys_dir)
    assert at_once == signers(house) == [old, new]
    assert (house.keys_dir / "log-2.key").stat().st_mode & 0o777 == 0o400
    assert house.verify().ok


def test_whoever_has_either_key_can_check_the_whole_history(house: House) -> None:
    house.append(3)
    house.clock.advance(timedelta(minutes=5))
    rotation(house).rotate(OVERLAP, by="console:an")
    house.clock.advance(timedelta(minutes=5))
    house.append(3, 10)
    old, new = publics(house.keys_dir)
    rotation(house).retire(by="console:an", reason="copied", early=True)
    house.append(3, 20)

    assert found_with(house, old) == found_with(house, new) == set()
    assert "log-key" in found_with(house, log_keys.public_of(bytes(32)))
    assert publics(house.keys_dir) == signers(house) == [new]
    assert house.verify().ok


def test_a_running_process_takes_the_new_key_up_by_itself(house: House, tmp_path: Path) -> None:
    other, other_keys = elsewhere(house, tmp_path, "other")
    sealed_by(house, other, 0)
    second = rotation(house).prepare()
    shutil.copy(house.keys_dir / "log-2.key", other_keys)

    rotation(house).rotate(OVERLAP, by="console:an")
    sealed_by(house, other, 10)

    assert signers(house)[-1] == second.public
    assert len(signers(house)) == 2
    rotation(house, other).retire(by="console:an", reason="over", early=True)
    sealed_by(house, house.journal, 20)
    assert signers(house) == [second.public]
    assert house.verify().ok
    other.close()


def test_a_machine_without_the_key_does_not_seal_until_it_is_given(
    house: House, tmp_path: Path
) -> None:
    other, other_keys = elsewhere(house, tmp_path, "other")
    sealed_by(house, other, 0)
    rotation(house).rotate(OVERLAP, by="console:an")

    with pytest.raises(JournalFault) as fault:
        sealed_by(house, other, 10)
    other.keep_memory()

    assert fault.value.code == Fault.KEY_MISSING
    assert not house.database.read(other.holds_newest_key)
    shutil.copy(house.keys_dir / "log-2.key", other_keys)
    assert house.database.read(other.holds_newest_key)
    sealed_by(house, other, 20)
    assert house.verify().ok
    other.close()


def test_a_process_that_starts_without_the_key_says_so(house: House, tmp_path: Path) -> None:
    late, late_keys = elsewhere(house, tmp_path, "late")
    rotation(house).rotate(OVERLAP, by="console:an")

    with pytest.raises(UnavailableError, match="lacks the log's newest key"):
        late.prepare(house.drafts(1))
    with pytest.raises(KeysError, match="lacks the log's newest key"):
        Journal.open(
            house.database, house.keyring, late_keys, tmp_path / "late-state", ORIGIN, house.clock
        )
    late.close()


def test_the_old_key_is_retired_in_time_and_destroyed_on_every_machine(
    house: House, tmp_path: Path
) -> None:
    other, other_keys = elsewhere(house, tmp_path, "other")
    seed = (house.keys_dir / "log.key").read_bytes()
    rotation(house).rotate(OVERLAP, by="console:an")
    shutil.copy(house.keys_dir / "log-2.key", other_keys)
    with pytest.raises(KeyChangeError, match="is to sign until"):
        rotation(house).retire(by="console:an", reason="over")
    rotation(house).look_after()
    assert len(publics(house.keys_dir)) == 2

    house.clock.advance(OVERLAP)
    size = house.size()
    rotation(house).look_after()
    rotation(house).look_after()
    rotation(house, other).look_after()

    assert house.size() == size + 1
    assert {path.name for path in house.keys_dir.glob("log*")} == {"log-2.key"}
    assert {path.name for path in other_keys.glob("log*")} == {"log-2.key"}
    assert keys.create(house.keys_dir) == []
    assert log_keys.public_of(seed) not in signers(house)
    sealed_by(house, other, 10)
    with closing(house.reopen()) as reborn:
        sealed_by(house, reborn, 20)
    assert house.verify().ok
    other.close()


def test_a_second_rotation_waits_for_the_first(house: House) -> None:
    rotation(house).rotate(OVERLAP, by="console:an")

    with pytest.raises(KeyChangeError, match="two keys of the log sign already"):
        rotation(house).rotate(OVERLAP, by="console:an")
    rotation(house).retire(by="console:an", reason="over", early=True)
    with pytest.raises(KeyChangeError, match="it is the newest"):
        rotation(house).retire(by="console:an", reason="over", early=True)
    rotation(house).rotate(OVERLAP, by="console:an")

    assert {path.name for path in house.keys_dir.glob("log*")} == {"log-2.key", "log-3.key"}
    assert house.verify().ok


def test_a_rotation_that_does_not_commit_changes_nothing(house: House) -> None:
    house.append(2)
    second = rotation(house).prepare()

    def broken_off(session: Session) -> None:
        house.journal.change(session, lambda found: [announced(house, found, second.public)])
        raise UnavailableError("the commit was broken off")

    with pytest.raises(UnavailableError):
        house.database.write(broken_off)
    house.append(2, 10)

    assert len(signers(house)) == 1
    assert rotation(house).prepare() == second
    assert house.verify().ok


def announced(house: House, found: LogKeys, public: bytes) -> Draft:
    seed = house.journal.held.signing_seed(found)
    told = log_keys.announce_next(ORIGIN, seed, public, house.clock.now())
    return key_draft("log", public, told)


def test_a_change_of_keys_that_waits_is_forged(house: House, administrator: Administrator) -> None:
    """Even one that a key in force signed for: it is never left to the sealer."""
    if house.database.dialect == "sqlite":
        return  # nothing waits there
    found = house.database.read(house.journal.log_keys)
    made = house.journal.prepare([announced(house, found, bytes(32))])
    house.database.write(lambda session: house.journal.append(session, made))

    with pytest.raises(JournalFault) as fault:
        house.journal.seal_once()

    assert fault.value.code == Fault.ENTRY_FORGED


def test_a_checkpoint_that_only_the_older_key_signed_is_found(
    house: House, administrator: Administrator
) -> None:
    old = note.Signer(ORIGIN, keys.load_logs(house.keys_dir)[1])
    rotation(house).rotate(OVERLAP, by="console:an")
    house.append(2)
    administrator.rebuild(old)

    assert set(house.verify().counts) == {"checkpoint-invalid"}
    with pytest.raises(JournalFault):
        house.reopen()


def test_a_log_key_that_the_one_before_did_not_sign_for_is_found(
    house: House, administrator: Administrator
) -> None:
    rotation(house).rotate(OVERLAP, by="console:an")
    leaf = administrator.rows("SELECT id, leaf FROM journal_entry ORDER BY id DESC LIMIT 1")[0]
    thief = log_keys.public_of(bytes(32)).hex().encode()
    place = leaf.leaf.index(b'"kl":"') + 6
    administrator.run(
        "UPDATE journal_entry SET leaf = :leaf WHERE id = :id",
        leaf=leaf.leaf[:place] + thief + leaf.leaf[place + 64 :],
        id=leaf.id,
    )
    administrator.rebuild(note.Signer(ORIGIN, bytes(32)))

    assert set(house.verify().counts) >= {"checkpoint-invalid", "writer-signature"}


def test_a_retired_key_lets_nobody_write(house: House) -> None:
    rotation(house).rotate(OVERLAP, by="console:an")
    old = keys.load_logs(house.keys_dir)[1]
    rotation(house).retire(by="console:an", reason="copied", early=True)
    found = house.database.read(house.journal.log_keys)
    writer = log_keys.public_of(b"w" * 32)

    told = log_keys.announce_writer(ORIGIN, old, writer)
    new = log_keys.announce_writer(ORIGIN, house.journal.held.signing_seed(found), writer)

    assert not found.endorses(writer, bytes.fromhex(told.endorsement or ""))
    assert found.endorsed(writer, bytes.fromhex(told.endorsement or ""))
    assert found.endorses(writer, bytes.fromhex(new.endorsement or ""))


def test_an_export_verifies_by_either_key_with_one_file_of_python(
    house: House, tmp_path: Path
) -> None:
    house.append(3)
    old = house.journal.verifier_key
    rotation(house).rotate(OVERLAP, by="console:an")
    house.append(300, 10)
    rotation(house).retire(by="console:an", reason="copied", early=True)
    house.append(2, 500)
    run(house, DirectorySink(tmp_path / "export"))

    for key in (old, house.journal.verifier_key):
        done = verified_alone(tmp_path / "export", key)
        assert done.returncode == 0, done.stdout + done.stderr
    stranger = note.Signer(ORIGIN, bytes(32)).verifier
    assert verified_alone(tmp_path / "export", str(stranger)).returncode == 1


def verified_alone(export: Path, key: str) -> subprocess.CompletedProcess[str]:
    program = Path(__file__).parents[2] / "verify_journal.py"
    command = [sys.executable, str(program), str(export), "--key", key]
    return subprocess.run(command, check=False, capture_output=True, text=True)
