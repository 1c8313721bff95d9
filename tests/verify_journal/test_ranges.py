"""Exports of a part of a log: what can be said of it, and that it is never taken for the whole."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from tests.verify_journal.conftest import Verify
from tests.verify_journal.logs import Log, key, public, vkey, write

FEW = ("--signatures", "none")


@cache
def long_log() -> Log:
    """Return a log of six bundles; keys change in the first and in the fourth."""
    log = Log.begun(900)
    log.rotate(key(3))
    log.announce(key(4))
    for _ in range(500):
        log.add()
    return log


def cut(folder: Path, log: Log, *bundles: int, tiles: bool = True) -> Path:
    """Write an export that has only these bundles, and the tiles of level 0 over them."""
    files = {"checkpoint": log.note().encode()}
    last = (log.size - 1) // 256
    for name, data in log.tiles().items():
        number = int(name.split("/")[2].partition(".")[0])
        if "entries" in name:
            keep = number in bundles
        else:
            keep = tiles and (not name.startswith("tile/0/") or number in {*bundles, last})
        if keep:
            files[name] = data
    runs = "0-5" if len(bundles) == 6 else ",".join(map(str, bundles))
    return write(folder, files, log, bundles=runs, **{"from": "300", "to": "310"})


def test_a_range_holds_as_far_as_it_goes(tmp_path: Path, verify: Verify) -> None:
    log = long_log()

    report = verify(cut(tmp_path / "e", log, 0, 3))

    assert report["exit"] == 3
    assert report["findings"] == []
    assert report["entries"] == 512
    assert "512 writers' signatures, of 2 writers" in report["checked"]
    assert "entry bundles: 4 of 6 are not here" in report["incomplete"]
    assert "a range: leaves 300 to 310 were asked for" in report["incomplete"]
    assert not any(each.startswith("root") for each in report["incomplete"])


def test_what_is_wrong_in_a_range_is_found(tmp_path: Path, verify: Verify) -> None:
    forged = replace(long_log(), leaves=list(long_log().leaves))
    text = forged.leaves[5][64:].replace(b'"r":"lookup"', b'"r":"act"')
    forged.leaves[5] = forged.leaves[5][:64] + text
    folder = cut(tmp_path / "e", long_log(), 0, 3)
    (folder / "tile/entries/000").write_bytes(forged.tiles()["tile/entries/000"])

    report = verify(folder)

    assert set(report["counts"]) == {
        "tile-differs",
        "root-differs",
        "writer-signature",
        "manifest-differs",
    }


def test_writers_that_are_not_announced_here_are_not_accused(
    tmp_path: Path, verify: Verify
) -> None:
    log = long_log()

    report = verify(cut(tmp_path / "e", log, 0, 4))

    assert report["exit"] == 3
    assert report["findings"] == []
    assert "256 signatures, by keys that no leaf here announces" in report["incomplete"]


def test_without_the_first_leaves_the_given_key_is_taken_at_its_word(
    tmp_path: Path, verify: Verify
) -> None:
    log = long_log()
    folder = cut(tmp_path / "e", log, 4)

    mine, other = (verify(folder, *FEW, given=vkey(key(n))) for n in (3, 7))

    assert (mine["exit"], mine["findings"]) == (3, [])
    assert "checkpoint-invalid" in other["counts"]


def test_without_tiles_there_is_no_root(tmp_path: Path, verify: Verify) -> None:
    log = long_log()

    report = verify(cut(tmp_path / "e", log, 0, 3, tiles=False), *FEW)

    assert report["exit"] == 3
    assert any(each.startswith("root") for each in report["incomplete"])


def test_bundles_alone_make_the_root(tmp_path: Path, verify: Verify) -> None:
    log = long_log()

    report = verify(cut(tmp_path / "e", log, *range(6), tiles=False), *FEW)

    assert report["exit"] == 3
    assert [
        each for each in report["incomplete"] if each.split()[0] not in {"a", "tiles", "writers'"}
    ] == []


def test_an_opening_of_a_leaf_that_is_not_here_is_found(tmp_path: Path, verify: Verify) -> None:
    log = long_log()
    folder = cut(tmp_path / "e", log, 0, 3)
    (folder / "openings.jsonl").write_text(log.opened(2, 400, 800, 1300))

    report = verify(folder, *FEW)

    assert report["counts"]["opening-outside"] == 2


def test_a_range_of_a_log_with_keys_of_its_own_is_refused(tmp_path: Path, verify: Verify) -> None:
    forged = Log(keys=[key(7)])
    forged.announce(key(8))
    forged.add("key", kl=public(key(7)).hex())
    for _ in range(900):
        forged.add()
    folder = cut(tmp_path / "e", forged, 0, 3)

    report = verify(folder, "--remember", str(tmp_path / "seen"), *FEW)

    assert report["exit"] == 1
    assert "checkpoint-invalid" in report["counts"]
    assert not (tmp_path / "seen").exists()
