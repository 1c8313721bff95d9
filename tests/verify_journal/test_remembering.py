"""What an auditor remembers between two visits: cut tails and rewritten history are found."""

from pathlib import Path

import pytest

from tests.verify_journal.conftest import Verify
from tests.verify_journal.logs import Log, key, vkey


@pytest.mark.parametrize("more", [0, 1, 250, 256, 600])
def test_a_log_that_grew_is_remembered_anew(tmp_path: Path, verify: Verify, more: int) -> None:
    memory, given = tmp_path / "seen", ("--remember", str(tmp_path / "seen"))
    log = Log.begun(300)

    first = verify(log.export(tmp_path / "e"), *given)
    remembered = memory.read_text()
    for _ in range(more):
        log.add()
    second = verify(log.export(tmp_path / "e"), *given)

    assert (first["exit"], second["exit"]) == (0, 0)
    assert remembered == log.note(302)
    assert memory.read_text() == log.note()
    assert "nothing was remembered before; from now on it is" in first["notes"]
    assert "that these leaves continue the 302 remembered" in second["checked"]
    assert [path.name for path in tmp_path.iterdir() if path.name != "e"] == ["seen"]


def test_a_cut_tail_is_found_and_not_remembered(tmp_path: Path, verify: Verify) -> None:
    memory = tmp_path / "seen"
    memory.write_text(Log.begun(300).note())

    report = verify(Log.begun(299).export(tmp_path / "e"), "--remember", str(memory))

    assert report["counts"] == {"tail-cut": 1}
    assert memory.read_text() == Log.begun(300).note()


@pytest.mark.parametrize("size", [3, 100, 255, 256, 257, 511, 512, 600])
def test_a_rewritten_history_is_found(tmp_path: Path, verify: Verify, size: int) -> None:
    memory, honest, rewritten = tmp_path / "seen", Log.begun(600), Log.begun(1)
    rewritten.add("admin")
    for _ in range(598):
        rewritten.add()
    memory.write_text(honest.note(size))

    same = verify(honest.export(tmp_path / "e"), "--remember", str(memory))
    memory.write_text(honest.note(size))
    other = verify(
        rewritten.export(tmp_path / "e"), "--remember", str(memory), "--signatures", "none"
    )

    assert same["exit"] == 0
    assert other["counts"] == ({} if size == 3 else {"history-rewritten": 1})


def test_a_checkpoint_of_another_key_is_no_memory(tmp_path: Path, verify: Verify) -> None:
    log, other = Log.begun(3), Log.begun(3)
    other.keys = [key(7)]
    (tmp_path / "seen").write_text(other.note())

    report = verify(log.export(tmp_path / "e"), "--remember", str(tmp_path / "seen"))

    assert report["counts"] == {"memory-foreign": 1}


def test_a_checkpoint_of_an_earlier_key_is_remembered(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(3)
    (tmp_path / "seen").write_text(log.note())
    log.rotate(key(3))
    log.retire(key(1))
    log.add()

    report = verify(
        log.export(tmp_path / "e"), "--remember", str(tmp_path / "seen"), given=vkey(key(3))
    )

    assert report["exit"] == 0


@pytest.mark.parametrize("text", ["", "no note", "a\n1\nroot\n\n— a x\n"])
def test_a_file_that_is_no_memory_is_left_alone(tmp_path: Path, verify: Verify, text: str) -> None:
    (tmp_path / "seen").write_text(text)

    report = verify(Log.begun(3).export(tmp_path / "e"), "--remember", str(tmp_path / "seen"))

    assert report["exit"] == 2
    assert (tmp_path / "seen").read_text() == text


def test_what_does_not_hold_is_not_remembered(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(3)
    log.leaves[3] = bytes(64) + log.leaves[3][64:]

    report = verify(log.export(tmp_path / "e"), "--remember", str(tmp_path / "seen"))

    assert report["exit"] == 1
    assert not (tmp_path / "seen").exists()
