"""Each attack that the journal must survive, mounted by somebody with the database in hand.

Source: the threats that docs/adr/0004-journal.md names. Those on a sealer are in test_sealer.py.
"""

from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from core import keys
from journal.errors import JournalFault
from journal.journal import MEMORY_FILE
from journal.leaf import Writer
from journal.note import Signer
from journal.verifier import Report
from tests.journal.conftest import ORIGIN, Administrator, House

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
# What is put over rows of a table, and what the verifier says of that.
PUT_OVER = {
    "journal_leaf": (
        "(seq, entry_id, leaf_hash) SELECT 41, entry_id, leaf_hash FROM journal_leaf LIMIT 1",
        {"sequence-broken", "entry-outside", "root-differs"},
    ),
    "journal_tile": (
        "(level, n, hashes) SELECT level, n, zeroblob(length(hashes)) FROM journal_tile",
        {"tile-differs"},
    ),
    "journal_checkpoint": (
        "(size, note, signed_at) SELECT size, '1' || note, signed_at FROM journal_checkpoint",
        {"checkpoint-invalid"},
    ),
    "tree_state": (
        "(id, origin, size, root) SELECT id, origin, size - 1, root FROM tree_state",
        {"size-differs"},
    ),
}
pytestmark = pytest.mark.usefixtures("filled")


@pytest.fixture
def filled(house: House) -> None:
    """A journal of 302 leaves: more than a tile."""
    house.append(200)
    house.append(100, 1000)


def found(house: House, **options: object) -> set[str]:
    """Verify and return the codes of what was found."""
    report: Report = house.verify(**options)
    assert report.ok is not bool(report.counts)
    return set(report.counts)


def id_at(administrator: Administrator, seq: int) -> object:
    return administrator.rows("SELECT entry_id FROM journal_leaf WHERE seq = :seq", seq=seq)[
        0
    ].entry_id


def entry_bytes(administrator: Administrator, seq: int) -> bytes:
    return UUID(str(id_at(administrator, seq))).bytes


def edited(administrator: Administrator, seq: int) -> None:
    """Change one letter of a leaf: the retention class of an entry."""
    entry_id = id_at(administrator, seq)
    leaf = administrator.rows("SELECT leaf FROM journal_entry WHERE id = :id", id=entry_id)[0].leaf
    changed = leaf.replace(b'"r":"lookup"', b'"r":"act"')
    assert changed != leaf
    administrator.run(
        "UPDATE journal_entry SET leaf = :leaf WHERE id = :id", leaf=changed, id=entry_id
    )


def put_over(administrator: Administrator, statement: str, **values: object) -> None:
    """Put rows in the place of others: SQLite asks no trigger about those that go."""
    with administrator.engine.begin() as connection:
        connection.execute(sa.text(f"INSERT OR REPLACE INTO {statement}"), values)


def without_last(administrator: Administrator, count: int) -> None:
    """Take the last entries away as if they had never been."""
    size = administrator.rows("SELECT size FROM tree_state")[0].size
    last = "SELECT entry_id FROM journal_leaf WHERE seq >= :first"
    first = size - count
    administrator.run(f"DELETE FROM journal_open WHERE entry_id IN ({last})", first=first)  # noqa: S608 (our own words)
    administrator.run(f"DELETE FROM journal_entry WHERE id IN ({last})", first=first)  # noqa: S608 (our own words)
    administrator.run("DELETE FROM journal_leaf WHERE seq >= :first", first=first)
    administrator.run("DELETE FROM journal_checkpoint WHERE size > :first", first=first)


def test_an_untouched_journal_has_nothing_to_find(house: House) -> None:
    report = house.verify()

    assert (report.ok, report.findings, report.incomplete) == (True, [], [])
    assert (report.entries, report.size, report.checkpoints) == (302, 302, 1)
    assert report.root_hex == house.database.read(house.journal.head).root.hex()
    assert report.writers == [house.journal._author._writer.public.hex()]


def test_edit_a_leaf(house: House, administrator: Administrator) -> None:
    edited(administrator, 40)

    assert found(house) >= {"leaf-edited", "writer-signature", "root-differs", "tile-differs"}


def test_edit_a_leaf_and_recompute_hash_tiles_and_root(
    house: House, administrator: Administrator
) -> None:
    edited(administrator, 40)
    administrator.rebuild()

    assert found(house) == {
        "writer-signature",
        "checkpoint-differs",
        "history-rewritten",
    }


@ON_SQLITE
def test_put_an_edited_leaf_over_it_past_the_triggers(
    house: House, administrator: Administrator
) -> None:
    entry_id = id_at(administrator, 40)
    leaf = administrator.rows("SELECT leaf FROM journal_entry WHERE id = :id", id=entry_id)[0].leaf

    put_over(
        administrator,
        "journal_entry (id, kind, leaf, leaf_hash, created_at, receipt) "
        "SELECT id, kind, :leaf, leaf_hash, created_at, receipt FROM journal_entry WHERE id = :id",
        id=entry_id,
        leaf=leaf.replace(b'"r":"lookup"', b'"r":"act"'),
    )

    counts = found(house)
    assert counts >= {"leaf-edited", "writer-signature", "root-differs", "tile-differs"}
    assert "trigger-missing" not in counts


@ON_SQLITE
@pytest.mark.parametrize("table", PUT_OVER)
def test_put_a_row_over_another_past_the_triggers(
    house: House, administrator: Administrator, table: str
) -> None:
    rows, codes = PUT_OVER[table]

    put_over(administrator, f"{table} {rows}")

    counts = found(house)
    assert counts >= codes
    assert "trigger-missing" not in counts


def test_delete_a_middle_entry_and_renumber(house: House, administrator: Administrator) -> None:
    administrator.run("DELETE FROM journal_leaf WHERE seq = 40")
    administrator.run("UPDATE journal_leaf SET seq = -seq WHERE seq > 40")
    administrator.run("UPDATE journal_leaf SET seq = -seq - 1 WHERE seq < 0")
    administrator.rebuild()

    assert found(house) >= {"checkpoint-missing", "entry-outside", "tail-cut"}


def test_delete_a_middle_entry(house: House, administrator: Administrator) -> None:
    administrator.run("DELETE FROM journal_entry WHERE id = :id", id=id_at(administrator, 40))

    assert found(house) == {"entry-missing", "opening-outside"}


def test_delete_a_middle_leaf(house: House, administrator: Administrator) -> None:
    administrator.run("DELETE FROM journal_leaf WHERE seq = 40")

    assert found(house) >= {"sequence-broken", "size-differs", "entry-outside", "root-differs"}


def test_swap_neighbours(house: House, administrator: Administrator) -> None:
    administrator.run("UPDATE journal_leaf SET seq = -1 WHERE seq = 40")
    administrator.run("UPDATE journal_leaf SET seq = 40 WHERE seq = 41")
    administrator.run("UPDATE journal_leaf SET seq = 41 WHERE seq = -1")

    assert found(house) >= {"root-differs", "tile-differs", "checkpoint-differs"}


def test_cut_the_tail(house: House, administrator: Administrator) -> None:
    house.clock.at = house.clock.at.replace(minute=30)
    house.append(10, 5000)
    without_last(administrator, 10)
    administrator.rebuild()

    assert found(house) == {"tail-cut"}


def test_cut_the_tail_where_nobody_remembers(house: House, administrator: Administrator) -> None:
    house.clock.at = house.clock.at.replace(minute=30)
    house.append(10, 5000)
    without_last(administrator, 10)
    administrator.rebuild()
    (house.state_dir / MEMORY_FILE).unlink()

    report = house.verify()

    assert report.ok
    assert report.incomplete == ["cut tail: no remembered checkpoint was given"]


def test_restore_an_old_backup(house: House, administrator: Administrator) -> None:
    house.clock.at = house.clock.at.replace(minute=30)
    house.append(10, 5000)
    without_last(administrator, 10)
    administrator.rebuild()

    with pytest.raises(JournalFault):
        house.append(1, 6000)
    assert found(house) >= {"tail-cut"}


def test_swap_payloads(house: House, administrator: Administrator) -> None:
    one, other = id_at(administrator, 40), id_at(administrator, 41)
    row = administrator.rows(
        "SELECT enc_act, act_key_id FROM journal_open WHERE entry_id = :id", id=one
    )[0]
    administrator.run(
        "UPDATE journal_open SET enc_act = :blob, act_key_id = :key WHERE entry_id = :id",
        blob=row.enc_act,
        key=row.act_key_id,
        id=other,
    )

    assert found(house) == {"opening-unreadable"}


def test_swap_payloads_with_the_data_keys_in_hand(
    house: House, administrator: Administrator
) -> None:
    forged = house.keyring.encrypt(
        b'{"e":"' + b"00" * 32 + b'","payload":"{}"}',
        "journal-lookup-act",
        table="journal_open",
        column="enc_act",
        row=entry_bytes(administrator, 40),
    )
    administrator.run(
        "UPDATE journal_open SET enc_act = :blob, act_key_id = :key WHERE entry_id = :id",
        blob=forged.blob,
        key=forged.key_id,
        id=id_at(administrator, 40),
    )

    assert found(house) == {"opening-differs"}


def test_put_nonsense_where_payloads_were(house: House, administrator: Administrator) -> None:
    nonsense = (b"", b"[]", b"{}", b'{"e":1}', b'{"e":"zz","payload":""}')
    for seq, forged in enumerate(nonsense, start=40):
        sealed = house.keyring.encrypt(
            forged,
            "journal-lookup-act",
            table="journal_open",
            column="enc_act",
            row=entry_bytes(administrator, seq),
        )
        administrator.run(
            "UPDATE journal_open SET enc_act = :blob, act_key_id = :key WHERE entry_id = :id",
            blob=sealed.blob,
            key=sealed.key_id,
            id=id_at(administrator, seq),
        )

    report = house.verify()

    assert [finding.seq for finding in report.findings] == [40, 41, 42, 43, 44]
    assert set(report.counts) == {"opening-differs"}


@pytest.mark.parametrize("part", ["identity", "act"])
def test_null_a_payload(house: House, administrator: Administrator, part: str) -> None:
    administrator.run(
        f"UPDATE journal_open SET enc_{part} = NULL WHERE entry_id = :id",  # noqa: S608 (our own words)
        id=id_at(administrator, 40),
    )

    # What finds the citizen's entries would go with the identity.
    left = {"index-left"} if part == "identity" else set()
    assert found(house) == {"opening-missing"} | left


def test_delete_an_opening(house: House, administrator: Administrator) -> None:
    administrator.run("DELETE FROM journal_open WHERE entry_id = :id", id=id_at(administrator, 40))

    assert found(house) == {"opening-missing"}


def test_hide_an_access_from_the_citizen(house: House, administrator: Administrator) -> None:
    administrator.run("UPDATE journal_open SET subject_index = NULL, actor_index = 5")

    assert found(house) == {"index-differs"}


@pytest.mark.parametrize("receipt", ["NULL", "receipt + 1"])
def test_hide_an_entry_from_its_receipt(
    house: House, administrator: Administrator, receipt: str
) -> None:
    where = "WHERE id = :id"
    administrator.run(
        f"UPDATE journal_entry SET receipt = {receipt} {where}",  # noqa: S608 (our own words)
        id=id_at(administrator, 40),
    )

    assert found(house) == {"receipt-differs"}


def test_what_has_expired_may_be_gone(house: House, administrator: Administrator) -> None:
    now = house.clock.now()
    administrator.run(
        "UPDATE journal_open SET enc_identity = NULL, subject_index = NULL, actor_index = NULL"
    )

    assert found(house, now=now.replace(year=now.year + 2)) == {"opening-missing"}
    later = house.verify(now=now.replace(year=now.year + 2, month=now.month + 1))
    assert later.counts == {"opening-missing": 2}  # the keys' own entries are kept for five years


def test_put_a_forged_row_into_pending(house: House, administrator: Administrator) -> None:
    genuine = house.journal.prepare([house.draft(7)])[0]
    administrator.run(
        "INSERT INTO journal_entry (id, kind, leaf, leaf_hash, created_at) "
        "VALUES (:id, 'lookup', :leaf, :hash, 1)",
        id=genuine.id.hex,
        leaf=genuine.leaf.replace(b'"r":"lookup"', b'"r":"act"'),
        hash=genuine.leaf_hash,
    )
    administrator.run("INSERT INTO journal_pending VALUES (:id)", id=genuine.id.hex)

    assert found(house) == {"pending-forged"}


def test_put_an_entry_beside_the_tree(house: House, administrator: Administrator) -> None:
    genuine = house.journal.prepare([house.draft(7)])[0]
    administrator.run(
        "INSERT INTO journal_entry (id, kind, leaf, leaf_hash, created_at) "
        "VALUES (:id, 'lookup', :leaf, :hash, 1)",
        id=genuine.id.hex,
        leaf=genuine.leaf,
        hash=genuine.leaf_hash,
    )

    assert found(house) == {"entry-outside"}


def test_replay_a_genuine_leaf_through_pending(house: House, administrator: Administrator) -> None:
    administrator.run("INSERT INTO journal_pending VALUES (:id)", id=id_at(administrator, 40))

    assert found(house) == {"pending-replayed"}


def test_replay_a_genuine_leaf_under_another_id(house: House, administrator: Administrator) -> None:
    leaf = administrator.rows(
        "SELECT leaf FROM journal_entry WHERE id = :id", id=id_at(administrator, 40)
    )[0].leaf
    administrator.run(
        "UPDATE journal_entry SET leaf = :leaf WHERE id = :id",
        leaf=leaf,
        id=id_at(administrator, 41),
    )
    administrator.rebuild(Signer(ORIGIN, keys.load(house.keys_dir).logs[1]))

    assert found(house) >= {"leaf-misplaced", "history-rewritten"}


def test_rewrite_history_and_sign_it_with_the_real_log_key(
    house: House, administrator: Administrator
) -> None:
    edited(administrator, 40)
    administrator.rebuild(Signer(ORIGIN, keys.load(house.keys_dir).logs[1]))
    (house.state_dir / MEMORY_FILE).unlink()

    assert found(house) == {"writer-signature"}


def test_rewrite_history_with_both_keys_where_somebody_remembers(
    house: House, administrator: Administrator
) -> None:
    entry_id = id_at(administrator, 40)
    material = keys.load(house.keys_dir)
    writer = house.journal._author._writer
    leaf = administrator.rows("SELECT leaf FROM journal_entry WHERE id = :id", id=entry_id)[0].leaf
    text = leaf[64:].replace(b'"r":"lookup"', b'"r":"act"')
    signature = writer._key.sign(writer._context + text)
    administrator.run(
        "UPDATE journal_entry SET leaf = :leaf WHERE id = :id", leaf=signature + text, id=entry_id
    )
    administrator.rebuild(Signer(ORIGIN, material.logs[1]))

    assert found(house) == {"history-rewritten"}
    (house.state_dir / MEMORY_FILE).unlink()
    assert found(house) == set()


def test_substitute_a_key_with_the_same_origin(house: House, administrator: Administrator) -> None:
    edited(administrator, 40)
    administrator.rebuild(Signer(ORIGIN, bytes(32)))

    assert found(house) >= {"checkpoint-invalid", "writer-signature"}


def test_announce_a_writer_of_ones_own(
    house: House, administrator: Administrator, tmp_path: Path
) -> None:
    thief = Writer(bytes(32), ORIGIN)
    entry = house.journal.prepare([house.draft(7)])[0]
    text = (
        entry.leaf[64:]
        .replace(b'"t":"lookup"', b'"t":"key"')
        .replace(
            b'"r":', b'"ke":"' + b"0" * 128 + b'","kw":"' + thief.public.hex().encode() + b'","r":'
        )
    )
    text = text[: text.index(b'"w":')] + f'"w":"{thief._id}"}}'.encode()
    administrator.run(
        "INSERT INTO journal_entry (id, kind, leaf, leaf_hash, created_at) "
        "VALUES (:id, 'key', :leaf, :hash, :at)",
        id=entry.id.hex,
        leaf=thief._key.sign(thief._context + text) + text,
        hash=bytes(32),
        at=1_772_427_600_000_000,
    )
    administrator.run("INSERT INTO journal_leaf VALUES (302, :id, :h)", id=entry.id.hex, h=b"")
    administrator.rebuild(Signer(ORIGIN, keys.load(house.keys_dir).logs[1]))

    assert found(house) >= {"writer-signature"}


@pytest.mark.parametrize("behind", ["x", "x\n", "\n", "— \n", "— somebody\n", "— somebody !\n"])
def test_write_behind_the_signatures_of_a_checkpoint(
    house: House, administrator: Administrator, behind: str
) -> None:
    administrator.run("UPDATE journal_checkpoint SET note = note || :behind", behind=behind)

    assert found(house) == {"checkpoint-invalid"}


def test_edit_the_text_of_a_checkpoint(house: House, administrator: Administrator) -> None:
    administrator.run("UPDATE journal_checkpoint SET note = replace(note, '302', '301')")

    assert found(house) == {"checkpoint-invalid"}


def test_put_a_checkpoint_under_another_size(house: House, administrator: Administrator) -> None:
    administrator.run("UPDATE journal_checkpoint SET size = 301")

    assert found(house) == {"checkpoint-differs", "checkpoint-missing"}


def test_remove_the_newest_checkpoint(house: House, administrator: Administrator) -> None:
    administrator.run("DELETE FROM journal_checkpoint")

    assert found(house) == {"checkpoint-missing"}


def test_flip_a_bit_in_a_full_tile(house: House, administrator: Administrator) -> None:
    where = "WHERE level = 0 AND n = 0"
    tile = administrator.rows(f"SELECT hashes FROM journal_tile {where}")[0].hashes  # noqa: S608 (our own words)
    flipped = bytes([tile[0] ^ 1]) + tile[1:]
    administrator.run(f"UPDATE journal_tile SET hashes = :h {where}", h=flipped)  # noqa: S608 (our own words)

    assert found(house) == {"tile-differs"}


@pytest.mark.parametrize("level", [0, 1])
def test_remove_a_tile(house: House, administrator: Administrator, level: int) -> None:
    administrator.run("DELETE FROM journal_tile WHERE level = :level", level=level)

    assert found(house) == {"tile-differs"}


def test_claim_a_longer_tree(house: House, administrator: Administrator) -> None:
    administrator.run("UPDATE tree_state SET size = 4611686018427387904")

    assert found(house) >= {"sequence-broken", "size-differs", "checkpoint-missing"}


def test_change_what_stands_beside_a_leaf(house: House, administrator: Administrator) -> None:
    administrator.run("UPDATE journal_entry SET kind = 'admin', created_at = 5 WHERE kind = 'key'")

    assert found(house) == {"columns-differ", "key-announcement"}


def test_empty_the_journal(house: House, administrator: Administrator) -> None:
    for table in ("entry", "open", "leaf", "tile", "checkpoint"):
        administrator.run(f"DELETE FROM journal_{table}")  # noqa: S608 (our own words)
    administrator.run("DELETE FROM tree_state")

    assert found(house) >= {"tail-cut"}


def test_a_leaf_no_reader_of_json_would_refuse_is_refused(
    house: House, administrator: Administrator
) -> None:
    entry_id = id_at(administrator, 40)
    leaf = administrator.rows("SELECT leaf FROM journal_entry WHERE id = :id", id=entry_id)[0].leaf
    administrator.run(
        "UPDATE journal_entry SET leaf = :leaf WHERE id = :id",
        leaf=leaf.replace(b'"v":1,', b'"v":1, '),
        id=entry_id,
    )

    assert found(house) >= {"leaf-malformed", "leaf-edited"}
