"""The mirror holds the whole log, follows it, and never follows another."""

import fcntl
import os
from datetime import timedelta
from io import StringIO

import pytest

from core import keys
from journal.errors import MirrorError
from journal.mirror import Mirror
from journal.note import Signer, Verifier
from tests.journal.conftest import ORIGIN, Administrator, House
from tests.journal.independent import expected_paths, read_whole, reader


@pytest.fixture
def mirror(house: House) -> Mirror:
    return Mirror(house.database, house.state_dir, house.clock)


def files(house: House) -> set[str]:
    folder = house.state_dir / "journal"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def leaves(house: House) -> list[bytes]:
    public = Verifier.parse(house.journal.verifier_key).public
    return read_whole(reader(house.state_dir / "journal"), public)


def test_the_mirror_is_the_whole_log(house: House, mirror: Mirror) -> None:
    made = house.append(600)

    mirror.catch_up()

    assert leaves(house)[2:] == [entry.leaf for entry in made]
    assert files(house) == {"checkpoint", *expected_paths(602)}


def test_the_mirror_follows_and_lets_go_of_what_was_partial(house: House, mirror: Mirror) -> None:
    for start, count in ((0, 1), (1, 100), (101, 153), (254, 1), (255, 400)):
        house.append(count, start)
        mirror.catch_up()
        size = house.size()
        assert len(leaves(house)) == size
        full = {path for path in files(house) if ".p/" not in path}
        assert full == {"checkpoint"} | {path for path in expected_paths(size) if ".p/" not in path}

    assert house.size() == 657
    assert not (house.state_dir / "journal" / "tile" / "0" / "000.p").exists()
    assert not (house.state_dir / "journal" / "tile" / "entries" / "001.p").exists()


def test_nothing_new_touches_nothing(house: House, mirror: Mirror) -> None:
    house.append(3)
    head = mirror.catch_up()
    before = (house.state_dir / "journal" / "checkpoint").stat().st_mtime_ns

    assert mirror.catch_up() == head
    assert (house.state_dir / "journal" / "checkpoint").stat().st_mtime_ns == before


def test_a_mirror_that_was_cut_off_anywhere_is_made_whole(house: House, mirror: Mirror) -> None:
    house.append(200)
    mirror.catch_up()
    house.append(400, 200)
    folder = house.state_dir / "journal"
    (folder / "tile" / "0" / ".001.tmp").write_bytes(b"half a t")
    (folder / "tile" / "0" / "001").write_bytes(b"of a killed process")

    mirror.catch_up()

    assert len(leaves(house)) == 602
    assert not list(folder.rglob("*.tmp"))


def test_cosignatures_that_come_later_are_mirrored(
    house: House, mirror: Mirror, administrator: Administrator
) -> None:
    house.append(1)
    mirror.catch_up()
    administrator.run("UPDATE journal_checkpoint SET cosignatures = :it", it="— w.example AAAA\n")

    mirror.catch_up()

    assert (house.state_dir / "journal" / "checkpoint").read_text().endswith("— w.example AAAA\n")


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM journal_leaf WHERE seq >= 200",
        "UPDATE journal_entry SET leaf = substr(leaf, 1, 64) WHERE kind = 'key'",
    ],
    ids=["restored", "rewritten"],
)
def test_a_database_that_does_not_continue_the_mirror_is_not_followed(
    house: House, mirror: Mirror, administrator: Administrator, change: str
) -> None:
    house.append(300)
    mirror.catch_up()
    folder = house.state_dir / "journal"
    kept = {name: reader(folder)(name) for name in files(house)}
    administrator.run(change)
    administrator.rebuild(Signer(ORIGIN, keys.load(house.keys_dir).logs[1]))

    with pytest.raises(MirrorError):
        mirror.catch_up()

    assert {name: reader(folder)(name) for name in files(house)} == kept


def test_a_mirror_that_is_damaged_is_left_alone(house: House, mirror: Mirror) -> None:
    folder = house.state_dir / "journal"
    folder.mkdir()
    for damaged in (b"\xff", b"tradan/gateway.example\n5\nAAAA\n\n", b"\n\n\n"):
        (folder / "checkpoint").write_bytes(damaged)

        with pytest.raises(MirrorError):
            mirror.catch_up()

        assert files(house) == {"checkpoint"}


def test_what_cannot_be_made_of_the_database_leaves_the_checkpoint_where_it_was(
    house: House, mirror: Mirror, administrator: Administrator
) -> None:
    house.append(3)
    mirror.catch_up()
    house.append(300, 3)
    administrator.run(
        "DELETE FROM journal_entry WHERE id = (SELECT entry_id FROM journal_leaf WHERE seq = 100)"
    )

    with pytest.raises(MirrorError):
        mirror.catch_up()

    assert reader(house.state_dir / "journal")("checkpoint").splitlines()[1] == b"5"


def test_two_processes_do_not_mirror_at_once(house: House, mirror: Mirror) -> None:
    house.append(1)
    folder = house.state_dir / "journal"
    folder.mkdir()
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    assert mirror.catch_up() is None
    assert files(house) == set()

    os.close(held)
    assert mirror.catch_up() is not None


def test_a_mirror_that_cannot_be_kept_is_told_once_a_minute(
    house: House, mirror: Mirror, logged: StringIO
) -> None:
    (house.state_dir / "journal").write_text("a file in the way")

    for _ in range(59):
        mirror.keep()
        house.clock.advance(timedelta(seconds=1))
    assert logged.getvalue().count("journal.not_mirrored") == 1

    house.clock.advance(timedelta(seconds=1))
    mirror.keep()
    assert logged.getvalue().count("journal.not_mirrored") == 2
    (house.state_dir / "journal").unlink()
    mirror.keep()
    assert files(house) == {"checkpoint", *expected_paths(house.size())}
