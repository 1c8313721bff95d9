"""Keys follow one another in the log itself: what is believed of them, and what is not."""

from pathlib import Path

import pytest

import verify_journal
from journal import log_keys
from tests.verify_journal.conftest import Verify
from tests.verify_journal.logs import ORIGIN, Log, Said, key, public, signature_line, vkey, write


def rotated() -> Log:
    """Return a log with three log keys, one after another, and two writers."""
    log = Log.begun(3)
    log.rotate(key(3))
    log.add()
    log.retire(key(1))
    log.announce(key(4))
    log.add()
    log.rotate(key(5))
    log.add()
    return log


@pytest.mark.parametrize("given", [1, 3, 5])
def test_any_key_that_was_the_newest_leads_to_all(
    tmp_path: Path, verify: Verify, given: int
) -> None:
    log = rotated()

    report = verify(log.export(tmp_path / "export"), given=vkey(key(given)))

    assert report["exit"] == 0
    assert "1 checkpoint, by 2 of the log's keys" in report["checked"]
    assert len(report["writers"]) == 2


@pytest.mark.parametrize("given", [vkey(key(7)), vkey(key(1), "tradan/other.example")])
def test_a_key_that_never_was_leads_to_nothing(tmp_path: Path, verify: Verify, given: str) -> None:
    report = verify(rotated().export(tmp_path / "export"), given=given)

    assert report["exit"] == 1
    assert report["counts"]["log-key"] > 0


def test_the_newest_key_must_have_signed_the_checkpoint(tmp_path: Path, verify: Verify) -> None:
    log = rotated()
    text = log.text()
    lines = {number: signature_line(key(number), text) for number in (1, 3, 5)}
    broken = signature_line(key(3), text + "more\n")

    def exit_of(*signed: str) -> int:
        files = log.tiles() | {"checkpoint": f"{text}\n{''.join(signed)}".encode()}
        code: int = verify(write(tmp_path / "export", files, log))["exit"]
        return code

    assert exit_of(lines[5]) == 0
    assert exit_of(lines[3], lines[5]) == 0
    assert exit_of(lines[3]) == 1
    assert exit_of(lines[1], lines[5]) == 3  # retired: nobody's word any more
    assert exit_of(broken, lines[5]) == 1


def test_a_log_goes_on_under_another_name(tmp_path: Path, verify: Verify) -> None:
    log = rotated()
    log.rename("tradan/gateway.example/2")
    log.announce(key(6))
    log.add()
    folder = log.export(tmp_path / "export")

    reports = [verify(folder), verify(folder, given=vkey(key(5), "tradan/gateway.example/2"))]

    assert [report["exit"] for report in reports] == [0, 0]
    assert reports[0]["log"] == "tradan/gateway.example/2"
    assert verify(folder, given=vkey(key(1), "tradan/gateway.example/2"))["exit"] == 1


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("rotate", {"ke": "0" * 128}),
        ("rotate", {"kl": "0" * 64}),
        ("retire", {"ke": "0" * 128}),
        ("retire", {"kr": public(key(5)).hex()}),
        ("rename", {"ke": "0" * 128}),
        ("rename", {"ko": "tradan/other.example"}),
        ("announce", {"ke": "0" * 128}),
        ("announce", {"w": "0" * 16}),
    ],
)
def test_what_the_log_did_not_sign_for_announces_nothing(
    tmp_path: Path, verify: Verify, what: str, said: dict[str, Said]
) -> None:
    log = rotated()
    before = (log.origin, list(log.keys))
    match what:
        case "rotate":
            log.rotate(key(7), **said)
        case "retire":
            log.retire(key(3), **said)
        case "rename":
            log.rename("tradan/new.example", **said)
        case _:
            log.announce(key(7), **said)
    log.origin, log.keys = before

    report = verify(log.export(tmp_path / "export"))

    assert report["counts"] == {"log-key": 1}


def test_the_newest_key_cannot_be_retired(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(3)
    log.retire(key(1))
    log.keys = [key(1)]

    assert verify(log.export(tmp_path / "export"))["counts"] == {"log-key": 1}


def test_a_first_key_in_another_place_is_none(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(3)
    log.add("key", kl=public(key(7)).hex())

    assert verify(log.export(tmp_path / "export"))["counts"] == {"leaf-malformed": 1}


def test_a_log_that_does_not_tell_its_key_is_found(tmp_path: Path, verify: Verify) -> None:
    log = Log()
    log.announce(key(2))
    log.add()

    assert verify(log.export(tmp_path / "export"))["counts"] == {"log-key": 1}


def test_a_writer_writes_only_from_its_announcement_on(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(3)
    log.writer = key(4)
    early = log.add()
    log.announce(key(4))
    log.add()

    report = verify(log.export(tmp_path / "export"))

    assert report["counts"] == {"writer-signature": 1}
    assert report["findings"][0]["seq"] == early


def test_announcements_are_checked_whatever_is_asked(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(3)
    log.leaves[1] = bytes(64) + log.leaves[1][64:]

    report = verify(log.export(tmp_path / "export"), "--signatures", "none")

    assert report["counts"] == {"writer-signature": 1}


def test_a_key_that_was_in_force_does_not_come_back(tmp_path: Path, verify: Verify) -> None:
    log = rotated()
    log.rotate(key(1))
    log.keys.pop()

    assert verify(log.export(tmp_path / "export"))["counts"] == {"log-key": 1}


def test_a_key_entry_announces_something(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(3)
    log.add("key")

    assert verify(log.export(tmp_path / "export"))["counts"] == {"leaf-malformed": 1}


def test_the_service_follows_the_same_chain() -> None:
    log = rotated()
    log.rename("tradan/gateway.example/2")
    log.rotate(key(6))
    leaves = [(seq, leaf) for seq, leaf in enumerate(log.leaves) if b'"t":"key"' in leaf]
    read = [verify_journal.Leaf.read(seq, leaf) for seq, leaf in leaves]

    given = verify_journal.read_key(vkey(key(6), log.origin), 1)
    chain = verify_journal.KeyChain(given, [leaf for leaf in read if leaf], None)

    assert chain.knows_the_given
    for size in range(2, log.size + 1):
        before = [each for each in leaves if each[0] < size]
        theirs = log_keys.LogKeys(ORIGIN).after(before, size)
        mine = verify_journal.at(chain.history, size)
        assert (mine.origin, mine.keys) == (theirs.origin, theirs.signing)
