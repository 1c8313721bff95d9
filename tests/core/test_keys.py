import os
import stat
from pathlib import Path

import pytest

from core import keys
from core.errors import KeysError

NAMES = {
    "pepper.key",
    "log.key",
    "kek-1.key",
    "index-1.key",
    "journal-months.key",
}


def faults(path: Path) -> tuple[str, ...]:
    with pytest.raises(KeysError) as caught:
        keys.load(path)
    return caught.value.faults


def test_keys_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    made = keys.create(tmp_path / "keys")

    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "keys").iterdir()}
    assert set(made) == NAMES
    assert modes == dict.fromkeys(NAMES, 0o400)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_strange_umask_opens_no_key(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.create(tmp_path / "keys")
    finally:
        os.umask(before)

    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "keys").iterdir()} == {0o400}


def test_making_keys_again_leaves_them_as_they_are(keys_dir: Path) -> None:
    before = {path.name: path.read_bytes() for path in keys_dir.iterdir()}

    assert keys.create(keys_dir) == []
    assert {path.name: path.read_bytes() for path in keys_dir.iterdir()} == before


def test_no_two_keys_are_alike(keys_dir: Path) -> None:
    assert len({path.read_bytes() for path in keys_dir.iterdir()}) == len(NAMES)


def test_a_second_generation_is_read_beside_the_first(keys_dir: Path) -> None:
    for number in (2, 10):
        _write(keys_dir / f"kek-{number}.key", bytes([number]) * 32)

    # Ten comes after two, and only the newest two are read.
    assert sorted(keys.load(keys_dir).keks) == [2, 10]


def test_keys_print_no_key(keys_dir: Path) -> None:
    loaded = keys.load(keys_dir)

    assert repr(loaded) == "Keys()"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_missing_key_is_named(keys_dir: Path, name: str) -> None:
    (keys_dir / name).unlink()

    (fault,) = faults(keys_dir)

    assert name in fault
    assert "missing" in fault


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o410, 0o401, 0o620])
def test_a_key_open_to_others_is_refused(keys_dir: Path, mode: int) -> None:
    (keys_dir / "pepper.key").chmod(mode)

    (fault,) = faults(keys_dir)

    assert "pepper.key" in fault
    assert "chmod 0400" in fault


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(keys_dir: Path, size: int) -> None:
    _write(keys_dir / "kek-1.key", b"k" * size)

    (fault,) = faults(keys_dir)

    assert "kek-1.key" in fault
    assert "exactly 32 bytes" in fault


def test_a_folder_in_place_of_a_key_is_refused(keys_dir: Path) -> None:
    (keys_dir / "log.key").unlink()
    (keys_dir / "log.key").mkdir()

    (fault,) = faults(keys_dir)

    assert "log.key cannot be read" in fault


def test_all_faults_are_named_at_once_and_quote_no_key(keys_dir: Path) -> None:
    secret = (keys_dir / "log.key").read_bytes()
    (keys_dir / "pepper.key").unlink()
    (keys_dir / "log.key").chmod(0o444)
    _write(keys_dir / "index-1.key", b"short")

    found = faults(keys_dir)

    assert len(found) == 3
    assert secret.hex() not in " ".join(found)
    assert repr(secret) not in " ".join(found)


def test_an_empty_folder_is_missing_everything(tmp_path: Path) -> None:
    assert len(faults(tmp_path)) == len(NAMES)


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    path.chmod(0o400)


def test_each_key_of_the_log_has_a_file_of_its_own(keys_dir: Path) -> None:
    first = keys.load_logs(keys_dir)

    assert keys.make_log(keys_dir) == 2
    assert keys.make_log(keys_dir) == 3

    logs = keys.load_logs(keys_dir)
    assert (sorted(logs), logs[1]) == ([1, 2, 3], first[1])
    assert len(set(logs.values())) == 3
    assert stat.S_IMODE((keys_dir / "log-3.key").stat().st_mode) == 0o400
    assert keys.load(keys_dir).logs == logs


def test_a_log_key_that_was_destroyed_is_not_made_again(keys_dir: Path) -> None:
    keys.make_log(keys_dir)

    assert keys.destroy_log(keys_dir, 1) == "log.key"

    assert keys.create(keys_dir) == []
    assert sorted(keys.load(keys_dir).logs) == [2]
    assert keys.make_log(keys_dir) == 3
