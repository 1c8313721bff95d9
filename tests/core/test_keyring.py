import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import keys
from core.db import Database
from core.errors import DecryptionError, KeysError
from core.keyring import PURPOSES, Keyring, Sealed, row_id
from core.tables import DATA_KEY
from tests.fakes import FixedClock

ROW = b"row-1"
VALUE = "Phường Cửa Nam".encode()


@pytest.fixture
def keyring(keys_dir: Path, sqlite_database: Database, clock: FixedClock) -> Keyring:
    """What opens and seals does not hang on the kind of database; what keeps the keys does."""
    return Keyring.load(keys_dir, sqlite_database, clock)


def seal(keyring: Keyring, purpose: str = "message") -> Sealed:
    return keyring.encrypt(VALUE, purpose, table="inbound", column="blob", row=ROW)


def unseal(keyring: Keyring, sealed: Sealed, **changes: object) -> bytes:
    place = {"table": "inbound", "column": "blob", "row": ROW} | changes
    return keyring.decrypt(sealed, **place)  # type: ignore[arg-type]  # a place's three parts


def add_key(keys_dir: Path, name: str, content: bytes) -> None:
    path = keys_dir / name
    path.write_bytes(content)
    path.chmod(0o400)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_value_opens_where_it_was_sealed(keyring: Keyring, purpose: str) -> None:
    assert unseal(keyring, seal(keyring, purpose)) == VALUE


def test_equal_values_are_sealed_differently(keyring: Keyring) -> None:
    assert seal(keyring).blob != seal(keyring).blob


@pytest.mark.parametrize(
    "moved", [{"table": "outbound"}, {"column": "text"}, {"row": b"row-2"}, {"row": b""}]
)
def test_a_value_that_was_moved_does_not_open(keyring: Keyring, moved: dict[str, object]) -> None:
    with pytest.raises(DecryptionError):
        unseal(keyring, seal(keyring), **moved)


def test_parts_of_a_place_cannot_be_parted_anew(keyring: Keyring) -> None:
    sealed = keyring.encrypt(VALUE, "message", table="ab", column="c", row=ROW)

    with pytest.raises(DecryptionError):
        keyring.decrypt(sealed, table="a", column="bc", row=ROW)


def test_a_value_of_another_purpose_does_not_open_as_this_one(keyring: Keyring) -> None:
    register, message = seal(keyring, "register"), seal(keyring, "message")

    with pytest.raises(DecryptionError):
        unseal(keyring, replace(register, key_id=message.key_id))


@pytest.mark.parametrize("place", [0, 5, 12, 20, -1])
def test_an_altered_value_does_not_open(keyring: Keyring, place: int) -> None:
    sealed = seal(keyring)
    blob = bytearray(sealed.blob)
    blob[place] ^= 1

    with pytest.raises(DecryptionError, match=r"inbound\.blob"):
        unseal(keyring, replace(sealed, blob=bytes(blob)))


@pytest.mark.parametrize("blob", [b"", b"short", b"x" * 12, b"x" * 27])
def test_what_is_no_ciphertext_does_not_open(keyring: Keyring, blob: bytes) -> None:
    with pytest.raises(DecryptionError):
        unseal(keyring, replace(seal(keyring), blob=blob))


def test_a_value_whose_key_is_gone_does_not_open(keyring: Keyring) -> None:
    with pytest.raises(DecryptionError):
        unseal(keyring, Sealed(999, seal(keyring).blob))


def test_an_error_quotes_nothing_of_the_value(keyring: Keyring) -> None:
    with pytest.raises(DecryptionError) as caught:
        unseal(keyring, seal(keyring), row=b"row-2")

    assert "row-2" not in str(caught.value)


def test_keys_of_this_month_and_the_next_are_there(
    keys_dir: Path, database: Database, clock: FixedClock
) -> None:
    Keyring.load(keys_dir, database, clock)

    found = database.read(lambda s: s.execute(sa.select(DATA_KEY.c.purpose, DATA_KEY.c.month)))

    assert sorted(map(tuple, found)) == [
        (purpose, month) for purpose in sorted(PURPOSES) for month in ("2026-03", "2026-04")
    ]


def test_a_value_of_last_month_opens_this_month(keyring: Keyring, clock: FixedClock) -> None:
    before = seal(keyring)
    clock.advance(timedelta(days=40))
    keyring.provide()

    after = seal(keyring)

    assert after.key_id != before.key_id
    assert unseal(keyring, before) == unseal(keyring, after) == VALUE


def test_the_last_of_a_long_month_is_followed_by_the_next(
    keys_dir: Path, sqlite_database: Database
) -> None:
    clock = FixedClock(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    Keyring.load(keys_dir, sqlite_database, clock)

    months = sqlite_database.read(
        lambda s: s.execute(sa.select(DATA_KEY.c.month).distinct()).scalars()
    )

    assert sorted(months) == ["2026-01", "2026-02"]


def test_a_forgotten_month_is_sealed_with_the_newest_key(
    keyring: Keyring, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=300))

    assert unseal(keyring, seal(keyring)) == VALUE


def test_another_process_makes_no_second_key(
    keys_dir: Path, database: Database, clock: FixedClock
) -> None:
    keyring = Keyring.load(keys_dir, database, clock)

    other = Keyring.load(keys_dir, database, clock)

    assert seal(other).key_id == seal(keyring).key_id
    assert unseal(other, seal(keyring)) == VALUE


def test_a_key_another_process_made_is_found(
    keys_dir: Path, database: Database, clock: FixedClock
) -> None:
    keyring = Keyring.load(keys_dir, database, clock)
    later = FixedClock(clock.now() + timedelta(days=70))
    sealed = seal(Keyring.load(keys_dir, database, later))

    assert unseal(keyring, sealed) == VALUE


def test_two_generations_of_wrapping_keys_are_read(
    keyring: Keyring, keys_dir: Path, sqlite_database: Database, clock: FixedClock
) -> None:
    old = seal(keyring)
    add_key(keys_dir, "kek-2.key", b"2" * 32)
    clock.advance(timedelta(days=70))

    rotated = Keyring.load(keys_dir, sqlite_database, clock)

    new = seal(rotated)
    keks = sqlite_database.read(
        lambda s: {row.id: row.kek for row in s.execute(sa.select(DATA_KEY.c.id, DATA_KEY.c.kek))}
    )
    assert (keks[old.key_id], keks[new.key_id]) == (1, 2)
    assert unseal(rotated, old) == unseal(rotated, new) == VALUE


def test_a_start_without_the_wrapping_key_is_refused(
    keyring: Keyring, keys_dir: Path, sqlite_database: Database, clock: FixedClock
) -> None:
    (keys_dir / "kek-1.key").unlink()
    add_key(keys_dir, "kek-2.key", b"2" * 32)

    with pytest.raises(KeysError, match="restore"):
        Keyring.load(keys_dir, sqlite_database, clock)


def test_keys_of_another_deployment_are_refused(
    keyring: Keyring, sqlite_database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    keys.create(tmp_path / "other")

    with pytest.raises(KeysError, match="another database"):
        Keyring.load(tmp_path / "other", sqlite_database, clock)


def test_an_index_is_equal_for_equal_values_of_one_field(keyring: Keyring) -> None:
    assert keyring.index("phone", "+84912345678") == keyring.index("phone", "+84912345678")
    assert keyring.index("phone", "001085123456") != keyring.index("personal_id", "001085123456")
    assert len(keyring.index("phone", "")) == 32


def test_an_index_is_keyed_by_a_file_outside_the_database(keyring: Keyring, keys_dir: Path) -> None:
    root = (keys_dir / "index-1.key").read_bytes()
    field_key = hmac.digest(root, b"blind-index/1\x00phone", "sha256")

    assert keyring.index("phone", "x") == hmac.digest(field_key, b"x", "sha256")


def test_both_generations_of_an_index_are_asked(
    keyring: Keyring, keys_dir: Path, sqlite_database: Database, clock: FixedClock
) -> None:
    before = keyring.index("phone", "+84912345678")
    add_key(keys_dir, "index-2.key", b"2" * 32)

    rotated = Keyring.load(keys_dir, sqlite_database, clock)

    current, previous = rotated.indexes("phone", "+84912345678")
    assert previous == before
    assert current == rotated.index("phone", "+84912345678") != before
    assert keyring.indexes("phone", "+84912345678") == (before,)


def test_a_pepper_parts_its_uses(keyring: Keyring) -> None:
    assert keyring.pepper("a", b"b") == keyring.pepper("a", b"b")
    assert keyring.pepper("a", b"b") != keyring.pepper("b", b"b")
    assert keyring.pepper("a", b"b") != keyring.pepper("a", b"c")


@pytest.mark.parametrize(
    ("tag", "key"),
    [(b"\x00" * 32, 0), (b"\x7f" + b"\xff" * 31, 2**63 - 1), (b"\x80" + b"\x00" * 31, -(2**63))],
)
def test_a_row_is_found_by_the_first_eight_bytes(tag: bytes, key: int) -> None:
    assert row_id(tag) == key
