"""Attacks by whoever holds the database and keys of ours too, mounted; and who notices.

With the log key a history can be signed anew, with the writer's its leaves too. Then nothing in the
database tells, and only a checkpoint that somebody else remembers does: both halves are asserted.
"""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from core import keys
from journal import log_keys, receipts
from journal.audit import KeyringOpenings
from journal.leaf import SIGNATURE_BYTES, Writer
from journal.note import Signer
from journal.verifier import verify
from journal.verifier_log import Remembered
from tests.journal.conftest import ORIGIN, Administrator, House
from tests.journal.test_attacks import filled, id_at, without_last

pytestmark = pytest.mark.usefixtures("filled")


def codes(house: House, remembered: Remembered | None, log_seed: bytes | None = None) -> set[str]:
    """Verify as an auditor does who remembers a head or none, and was given a key of the log."""
    seed = log_seed or keys.load(house.keys_dir).logs[1]
    report = verify(
        house.database.read,
        [log_keys.public_of(seed)],
        now=house.clock.now(),
        remembered=remembered,
        openings=KeyringOpenings(house.keyring),
    )
    return set(report.counts)


def head(house: House) -> Remembered:
    found = house.database.read(house.journal.head)
    return Remembered(found.size, found.root)


def sign_anew(house: House, administrator: Administrator) -> None:
    """Recompute everything over the leaves, and sign it with the real log key."""
    administrator.rebuild(Signer(ORIGIN, keys.load(house.keys_dir).logs[1]))


def rewrite(
    administrator: Administrator, places: range, change: Callable[[bytes], bytes], writer: Writer
) -> None:
    """Change the text of leaves and have a writer sign what comes of it."""
    leaves = administrator.rows(
        "SELECT e.id, e.leaf FROM journal_leaf l JOIN journal_entry e ON e.id = l.entry_id "
        "WHERE l.seq >= :first AND l.seq < :end",
        first=places.start,
        end=places.stop,
    )
    texts = [change(row.leaf[SIGNATURE_BYTES:]) for row in leaves]
    changed = [
        {"id": row.id, "leaf": writer._key.sign(writer._context + text) + text}
        for row, text in zip(leaves, texts, strict=True)
    ]
    with administrator.at_work() as connection:
        connection.execute(sa.text("UPDATE journal_entry SET leaf = :leaf WHERE id = :id"), changed)


def as_act(text: bytes) -> bytes:
    """Change the retention class that a leaf tells."""
    assert b'"r":"lookup"' in text
    return text.replace(b'"r":"lookup"', b'"r":"act"')


def move_up(administrator: Administrator, first: int, by: int) -> None:
    """Renumber the leaves from *first* on."""
    administrator.run("UPDATE journal_leaf SET seq = -seq WHERE seq >= :first", first=first)
    administrator.run("UPDATE journal_leaf SET seq = -seq + :by WHERE seq < 0", by=by)


def test_edit_a_leaf_with_the_log_key_and_the_writers(
    house: House, administrator: Administrator
) -> None:
    seen = head(house)
    writer = house.journal._author._writer
    rewrite(administrator, range(40, 41), as_act, writer)
    sign_anew(house, administrator)

    assert codes(house, remembered=None) == set()
    assert codes(house, seen) == {"history-rewritten"}


def test_swap_neighbours_with_the_log_key(house: House, administrator: Administrator) -> None:
    seen = head(house)
    for old, new in ((40, -1), (41, 40), (-1, 41)):
        administrator.run("UPDATE journal_leaf SET seq = :new WHERE seq = :old", old=old, new=new)
    sign_anew(house, administrator)

    assert codes(house, remembered=None) == set()
    assert codes(house, seen) == {"history-rewritten"}


def test_delete_a_middle_entry_with_the_log_key(house: House, administrator: Administrator) -> None:
    seen, gone = head(house), id_at(administrator, 40)
    for table, key in (("leaf", "entry_id"), ("entry", "id"), ("open", "entry_id")):
        administrator.run(f"DELETE FROM journal_{table} WHERE {key} = :id", id=gone)  # noqa: S608 (our own words)
    move_up(administrator, 41, -1)
    sign_anew(house, administrator)

    assert codes(house, remembered=None) == set()
    assert codes(house, seen) == {"tail-cut"}


def test_insert_an_entry_with_the_log_key_and_the_writers(
    house: House, administrator: Administrator
) -> None:
    seen = head(house)
    forged = house.journal.prepare([house.draft(7)])[0]
    columns = "INSERT INTO journal_entry (id, kind, leaf, leaf_hash, receipt, created_at) VALUES"
    administrator.run(
        f"{columns} (:id, 'lookup', :leaf, :hash, :receipt, :at)",
        receipt=receipts.number_of(forged.leaf_hash),
        id=forged.id.hex,
        leaf=forged.leaf,
        hash=forged.leaf_hash,
        at=1_772_427_600_000_000,
    )
    administrator.run(
        "INSERT INTO journal_open (entry_id, identity_key_id, enc_identity, act_key_id, enc_act, "
        "subject_index, actor_index) VALUES (:id, :ik, :i, :ak, :a, :subject, :actor)",
        id=forged.id.hex,
        ik=forged.identity.key_id,
        i=forged.identity.blob,
        ak=forged.act.key_id,
        a=forged.act.blob,
        subject=forged.subject_index,
        actor=forged.actor_index,
    )
    move_up(administrator, 40, 1)
    administrator.run(
        "INSERT INTO journal_leaf (seq, entry_id, leaf_hash) VALUES (40, :id, :hash)",
        id=forged.id.hex,
        hash=forged.leaf_hash,
    )
    sign_anew(house, administrator)

    assert codes(house, remembered=None) == set()
    assert codes(house, seen) == {"history-rewritten"}


def test_cut_the_tail_with_the_log_key(house: House, administrator: Administrator) -> None:
    seen = head(house)
    without_last(administrator, 10)
    sign_anew(house, administrator)

    assert codes(house, remembered=None) == set()
    assert codes(house, seen) == {"tail-cut"}


def test_build_the_whole_log_anew_with_a_key_of_the_same_origin(
    house: House, administrator: Administrator
) -> None:
    seen, mine = head(house), bytes(31) + b"\1"
    real, thief = house.journal._author._writer, Writer(mine, ORIGIN)
    told = log_keys.announce_writer(ORIGIN, mine, thief.public)
    log = Signer(ORIGIN, mine).verifier.public.hex().encode()

    def change(text: bytes) -> bytes:
        text = text.replace(real._id.encode(), thief._id.encode())
        if b'"kw":"' in text:
            start, end = text.index(b'"ke":"'), text.index(b'"r":"')
            text = (
                text[:start]
                + f'"ke":"{told.endorsement}","kw":"{told.writer}",'.encode()
                + text[end:]
            )
        if b'"kl":"' in text:
            start = text.index(b'"kl":"') + 6
            text = text[:start] + log + text[start + 64 :]
        return text

    rewrite(administrator, range(house.size()), change, thief)
    administrator.rebuild(Signer(ORIGIN, mine))

    assert codes(house, remembered=None) == {
        "log-key", "checkpoint-invalid", "writer-signature",
    }  # fmt: skip
    assert codes(house, remembered=None, log_seed=mine) == set()
    assert codes(house, seen, log_seed=mine) == {"history-rewritten"}


def test_split_view(house: House, administrator: Administrator) -> None:
    """One auditor is shown one log, another a second: both hold, and each gives the other away."""
    here = head(house)
    writer = house.journal._author._writer
    house.append(5, 3000)
    theirs = head(house)
    without_last(administrator, 5)
    rewrite(administrator, range(301, 302), as_act, writer)
    sign_anew(house, administrator)
    there = head(house)

    assert codes(house, there) == set()
    assert codes(house, here) == {"history-rewritten"}
    assert codes(house, theirs) == {"tail-cut"}
    assert (here.size, here.root != there.root) == (there.size, True)
