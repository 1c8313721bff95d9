import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import months, ratchet
from core.db import Database
from core.errors import DecryptionError, KeysError
from core.keyring import Keyring, Sealed
from core.month_keys import MonthKeys
from core.months import FILE
from tests.fakes import FixedClock

PURPOSE = "journal-lookup-identity"
MARCH = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
MARCHS = 1_202603


@pytest.fixture
def keyring(keys_dir: Path, sqlite_database: Database, clock: FixedClock) -> Keyring:
    """Month keys lie in no database: one kind is enough."""
    return Keyring.load(keys_dir, sqlite_database, clock)


def seal(keyring: Keyring, at: datetime, purpose: str = PURPOSE) -> Sealed:
    return keyring.encrypt(b"value", purpose, table="journal_open", column="enc", row=b"row", at=at)


def unseal(keyring: Keyring, sealed: Sealed) -> bytes:
    return keyring.decrypt(sealed, table="journal_open", column="enc", row=b"row")


def destroy(keys: MonthKeys, *gone: int, purpose: str = PURPOSE) -> dict[str, tuple[int, ...]]:
    with keys.destroying({purpose: gone}) as there:
        return there


@pytest.mark.parametrize("purpose", months.PURPOSES)
def test_a_value_opens_under_the_key_of_its_own_month(keyring: Keyring, purpose: str) -> None:
    sealed = seal(keyring, MARCH, purpose)

    assert sealed.key_id == months.PURPOSES[purpose] * 1_000_000 + 202603
    assert unseal(keyring, sealed) == b"value"


def test_a_value_does_not_open_under_the_key_of_another_month_or_purpose(keyring: Keyring) -> None:
    sealed = seal(keyring, MARCH)

    for other in (MARCHS + 1, MARCHS + 1_000_000, 5_202603, 1_202613, 1_999912, 1):
        with pytest.raises(DecryptionError):
            unseal(keyring, Sealed(other, sealed.blob))


def test_a_destroyed_month_opens_nothing_and_seals_nothing(
    keyring: Keyring, keys_dir: Path, sqlite_database: Database
) -> None:
    before, march, after = (seal(keyring, MARCH.replace(month=m, day=1)) for m in (2, 3, 4))

    there = destroy(keyring.month_keys, 202603)

    other = Keyring.load(keys_dir, sqlite_database)
    assert there == {PURPOSE: (202603,)}
    for each in (keyring, other):
        assert unseal(each, before) == unseal(each, after) == b"value"
        with pytest.raises(DecryptionError):
            unseal(each, march)
        with pytest.raises(KeysError, match="destroyed"):
            seal(each, MARCH)


def test_another_process_forgets_what_was_destroyed_when_it_reads_again(
    keyring: Keyring, keys_dir: Path, sqlite_database: Database
) -> None:
    other = Keyring.load(keys_dir, sqlite_database)
    sealed = seal(other, MARCH)
    destroy(keyring.month_keys, 202603)

    other.month_keys.reread()

    with pytest.raises(DecryptionError):
        unseal(other, sealed)


def test_what_was_destroyed_before_is_not_there_again(keys_dir: Path) -> None:
    keys = MonthKeys(keys_dir)
    destroy(keys, 202601, 202602)

    assert destroy(keys, 202601, 202602) == {}
    assert destroy(keys, 202602, 202603) == {PURPOSE: (202603,)}


def test_nothing_is_destroyed_where_that_cannot_be_told(keyring: Keyring, keys_dir: Path) -> None:
    sealed, content = seal(keyring, MARCH), (keys_dir / FILE).read_bytes()

    def tell() -> None:
        raise OSError

    with pytest.raises(OSError), keyring.month_keys.destroying({PURPOSE: [202603]}):  # noqa: PT011 (raised just here)
        tell()

    assert unseal(keyring, sealed) == b"value"
    assert (keys_dir / FILE).read_bytes() == content
    assert not list(keys_dir.glob("*.new"))


def test_the_file_stays_its_owners_and_the_old_one_is_overwritten(keys_dir: Path) -> None:
    path = keys_dir / FILE
    old = path.open("rb")
    before = old.read()
    (keys_dir / "journal-months.new").write_bytes(b"left by a process that was killed")

    destroy(MonthKeys(keys_dir), 202603)

    old.seek(0)
    overwritten = old.read()
    old.close()
    assert len(overwritten) == len(before)
    assert before[:40] not in overwritten
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert json.loads(path.read_bytes())[PURPOSE]["from"] == 202604


def test_a_month_before_all_months_has_no_key(keyring: Keyring) -> None:
    with pytest.raises(KeysError, match="clock"):
        seal(keyring, MARCH.replace(year=2025))


def test_ids_are_those_of_the_months() -> None:
    found = months.ids("journal-act-act", list(ratchet.months(202612, 202701)))

    assert found == [4_202612, 4_202701]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"k" * 32,
        b"[]",
        b"{}",
        b'{"journal-lookup-identity":{}}',
    ],
)
def test_a_file_that_holds_no_month_keys_is_refused(keys_dir: Path, content: bytes) -> None:
    damage(keys_dir, content)

    with pytest.raises(KeysError, match="does not hold month keys"):
        MonthKeys(keys_dir).reread()


@pytest.mark.parametrize(
    ("name", "value"),
    [("from", "202603"), ("from", 202613), ("key", "00"), ("key", "zz"), ("kept", {"2026": "00"})],
)
def test_a_chain_that_is_not_as_it_must_be_is_refused(
    keys_dir: Path, name: str, value: object
) -> None:
    said = json.loads((keys_dir / FILE).read_bytes())
    said[PURPOSE][name] = value
    damage(keys_dir, json.dumps(said).encode())

    faults: list[str] = []
    assert months.load(keys_dir, faults) == {}
    assert "restore it" in faults[0]


def damage(keys_dir: Path, content: bytes) -> None:
    (keys_dir / FILE).chmod(0o600)
    (keys_dir / FILE).write_bytes(content)
    (keys_dir / FILE).chmod(0o400)
