"""A witness of ours from inside: what it remembers, what it keeps as evidence, what ends it."""

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from core.errors import KeysError
from journal import witness_state
from journal.checkpoint import text_of
from journal.errors import NoteError
from journal.note import Signer
from journal.tree import TreeHead
from journal.witness import Answer, Witness
from journal.witness_client import request
from tests.fakes import FixedClock
from tests.journal.trees import leaf_hashes, naive_root

NAME = "archive.example/w"
LOG = Signer("log.example/one", bytes(range(32)))
ROTATED = Signer("log.example/one", bytes(range(1, 33)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "witness"


def opened(folder: Path, clock: FixedClock) -> Witness:
    state = witness_state.open_state(folder, NAME)
    keys = [LOG.verifier, ROTATED.verifier]
    return Witness(state.cosigner, keys, state.memory, clock)


def offer(witness: Witness, old: int, size: int, *, root: bytes = b"", by: Signer = LOG) -> Answer:
    """Offer a checkpoint; every proof here is that of a tree that did not grow, or has none."""
    head = TreeHead(size, root or naive_root(leaf_hashes(size)))
    return witness.add_checkpoint(request(old, [], by.sign(text_of("log.example/one", head))))


def evidence(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "witness.db")) as connection:
        return connection.execute("SELECT origin, reason FROM evidence").fetchall()


def test_a_new_folder_gets_a_key_and_a_memory_for_its_owner_alone(folder: Path) -> None:
    made = witness_state.open_state(folder, NAME)

    again = witness_state.open_state(folder, NAME)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}
    assert (made.is_new, again.is_new) == (True, False)
    assert made.cosigner.key == again.cosigner.key
    assert (modes["witness.key"], modes["witness.db"]) == (0o400, 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def forget(folder: Path) -> None:
    for path in folder.glob("witness.db*"):
        path.unlink()


def lose_the_key(folder: Path) -> None:
    (folder / "witness.key").unlink()


def open_to_others(folder: Path) -> None:
    (folder / "witness.key").chmod(0o440)


def cut_the_key(folder: Path) -> None:
    (folder / "witness.key").chmod(0o600)
    (folder / "witness.key").write_bytes(b"short")


def swap_the_key(folder: Path) -> None:
    (folder / "witness.key").chmod(0o600)
    (folder / "witness.key").write_bytes(bytes(32))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (forget, "must sign no more"), (lose_the_key, "witness.key is missing"),
        (open_to_others, "open to others"), (cut_the_key, "exactly 32 bytes"),
        (swap_the_key, "belongs to archive.example/w"),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_whole_is_refused(
    folder: Path, harm: Callable[[Path], None], told: str
) -> None:
    witness_state.open_state(folder, NAME)
    harm(folder)

    with pytest.raises(KeysError, match=told):
        witness_state.open_state(folder, NAME)


def test_a_witness_keeps_its_name(folder: Path) -> None:
    witness_state.open_state(folder, NAME)

    with pytest.raises(KeysError, match="belongs to"):
        witness_state.open_state(folder, "other.example/w")
    with pytest.raises(NoteError):
        witness_state.open_state(folder / "x", "no name")


def test_what_is_refused_though_signed_is_kept_as_evidence(folder: Path, clock: FixedClock) -> None:
    witness = opened(folder, clock)
    other = sha256(b"another history").digest()
    offer(witness, 0, 5)

    answers = [
        offer(witness, 5, 5, root=other),  # a split view
        offer(witness, 0, 5, root=other),  # the same, whatever it says it goes on from
        offer(witness, 5, 8, root=other),  # another history
        offer(witness, 3, 8),  # not up to date: no lie
        offer(witness, 5, 5, by=Signer("stranger.example", bytes(32))),  # not the log's word
    ]

    assert [answer.status for answer in answers] == [422, 409, 422, 409, 403]
    reasons = ["another-root", "another-root", "inconsistent"]
    assert evidence(folder) == [("log.example/one", reason) for reason in reasons]


def test_a_log_cannot_fill_the_disk_with_evidence(folder: Path, clock: FixedClock) -> None:
    witness = opened(folder, clock)
    offer(witness, 0, 5)

    for number in range(105):
        offer(witness, 5, 5, root=sha256(b"%d" % number).digest())

    assert len(evidence(folder)) == 100


def test_a_clock_that_went_back_signs_nothing_until_it_is_right(
    folder: Path, clock: FixedClock
) -> None:
    witness = opened(folder, clock)
    offer(witness, 0, 5)
    clock.at -= timedelta(minutes=1)

    early = offer(witness, 5, 5)
    clock.advance(timedelta(minutes=1))

    assert early.status == 503
    assert offer(witness, 5, 5).status == 200


def test_a_log_may_sign_by_two_keys_and_goes_on_by_either(folder: Path, clock: FixedClock) -> None:
    witness = opened(folder, clock)
    offer(witness, 0, 5)
    text = text_of("log.example/one", TreeHead(5, naive_root(leaf_hashes(5))))
    both = LOG.sign(text) + ROTATED.sign(text).rpartition("\n\n")[2]

    answers = [
        offer(witness, 5, 5, by=ROTATED),
        witness.add_checkpoint(request(5, [], both)),
    ]

    shown = witness.checkpoint(sha256(b"log.example/one").hexdigest())
    assert [answer.status for answer in answers] == [200, 200]
    assert len(shown.body.rpartition("\n\n")[2].splitlines()) == 3


def test_one_good_signature_does_not_excuse_a_bad_one(folder: Path, clock: FixedClock) -> None:
    witness = opened(folder, clock)
    text = text_of("log.example/one", TreeHead(5, naive_root(leaf_hashes(5))))
    other = text_of("log.example/one", TreeHead(6, naive_root(leaf_hashes(6))))
    mixed = LOG.sign(text) + ROTATED.sign(other).rpartition("\n\n")[2]

    assert witness.add_checkpoint(request(0, [], mixed)).status == 403


def test_an_empty_log_has_the_empty_root(folder: Path, clock: FixedClock) -> None:
    witness = opened(folder, clock)

    answers = [offer(witness, 0, 0, root=bytes(32)), offer(witness, 0, 0), offer(witness, 0, 5)]

    assert [answer.status for answer in answers] == [422, 200, 200]
