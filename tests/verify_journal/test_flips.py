"""One flipped bit anywhere in an export, and it does not hold."""

import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.verify_journal.conftest import Verify
from tests.verify_journal.logs import Log, cosignature_line, key, vkey, write

WITNESS = "witness.example/1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export with everything in it that an export that holds may have."""
    log = Log.begun(3)
    log.rotate(key(3))
    log.retire(key(1))
    log.announce(key(4))
    log.add("erase", ec="order", ep="identity", es="2-3")
    log.add()
    witness = cosignature_line(key(10), log.text(), WITNESS)
    policy = f"log {vkey(key(3))}\nwitness w {vkey(key(10), WITNESS, 4)}\nquorum w\n"
    files = log.tiles() | {"checkpoint": log.note(None, witness).encode()}
    files |= {"policy.txt": policy.encode(), "openings.jsonl": log.opened(4, 9).encode()}
    return write(tmp_path / "export", files, log)


def flips(length: int, every: int) -> Iterator[tuple[int, int]]:
    """Yield a place and a bit, the same ones at each run."""
    for place in range(length):
        drawn = sha256(b"%d of %d" % (place, length)).digest()
        if drawn[1] % every == 0:
            yield place, 1 << drawn[0] % 8


def flip_everywhere(path: Path, verify: Verify, target: Path, every: int) -> int:
    whole, count = path.read_bytes(), 0
    for place, bit in flips(len(whole), every):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        assert verify(target, "--signatures", "all")["exit"] != 0, (path.name, place, bit)
        count += 1
    path.write_bytes(whole)
    return count


def as_tar(folder: Path) -> Path:
    path = folder.parent / "export.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for each in sorted(each for each in folder.rglob("*") if each.is_file()):
            tar.add(each, each.relative_to(folder).as_posix())
    return path


@pytest.mark.parametrize("every", [150, pytest.param(1, marks=pytest.mark.slow)])
def test_a_flipped_bit_in_a_folder_is_refused(verify: Verify, folder: Path, every: int) -> None:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    assert verify(folder)["exit"] == 0

    count = sum(flip_everywhere(path, verify, folder, every) for path in paths)

    assert count * every * 2 > sum(path.stat().st_size for path in paths)


@pytest.mark.parametrize("every", [300, pytest.param(4, marks=pytest.mark.slow)])
def test_a_flipped_bit_in_a_tar_is_refused(verify: Verify, folder: Path, every: int) -> None:
    path = as_tar(folder)
    assert verify(path)["exit"] == 0

    count = flip_everywhere(path, verify, path, every)

    assert count * every * 2 > path.stat().st_size


@pytest.mark.parametrize("every", [400, pytest.param(8, marks=pytest.mark.slow)])
def test_a_flipped_bit_in_a_larger_log_is_refused(
    tmp_path: Path, verify: Verify, every: int
) -> None:
    log = Log.begun(300)
    folder = log.export(tmp_path / "export", openings_jsonl=log.opened(2, 100, 299))

    for path in [path for path in folder.rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        places = list(flips(len(whole), 1))[:: max(1, len(whole) // (2000 // every))]
        for place, bit in places:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            assert verify(folder, "--signatures", "none")["exit"] in {1, 3}, (path.name, place, bit)
        path.write_bytes(whole)
