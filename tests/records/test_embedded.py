from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import databases, keys
from core.db import Database
from core.keyring import Keyring, row_id
from core.keys import Keys
from core.month_keys import MonthKeys
from records import citizens, embedded
from records.embedded import EmbeddedRegister
from records.errors import RegisterDownError, RegisterFaultError
from records.personal_id import PersonalId
from records.register import Record, Register
from records.tables import CITIZEN
from tests.fakes import FixedClock
from tests.records.people import PHUONG, numbered

NOBODY = PersonalId("001185999999")


@pytest.fixture
def register(database: Database, keyring: Keyring) -> EmbeddedRegister:
    """The register of `database`, with Phương and three others in it."""
    citizens.store(database, keyring, [PHUONG, *map(numbered, range(3))])
    return EmbeddedRegister(database, keyring)


def stored(database: Database) -> list[sa.Row[tuple[object, ...]]]:
    return list(database.read(lambda s: s.execute(sa.select(CITIZEN).order_by("id")).all()))


def test_everybody_asked_for_is_answered_for(register: Register) -> None:
    found = register.find([PHUONG.personal_id, NOBODY, numbered(1).personal_id])

    assert found == {
        PHUONG.personal_id: PHUONG,
        NOBODY: None,
        numbered(1).personal_id: numbered(1),
    }


def test_nobody_asked_for_is_nobody_found(register: Register) -> None:
    assert register.find([]) == {}


def test_nothing_of_a_record_stands_in_the_table_in_clear(
    register: EmbeddedRegister, database: Database
) -> None:
    clear = repr(stored(database)).casefold().encode()

    for secret in (PHUONG.personal_id, "912345678", "phương", "cửa nam", "1985"):
        assert secret.encode() not in clear
    assert b"".join(row.blob for row in stored(database)).find(b"Ph") < 0


def test_a_row_takes_at_most_220_bytes(register: EmbeddedRegister, database: Database) -> None:
    for row in stored(database):
        # Three integers of eight bytes at most, one of them indexed with its key; one flag.
        assert len(row.tag) + len(row.blob) + len(row.digest) + 5 * 8 + 1 <= 220


def spoil_blob(row: sa.Row[tuple[object, ...]], _other: sa.Row[tuple[object, ...]]) -> bytes:
    return bytes([row.blob[0] ^ 1]) + bytes(row.blob[1:])


def swap_blob(_row: sa.Row[tuple[object, ...]], other: sa.Row[tuple[object, ...]]) -> bytes:
    return bytes(other.blob)


@pytest.mark.parametrize("spoil", [spoil_blob, swap_blob])
def test_a_row_that_was_altered_or_moved_is_a_fault_and_nobody(
    register: EmbeddedRegister,
    database: Database,
    keyring: Keyring,
    spoil: Callable[[sa.Row[tuple[object, ...]], sa.Row[tuple[object, ...]]], bytes],
) -> None:
    key = row_id(keyring.index("personal_id", PHUONG.personal_id))
    row = next(each for each in stored(database) if each.id == key)
    other = next(each for each in stored(database) if each.id != key)
    database.write(
        lambda s: s.execute(
            sa.update(CITIZEN).where(CITIZEN.c.id == key).values(blob=spoil(row, other))
        )
    )

    with pytest.raises(RegisterFaultError):
        register.find([PHUONG.personal_id])


def test_a_row_that_opens_and_holds_another_is_a_fault(
    register: EmbeddedRegister, database: Database, keyring: Keyring
) -> None:
    tag = keyring.index("personal_id", NOBODY)
    impostor = replace(citizens.draft(keyring, PHUONG), tags=(tag,))
    database.write(lambda s: citizens.put(s, citizens.seal(keyring, [impostor])))

    with pytest.raises(RegisterFaultError, match="another person"):
        register.find([NOBODY])


def test_a_row_whose_key_only_begins_like_the_number_s_is_not_its_row(
    register: EmbeddedRegister, database: Database, keyring: Keyring
) -> None:
    tag = keyring.index("personal_id", NOBODY)
    alike = citizens.draft(keyring, replace(PHUONG, personal_id=NOBODY))
    alike = replace(alike, tags=(tag[:8] + bytes(24),))
    database.write(lambda s: citizens.put(s, citizens.seal(keyring, [alike])))

    assert register.find([NOBODY]) == {NOBODY: None}


def test_a_register_whose_database_does_not_answer_is_down(
    keyring: Keyring,
) -> None:
    nowhere = sa.URL.create("postgresql", host="127.0.0.1", port=1, database="nobody")
    register = EmbeddedRegister(databases.open_database(nowhere), keyring)

    with pytest.raises(RegisterDownError):
        register.find([PHUONG.personal_id])


def test_telephones_are_counted_by_who_has_them(database: Database, keyring: Keyring) -> None:
    family = [replace(numbered(n), phone=PHUONG.phone) for n in range(4)]
    citizens.store(database, keyring, [PHUONG, *family, replace(numbered(9), phone=None)])
    shared = row_id(keyring.index("phone", str(PHUONG.phone)))
    nobodys = row_id(keyring.index("phone", "+84999999999"))

    counts = database.read(lambda s: embedded.shared_by(s, [shared, nobodys]))

    assert counts == {shared: 5, nobodys: 0}


def rotated(keys_dir: Path, database: Database) -> Keyring:
    """Return the keyring after a new index key has been made."""
    old = keys.load(keys_dir)
    made = Keys(old.keks, old.indexes | {2: b"\x02" * 32}, old.pepper, old.logs)
    keyring = Keyring(made, MonthKeys(keys_dir), database, FixedClock())
    keyring.provide()
    return keyring


def test_rows_of_the_index_key_before_are_found_and_left_until_they_change(
    register: EmbeddedRegister, database: Database, keys_dir: Path
) -> None:
    newer = rotated(keys_dir, database)
    moved = replace(PHUONG, commune="Phường Hoàn Kiếm")

    same = citizens.store(database, newer, [PHUONG])
    assert (len(same.added), len(same.changed), len(same.unchanged)) == (0, 0, 1)
    assert EmbeddedRegister(database, newer).find([PHUONG.personal_id]) == {
        PHUONG.personal_id: PHUONG
    }

    changed = citizens.store(database, newer, [moved])
    assert (len(changed.added), len(changed.changed), len(changed.unchanged)) == (0, 1, 0)
    assert len(stored(database)) == 4
    assert EmbeddedRegister(database, newer).find([PHUONG.personal_id]) == {
        PHUONG.personal_id: moved
    }


def test_storing_says_what_was_new_what_changed_and_what_neither(
    register: EmbeddedRegister, database: Database, keyring: Keyring
) -> None:
    moved: Record = replace(numbered(0), commune="Xã Bình Mỹ")

    found = citizens.store(database, keyring, [PHUONG, moved, numbered(50)])

    assert (len(found.added), len(found.changed), len(found.unchanged)) == (1, 1, 1)
    assert register.find([moved.personal_id]) == {moved.personal_id: moved}


def test_what_is_made_up_is_marked_in_the_table_too(
    register: EmbeddedRegister, database: Database, keyring: Keyring
) -> None:
    citizens.store(database, keyring, [replace(PHUONG, is_test=True)])

    marked = database.read(lambda s: s.execute(sa.select(CITIZEN.c.id).where(CITIZEN.c.is_test)))
    assert [row.id for row in marked] == [row_id(keyring.index("personal_id", PHUONG.personal_id))]
