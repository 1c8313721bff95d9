"""What a whole export is held to, and how the verifier ends."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

import verify_journal
from tests.verify_journal.conftest import Verify
from tests.verify_journal.logs import Log, cosignature_line, key, vkey, write


@pytest.mark.parametrize("entries", [0, 1, 252, 253, 254, 255, 700])
def test_a_sound_export_holds(tmp_path: Path, verify: Verify, entries: int) -> None:
    log = Log.begun(entries)

    report = verify(log.export(tmp_path / "export"))

    assert report["exit"] == 0
    assert (report["size"], report["entries"]) == (entries + 2, entries + 2)
    assert report["root"] == log.root().hex()
    assert f"{entries + 2} writers' signatures, of 1 writers" in report["checked"]
    assert any("--remember" in note for note in report["notes"])


def test_a_tar_is_verified_as_a_folder_is(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(300)
    folder = log.export(tmp_path / "export", openings_jsonl=log.opened(2, 5, 299))
    with tarfile.open(tmp_path / "export.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(folder, "")

    reports = [verify(folder), verify(tmp_path / "export.tar")]

    assert reports[0] == reports[1]
    assert reports[0]["exit"] == 0
    assert "3 openings: commitments, erasures" in reports[0]["checked"]


def test_several_processes_find_the_same(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(5000)
    log.leaves[4032] = log.leaves[4032][:64] + log.leaves[4033][64:]
    few = ("--signatures", "sample")

    alone = verify(log.export(tmp_path / "export"), *few)
    together = verify(tmp_path / "export", *few, "--jobs", "2")

    assert alone == together
    assert alone["counts"] == {"writer-signature": 1, "entry-repeated": 1}


@pytest.mark.parametrize("mode", ["sample", "none"])
def test_fewer_signatures_are_never_enough(tmp_path: Path, verify: Verify, mode: str) -> None:
    log = Log.begun(100)

    report = verify(log.export(tmp_path / "export"), "--signatures", mode)

    assert report["exit"] == 3
    assert report["incomplete"] == [f"writers' signatures: {mode}"]


def test_a_forged_leaf_is_found(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(3)
    log.writer = key(9)
    log.add()
    log.add(w=json.loads(log.leaves[2][64:])["w"])

    report = verify(log.export(tmp_path / "export"))

    assert report["exit"] == 1
    assert report["counts"] == {"writer-signature": 2}
    assert [finding["seq"] for finding in report["findings"]] == [5, 6]


def test_swapped_bundles_are_found(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(600)
    files = log.tiles() | {"checkpoint": log.note().encode()}
    first, second = "tile/entries/000", "tile/entries/001"
    files[first], files[second] = files[second], files[first]

    report = verify(write(tmp_path / "export", files, log))

    assert report["exit"] == 1
    assert report["counts"]["tile-differs"] == 3
    assert report["counts"]["root-differs"] == 1


def test_a_tile_that_is_not_over_its_leaves_is_found(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(600)
    for name, data in log.tiles().items():
        if "entries" in name:
            continue
        files = log.tiles() | {"checkpoint": log.note().encode(), name: data[1:] + data[:1]}

        report = verify(write(tmp_path / "export", files, log), "--signatures", "none")

        assert report["exit"] == 1
        assert report["counts"] == {"tile-differs": 1}


def test_an_id_that_comes_twice_is_found(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(500)
    log.add(id="019cad18-a800-7000-8000-000000000007")

    report = verify(log.export(tmp_path / "export"))

    assert report["counts"] == {"entry-repeated": 1}
    assert "019cad18a80070008000000000000007" in report["findings"][0]["detail"]


@pytest.mark.parametrize(
    "said",
    [
        {"t": "other"},
        {"r": "for-ever"},
        {"v": 2},
        {"ts": "1"},
        {"ca": "0" * 63},
        {"id": "019cad18-a800-4000-8000-000000000007"},
        {"more": 1},
        {"kl": "0" * 64},
        {"t": "key", "ke": "0" * 128},
        {"ec": "order", "ep": "all", "es": "2"},
        {"t": "erase", "ec": "order", "ep": "all"},
        {"t": "erase", "ec": "order", "ep": "all", "es": "7"},
        {"t": "erase", "ec": "order", "ep": "all", "es": "3,2"},
        {"t": "erase", "ec": "order", "ep": "all", "es": "2,3"},
        {"t": "erase", "ec": "order", "ep": "all", "es": "02"},
        {"t": "erase", "ec": "order", "ep": "all", "es": "2-2"},
    ],
)
def test_a_leaf_in_another_form_is_found(
    tmp_path: Path, verify: Verify, said: dict[str, str | int]
) -> None:
    log = Log.begun(5)
    log.add(str(said.get("t", "lookup")), **{name: said[name] for name in said if name != "t"})

    report = verify(log.export(tmp_path / "export"))

    assert report["counts"] == {"leaf-malformed": 1}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"v":1', '"v":1 '),
        ('"}', '"}\n'),
        ('"ca"', '"\\u0063a"'),
        ('"t":"lookup"', '"t":"lookup","t":"lookup"'),
        ('"r"', '"R"'),
    ],
)
def test_a_leaf_that_is_not_canonical_is_found(
    tmp_path: Path, verify: Verify, old: str, new: str
) -> None:
    log = Log.begun(5)
    log.leaves[4] = log.leaves[4][:64] + log.leaves[4][64:].replace(old.encode(), new.encode())

    assert verify(log.export(tmp_path / "export"))["counts"]["leaf-malformed"] == 1


def test_an_empty_log_is_a_log(tmp_path: Path, verify: Verify) -> None:
    log = Log()
    files = {"checkpoint": log.note().encode()}

    report = verify(write(tmp_path / "export", files, log, bundles="", to="-1"))

    assert (report["size"], report["counts"].get("root-differs")) == (0, None)


def test_cosignatures_are_held_to_the_policy(tmp_path: Path, verify: Verify) -> None:
    log, witnesses = Log.begun(3), [key(10 + number) for number in range(3)]
    names = [f"witness.example/{number}" for number in range(3)]
    lines = [cosignature_line(k, log.text(), n) for k, n in zip(witnesses, names, strict=True)]
    policy = f"log {vkey(key(1))}\n" + "".join(
        f"witness w{at} {vkey(k, n, 4)}\n"
        for at, (k, n) in enumerate(zip(witnesses, names, strict=True))
    )
    policy += "group g 2 w0 w1 w2\nquorum g\n"
    (tmp_path / "policy").write_text(policy)
    given = ("--policy", str(tmp_path / "policy"))

    def told(*of: str, policy: str | None = None) -> dict[str, Any]:
        files = log.tiles() | {"checkpoint": log.note(None, *of).encode()}
        files |= {} if policy is None else {"policy.txt": policy.encode()}
        return verify(write(tmp_path / "export", files, log), *(() if policy else given))

    assert told(*lines)["exit"] == 0
    assert told(*lines[1:], policy=policy)["exit"] == 0
    too_few = told(lines[0])
    assert (too_few["exit"], too_few["counts"]) == (3, {})
    assert "cosignatures" in too_few["incomplete"][0]
    wrong = cosignature_line(witnesses[1], log.text() + "more\n", names[1])
    assert told(lines[0], wrong, lines[2])["counts"] == {"cosignature-invalid": 1}
    stranger = cosignature_line(key(20), log.text(), "stranger.example")
    assert told(*lines, stranger)["exit"] == 3
    assert told(*lines, policy=policy.replace(vkey(key(1)), vkey(key(7))))["counts"] == {
        "policy-differs": 1
    }
    assert told(*lines, policy="quorum nobody\n")["counts"] == {"policy-malformed": 1}
    assert told(*lines, policy="quorum none\n")["exit"] == 3


def test_a_time_stamp_is_left_to_other_tools(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(600)
    stamped = {"tsr/400.checkpoint": log.note(400).encode(), "tsr/400.tsr": b"token"}
    files = log.tiles() | {"checkpoint": log.note().encode()} | stamped

    fine = verify(write(tmp_path / "export", files, log), "--signatures", "none")
    files["tsr/400.checkpoint"] = files["tsr/400.checkpoint"].replace(b"\n400\n", b"\n401\n")
    wrong = verify(write(tmp_path / "export", files, log), "--signatures", "none")

    assert fine["exit"] == 3
    assert fine["checkpoints"] == 2
    assert any(each.startswith("time-stamps: 1 tokens") for each in fine["incomplete"])
    assert wrong["counts"] == {"checkpoint-invalid": 1}


def test_the_report_is_told_to_people_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log.begun(30)
    folder = log.export(tmp_path / "export")
    for seq in range(2, 28):
        log.leaves[seq] = bytes(64) + log.leaves[seq][64:]
    damaged = log.export(tmp_path / "damaged")

    codes = [verify_journal.main([str(each), "--key", vkey(key(1))]) for each in (folder, damaged)]

    told = capsys.readouterr().out
    assert codes == [0, 1]
    assert "CHECKED      32 entries: form, hash, unique id\n" in told
    assert "Everything holds.\n" in told
    assert "FOUND        writer-signature at 2: no announced writer signed this leaf\n" in told
    assert "FOUND        writer-signature: 6 more\n" in told
