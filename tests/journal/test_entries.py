import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from core.db import Database
from core.keyring import Keyring
from journal import leaf, receipts
from journal.entries import Entry, Kind, Retention
from journal.errors import DraftError
from journal.journal import Journal
from journal.leaf import Announcement, Statement, Writer
from journal.verifier_leaf import read_leaf
from tests.fakes import NOON, FixedClock
from tests.journal.conftest import ORIGIN, House


@pytest.fixture
def house(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[House]:
    """A journal; what an entry is does not depend on where it is kept."""
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    journal = Journal.open(sqlite_database, keyring, keys_dir, tmp_path, ORIGIN, clock)
    yield House(journal, sqlite_database, keyring, keys_dir, tmp_path, clock)
    journal.close()


names = st.from_regex(r"\A[a-z_]{1,12}\Z")
text = st.text(st.characters(exclude_categories=["Cs"]))
values = text | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.lists(text).map(tuple)


@given(st.dictionaries(names, values))
def test_a_payload_has_the_canonical_form_of_rfc_8785(
    payload: dict[str, leaf.PayloadValue],
) -> None:
    written = leaf.canonical(payload)

    as_lists = {name: list(v) if isinstance(v, tuple) else v for name, v in payload.items()}
    assert json.loads(written) == as_lists
    assert (
        written
        == json.dumps(as_lists, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )


@pytest.mark.parametrize(
    "payload",
    [
        {"năm": 1},
        {"a b": 1},
        {"big": 2**53},
        {"small": -(2**53)},
        {"half": "\ud800"},
        {"float": 1.5},
        {"none": None},
        {"nested": {"a": 1}},
        {"list": (1, 2)},
    ],
)
def test_what_readers_of_json_might_take_otherwise_is_refused(
    payload: dict[str, leaf.PayloadValue],
) -> None:
    with pytest.raises(DraftError):
        leaf.canonical(payload)


@given(
    st.uuids(version=4),
    st.sampled_from(Kind),
    st.sampled_from(Retention),
    st.datetimes(min_value=NOON.replace(tzinfo=None)),
    st.sampled_from([None, Announcement("a" * 64, "b" * 128), Announcement(log="c" * 64)]),
)
def test_a_leaf_is_canonical_json_after_a_signature(
    entry_id: object, kind: Kind, retention: Retention, at: object, keys_: Announcement | None
) -> None:
    statement = Statement(
        id=entry_id,  # type: ignore[arg-type] # Hypothesis types its UUIDs loosely
        kind=kind,
        retention=retention,
        at=at.replace(tzinfo=NOON.tzinfo),  # type: ignore[attr-defined] # and its datetimes
        actor=bytes(32),
        subject=bytes([1]) * 32,
        payload=bytes([2]) * 32,
        announcement=keys_,
    )
    writer = Writer(bytes(32), ORIGIN)

    made = writer.leaf(statement)

    said = json.loads(made[64:])
    assert made[64:] == json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    assert (said["v"], said["t"], said["r"], said["id"]) == (1, kind, retention, str(entry_id))
    public = Ed25519PublicKey.from_public_bytes(writer.public)
    public.verify(made[:64], f"tradan journal entry v1\n{ORIGIN}\n".encode() + made[64:])


def test_the_commitments_open_with_the_salts_that_lie_beside_them(house: House) -> None:
    entry = house.journal.prepare([house.draft(7)])[0]

    said = json.loads(entry.leaf[64:])
    identity, act = opened(house, entry)
    s, e = bytes.fromhex(identity["s"]), bytes.fromhex(act["e"])
    assert identity["subject"] == "person:000000000007"
    assert identity["actor"] == "phone:+84900000007"
    assert said["cs"] == committed(s, b"subject", b"person:000000000007")
    assert said["ca"] == committed(s, b"actor", b"phone:+84900000007")
    assert said["cp"] == committed(e, b"payload", act["payload"].encode())
    assert json.loads(act["payload"])["fields"] == ["name", "sex"]
    assert said["ts"] == 1_772_427_600_000_000
    assert said["id"] == str(entry.id)


def test_an_officers_name_outlives_the_citizens(house: House) -> None:
    draft = replace(house.draft(7), actor="officer:an", actor_index=None, retention=Retention.ACT)

    entry = house.journal.prepare([draft])[0]

    identity, act = opened(house, entry)
    assert "actor" not in identity
    assert act["actor"] == "officer:an"
    assert json.loads(entry.leaf[64:])["ca"] == committed(
        bytes.fromhex(act["e"]), b"actor", b"officer:an"
    )


def test_a_code_is_never_six_digits(house: House) -> None:
    made = [house.journal.prepare(house.drafts(500)) for _ in range(8)]

    entries = [entry for batch in made for entry in batch]
    assert not any(entry.code.isdecimal() for entry in entries)
    assert all(entry.code == entry.receipt.replace("-", "")[:6] for entry in entries)
    assert all(entry.receipt == receipts.receipt_of(entry.leaf_hash) for entry in entries)
    ids = [entry.id for entry in entries]
    assert ids == sorted(set(ids))  # those drawn anew among them


def test_equal_drafts_make_entries_that_nobody_can_link(house: House) -> None:
    one, other = house.journal.prepare([house.draft(7), house.draft(7)])

    said, again = json.loads(one.leaf[64:]), json.loads(other.leaf[64:])
    assert all(said[name] != again[name] for name in ("ca", "cs", "cp", "id"))


def test_an_entry_holds_nothing_of_a_citizen_in_clear(house: House) -> None:
    entry = house.journal.prepare([house.draft(7)])[0]

    for held in (entry.leaf, entry.identity.blob, entry.act.blob):
        assert b"00000007" not in held
        assert b"told" not in held


def test_a_leaf_of_every_kind_is_read_by_the_verifier(house: House) -> None:
    draft = house.draft()

    made = house.journal.prepare([replace(draft, kind=kind) for kind in Kind])

    read = [read_leaf(entry.leaf) for entry in made]
    assert [leaf.word("kind") for leaf in read if leaf is not None] == list(Kind)


def test_a_citizen_is_never_written_without_the_index_that_finds_them(house: House) -> None:
    draft = house.draft()

    for wrong in (
        replace(draft, actor_index=None),
        replace(draft, subject_index=None),
        replace(draft, subject=None),
        replace(draft, subject=""),
        replace(draft, actor=""),
        replace(draft, actor="system"),
    ):
        with pytest.raises(DraftError):
            house.journal.prepare([wrong])


def test_another_log_does_not_take_a_leaf_over(house: House) -> None:
    entry = house.journal.prepare([house.draft()])[0]
    writer = Writer(house.journal._author._writer._key.private_bytes_raw(), "another.example")

    public = Ed25519PublicKey.from_public_bytes(writer.public)

    with pytest.raises(InvalidSignature):
        public.verify(entry.leaf[:64], leaf.leaf_context("another.example") + entry.leaf[64:])


def opened(house: House, entry: Entry) -> tuple[dict[str, str], dict[str, str]]:
    def plain(part: str) -> dict[str, str]:
        said: dict[str, str] = json.loads(
            house.keyring.decrypt(
                getattr(entry, part),
                table="journal_open",
                column=f"enc_{part}",
                row=entry.id.bytes,
            )
        )
        return said

    return plain("identity"), plain("act")


def committed(salt: bytes, label: bytes, value: bytes) -> str:
    key = hmac.new(salt, label, hashlib.sha256).digest()
    return hmac.new(key, value, hashlib.sha256).hexdigest()
