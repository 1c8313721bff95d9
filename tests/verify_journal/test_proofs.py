"""Proofs of one entry and comparisons of two checkpoints, as a third party holds them."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import verify_journal
from journal import proofs
from journal.receipts import receipt_of
from journal.tlog_proof import written
from tests.journal.trees import leaf_hashes, naive_root
from tests.verify_journal.conftest import Verify
from tests.verify_journal.logs import Log, cosignature_line, key, vkey
from verify_journal import Head, verify_consistency, verify_inclusion

WITNESS = "witness.example/1"


def path_over(spans: list[proofs.Span], hashes: list[bytes]) -> tuple[bytes, ...]:
    return tuple(naive_root(hashes[span.begin : span.end]) for span in spans)


def hashes_of(log: Log) -> list[bytes]:
    return [sha256(b"\0" + leaf).digest() for leaf in log.leaves]


def proof(log: Log, seq: int, *lines: str) -> str:
    path = path_over(proofs.inclusion_spans(seq, log.size), hashes_of(log))
    return written(seq, path, log.leaves[seq], log.note(None, *lines))


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Put a text into a file."""

    def put(text: str) -> Path:
        path = tmp_path / sha256(text.encode()).hexdigest()[:8]
        path.write_text(text)
        return path

    return put


File = Callable[[str], Path]


@pytest.mark.parametrize("seq", [0, 2, 255, 256, 301])
def test_a_proof_tells_what_it_proves(file: File, verify: Verify, seq: int) -> None:
    log = Log.begun(300)

    report = verify(file(proof(log, seq)))

    assert report["exit"] == 0
    assert (report["seq"], report["size"]) == (seq, 302)
    assert report["receipt"] == receipt_of(hashes_of(log)[seq])
    assert report["id"] == json.loads(log.leaves[seq][64:])["id"]
    assert report["at"].startswith("2026-03-02T05:00:00.")


def test_what_is_disclosed_of_an_entry_is_checked(file: File, verify: Verify) -> None:
    log = Log.begun(5)
    mine, others = file(log.opened(3)), file(log.opened(4))
    log.openings[3]["act"]["payload"] = '{"command":"NK"}'
    forged = file(log.opened(3))
    target = file(proof(log, 3))

    assert "what is disclosed of it" in verify(target, "--openings", str(mine))["checked"]
    assert "what is disclosed of it" not in verify(target, "--openings", str(others))["checked"]
    assert verify(target, "--openings", str(forged))["counts"] == {"opening-differs": 1}
    assert verify(target, "--openings", str(target))["counts"]["opening-malformed"] > 0


def test_a_proof_is_held_to_a_policy(file: File, verify: Verify) -> None:
    log = Log.begun(5)
    policy = file(f"witness w {vkey(key(10), WITNESS, 4)}\nquorum w\n")
    line = cosignature_line(key(10), log.text(), WITNESS)

    with_it, without = (
        verify(file(proof(log, 3, *lines)), "--policy", str(policy)) for lines in ((line,), ())
    )

    assert with_it["exit"] == 0
    assert without["counts"] == {"quorum-missing": 1}


def test_a_leaf_may_lie_beside_its_proof(file: File, verify: Verify, tmp_path: Path) -> None:
    log = Log.begun(5)
    lines = proof(log, 3).splitlines(keepends=True)
    bare = file("".join((lines[0], *lines[2:])))
    (tmp_path / "leaf").write_bytes(log.leaves[3])
    (tmp_path / "other").write_bytes(log.leaves[4])

    assert verify(bare)["exit"] == 3
    assert verify(bare, "--leaf", str(tmp_path / "leaf"))["exit"] == 0
    assert verify(bare, "--leaf", str(tmp_path / "other"))["counts"] == {"proof-differs": 1}


def test_a_flipped_bit_in_a_proof_is_refused(file: File, verify: Verify, tmp_path: Path) -> None:
    whole = proof(Log.begun(5), 3).encode()
    path = tmp_path / "proof"

    for place in range(len(whole)):
        flipped = bytes([whole[place] ^ 1 << place % 8])
        path.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        assert verify(path)["exit"] in {1, 2}, place


@pytest.mark.parametrize("given", [vkey(key(7)), vkey(key(1), "tradan/other.example")])
def test_another_key_proves_nothing(file: File, verify: Verify, given: str) -> None:
    assert verify(file(proof(Log.begun(5), 3)), given=given)["counts"] == {"checkpoint-invalid": 1}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("index 3", "index 03"),
        ("index 3", "index -3"),
        ("index 3", "index 9999999999999999999999"),
        ("index 3\n", ""),
        ("extra ", "extra  "),
        ("extra ", "Extra "),
        ("index 3\n", "index 3\n" + base64.b64encode(bytes(32)).decode() + "\n"),
        ("index 3\n", "index 3\n" + (base64.b64encode(bytes(32)).decode() + "\n") * 70),
        ("index 3\n", "index 3\nAAAA\n"),
        ("index 3\n", "index 3\r\n"),
        ("\n\n", "\n"),
    ],
    ids=range(11),
)
def test_a_proof_in_another_form_is_refused(file: File, verify: Verify, old: str, new: str) -> None:
    assert verify(file(proof(Log.begun(5), 3).replace(old, new)))["exit"] == 1


def compared(older: Log, newer: Log, root: bytes | None = None) -> str:
    hashes = hashes_of(newer)
    path = path_over(proofs.consistency_spans(older.size, newer.size), hashes)
    lines = [root or naive_root(hashes[: older.size]), *path]
    told = "".join(base64.b64encode(each).decode() + "\n" for each in lines)
    return f"tradan journal comparison 1\n{told}\n{older.note()}\n{newer.note()}"


def test_a_comparison_tells_growth_from_a_fork(file: File, verify: Verify) -> None:
    honest, other = Log.begun(9), Log.begun(1)
    other.add("admin")
    for _ in range(3):
        other.add()

    fine = verify(file(compared(Log.begun(4), honest)))
    fork = verify(file(compared(other, honest)))
    claimed = verify(file(compared(other, honest, other.root())))
    unsigned = verify(file(compared(replace(Log.begun(4), keys=[key(7)]), honest)))

    assert fine["exit"] == 0
    assert "that 11 leaves continue the 6 before" in fine["checked"]
    assert fork["counts"] == {"fork": 1}
    assert claimed["counts"] == {"comparison-differs": 1}
    assert unsigned["counts"] == {"checkpoint-invalid": 1}


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n\n\n\n\n\n\n", "AAAA\n\na\n\nb\n\nc\n\nd\n"])
def test_a_comparison_that_is_none_is_refused(file: File, verify: Verify, text: str) -> None:
    report = verify(file(f"tradan journal comparison 1\n{text}"))

    assert report["counts"] == {"comparison-malformed": 1}


@given(st.data())
def test_inclusion_is_judged_as_by_the_writers_code(data: st.DataObject) -> None:
    size = data.draw(st.integers(min_value=1, max_value=300))
    index = data.draw(st.integers(min_value=-1, max_value=size))
    other = data.draw(st.integers(min_value=0, max_value=size - 1))
    hashes = leaf_hashes(size)
    root = naive_root(hashes)
    path = path_over(proofs.inclusion_spans(other, size), hashes)

    mine = verify_inclusion(hashes[other], index, Head("", size, root), path)

    assert mine is proofs.verify_inclusion(hashes[other], index, size, path, root)
    assert mine is (index == other)


@given(st.data())
def test_consistency_is_judged_as_by_the_writers_code(data: st.DataObject) -> None:
    size = data.draw(st.integers(min_value=1, max_value=300))
    old = data.draw(st.integers(min_value=1, max_value=size))
    claimed = data.draw(st.integers(min_value=0, max_value=size + 1))
    hashes = leaf_hashes(size)
    root, old_root = naive_root(hashes), naive_root(hashes[:old])
    path = path_over(proofs.consistency_spans(old, size), hashes)

    mine = verify_consistency(claimed, old_root, Head("", size, root), path)

    assert mine is proofs.verify_consistency(claimed, old_root, size, root, path)
    assert mine is (claimed == old)


def test_the_proof_is_told_to_people_too(file: File, capsys: pytest.CaptureFixture[str]) -> None:
    code = verify_journal.main([str(file(proof(Log.begun(5), 3))), "--key", vkey(key(1))])

    told = capsys.readouterr().out
    assert code == 0
    assert "CHECKED      that this is leaf 3 of the 7 of the log\n" in told
    assert "receipt      " in told
