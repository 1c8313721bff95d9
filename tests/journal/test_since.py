"""Verifying only what is new: it must continue what was verified, and the new must hold."""

from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import keys
from journal.audit import KeyringOpenings, Opener
from journal.journal import MEMORY_FILE
from journal.note import Signer
from journal.side_by_side import SideBySide
from journal.verifier import Spans, one_by_one, verify
from journal.verifier_log import Remembered
from tests.journal.conftest import ORIGIN, Administrator, House, codes


@pytest.fixture
def verified(house: House) -> Remembered:
    """The head over 302 leaves, more than a tile, after which 5 more come."""
    house.append(300)
    head = house.database.read(house.journal.head)
    house.append(5, 1000)
    return Remembered(head.size, head.root)


def edit(administrator: Administrator, seq: int) -> None:
    """Change the retention class that a leaf tells."""
    row = administrator.rows(
        "SELECT e.id, e.leaf FROM journal_entry e JOIN journal_leaf l ON l.entry_id = e.id "
        "WHERE l.seq = :seq",
        seq=seq,
    )[0]
    changed = row.leaf.replace(b'"r":"lookup"', b'"r":"act"')
    administrator.run(
        "UPDATE journal_entry SET leaf = :leaf WHERE id = :id", leaf=changed, id=row.id
    )


def test_only_what_is_new_is_verified_and_that_is_said(house: House, verified: Remembered) -> None:
    report = house.verify(since=verified)

    assert (report.ok, report.entries, report.size) == (True, 5, 307)
    assert report.incomplete == ["leaves before 302: taken as verified before"]
    assert report.root_hex == house.verify().root_hex


def test_where_nothing_is_new_nothing_is_found(house: House, verified: Remembered) -> None:
    head = house.database.read(house.journal.head)

    report = house.verify(since=Remembered(head.size, head.root))

    assert (report.ok, report.entries, report.size) == (True, 0, 307)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300])
def test_it_goes_on_from_any_size(house: House, size: int) -> None:
    house.append(size - 2) if size > 2 else None
    head = house.database.read(house.journal.head)
    house.append(260, 1000)

    assert house.verify(since=Remembered(head.size, head.root)).ok


def test_a_new_leaf_that_was_edited_is_found(
    house: House, administrator: Administrator, verified: Remembered
) -> None:
    edit(administrator, 304)

    assert codes(house.verify(since=verified)) >= {"leaf-edited", "writer-signature"}


def test_an_old_leaf_that_was_edited_is_left_to_the_night(
    house: House, administrator: Administrator, verified: Remembered
) -> None:
    edit(administrator, 40)

    assert house.verify(since=verified).ok
    assert codes(house.verify()) >= {"leaf-edited", "writer-signature"}


def test_an_old_leaf_edited_with_all_that_stands_on_it_is_found(
    house: House, administrator: Administrator, verified: Remembered
) -> None:
    edit(administrator, 40)
    administrator.rebuild(Signer(ORIGIN, keys.load(house.keys_dir).logs[1]))
    (house.state_dir / MEMORY_FILE).unlink()

    assert codes(house.verify(since=verified)) == {"history-rewritten"}


def test_a_tree_shorter_than_what_was_verified_is_found(house: House, verified: Remembered) -> None:
    longer = Remembered(verified.size + 6, verified.root)

    assert codes(house.verify(since=longer)) == {"tail-cut"}


def test_a_new_entry_beside_the_tree_is_found(
    house: House, administrator: Administrator, verified: Remembered
) -> None:
    stray = house.journal.prepare([house.draft(7)])[0]
    administrator.run(
        "INSERT INTO journal_entry (id, kind, leaf, leaf_hash, created_at) "
        "VALUES (:id, 'lookup', :leaf, :hash, 1)",
        id=stray.id.hex,
        leaf=stray.leaf,
        hash=stray.leaf_hash,
    )

    assert codes(house.verify(since=verified)) == {"entry-outside"}


def test_pages_verified_by_other_processes_come_to_the_same(
    house: House, administrator: Administrator, verified: Remembered
) -> None:
    edit(administrator, 40)
    administrator.run(
        "DELETE FROM journal_open WHERE entry_id = "
        "(SELECT entry_id FROM journal_leaf WHERE seq = 250)"
    )
    administrator.run("DELETE FROM journal_leaf WHERE seq = 199")
    beside = SideBySide(Opener(house.database.url, house.keys_dir), 2)
    log = Ed25519PrivateKey.from_private_bytes(keys.load(house.keys_dir).logs[1])
    common = partial(
        verify,
        house.database.read,
        [log.public_key().public_bytes_raw()],
        now=house.clock.now(),
        openings=KeyringOpenings(house.keyring),
    )

    here = common(pages=lambda checker, rows, spans: one_by_one(checker, rows, cut(spans)))
    there = common(pages=lambda checker, rows, spans: beside(checker, rows, cut(spans)))

    assert there == here
    assert codes(here) > {"leaf-edited", "opening-missing", "sequence-broken"}


def cut(spans: Spans) -> Spans:
    """Make pages of fifty leaves."""
    for start, end in spans:
        for at in range(start, end, 50):
            yield at, min(at + 50, end)
