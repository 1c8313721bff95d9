"""What happened inside, read from the service's tables."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from billing import tariffs
from core.clock import vietnam_day
from core.db import Database
from core.ids import uuid7
from core.keyring import Keyring
from journal.entries import Draft, Kind, Retention
from journal.journal import Journal
from phone.observer import ServiceObserver
from sms.links import registry
from sms.links.model import LinkKind
from sms.links.registry import NewLink
from sms.tables import INBOUND, INBOUND_KEY, OUTBOUND
from tests.fakes import FixedClock

NETWORK = "hong-ha"
ENTRY = Draft(
    kind=Kind.LOOKUP, retention=Retention.LOOKUP, actor="system", actor_index=None, subject=None,
    subject_index=None, payload={"command": "DC", "outcome": "issued"},
)  # fmt: skip


@pytest.fixture
def journal(database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path) -> Journal:
    """The journal of `database`."""
    state_dir = tmp_path / "journal"
    state_dir.mkdir()
    return Journal.open(database, keyring, keys_dir, state_dir, "tradan/test.example")


@pytest.fixture
def link_id(database: Database, keyring: Keyring, clock: FixedClock) -> int:
    """A made-up network's link, three hundred dong a message."""
    new = NewLink(
        code=NETWORK, kind=LinkKind.HTTP, url="http://127.0.0.1:9/", secret="whsec_x", is_test=True
    )
    now = clock.now()
    link_id = database.write(lambda s: registry.add(s, keyring, new, now))
    database.write(lambda s: tariffs.set_price(s, NETWORK, vietnam_day(now), 30000))
    return link_id


@pytest.fixture
def observer(database: Database, keyring: Keyring, journal: Journal) -> ServiceObserver:
    """The view from inside."""
    return ServiceObserver(database, keyring, journal)


def add_inbound(
    database: Database, link_id: int, clock: FixedClock, message_id: str, **columns: object
) -> UUID:
    key, now = uuid7(), clock.now()
    row = {
        "id": key, "link_id": link_id, "operator_message_id": message_id, "key_id": 1, "blob": b"",
        "received_at": now, "stored_at": now, "state": "received", "attempts": 0,
    }  # fmt: skip
    dedupe = {
        "link_id": link_id, "operator_message_id": message_id, "content_tag": b"t" * 32,
        "message_id": key, "received_at": now,
    }  # fmt: skip
    database.write(lambda s: s.execute(sa.insert(INBOUND), row | columns))
    database.write(lambda s: s.execute(sa.insert(INBOUND_KEY), dedupe))
    return key


def add_outbound(
    database: Database, link_id: int, clock: FixedClock, inbound_id: UUID, **columns: object
) -> None:
    now = clock.now()
    row = {
        "id": uuid7(), "inbound_id": inbound_id, "link_id": link_id, "reply": "PIN",
        "command": "DC", "priority": 1, "discloses": True, "is_test": True, "key_id": 1,
        "blob": None, "encoding": "gsm7", "segments": 1, "state": "accepted", "attempt": 1,
        "unknowns": 0, "created_at": now, "next_at": now, "expires_at": now,
    }  # fmt: skip
    database.write(lambda s: s.execute(sa.insert(OUTBOUND), row | columns))


def append(database: Database, journal: Journal) -> UUID:
    entries = journal.prepare([ENTRY])
    database.write(lambda s: journal.append(s, entries))
    if database.dialect == "postgresql":
        journal.seal_once()
    return entries[0].id


def test_a_message_that_waits_is_seen_to_wait(
    database: Database, link_id: int, clock: FixedClock, observer: ServiceObserver
) -> None:
    add_inbound(database, link_id, clock, "in-1")

    inside = observer.insides(NETWORK, ["in-1", "in-2"])

    assert list(inside) == ["in-1"]
    found = inside["in-1"]
    assert (found.state, found.handled_at, found.reply, found.sealing) == (
        "received", None, None, None,
    )  # fmt: skip
    assert (found.stored_at, found.part_price) == (clock.now(), 30000)


def test_an_answered_message_is_seen_with_its_reply_and_its_proof(
    database: Database, link_id: int, clock: FixedClock, journal: Journal, observer: ServiceObserver
) -> None:
    entry_id, handled_at = append(database, journal), clock.now() + timedelta(milliseconds=9)
    inbound_id = add_inbound(
        database, link_id, clock, "in-1",
        state="answered", command="DC", reason="issued", handled_at=handled_at, entry_id=entry_id,
    )  # fmt: skip
    add_outbound(database, link_id, clock, inbound_id, entry_id=entry_id, accepted_at=handled_at)

    found = observer.insides(NETWORK, ["in-1"])["in-1"]

    assert (found.state, found.reason, found.reply, found.reply_state) == (
        "answered", "issued", "PIN", "accepted",
    )  # fmt: skip
    sealing = found.sealing
    assert sealing is not None
    assert sealing.holds
    assert (sealing.size - sealing.index, len(sealing.receipt)) == (1, 19)
    assert sealing.sealed_at == (handled_at if database.dialect == "sqlite" else None)


def test_a_proof_follows_the_growing_tree(
    database: Database, link_id: int, clock: FixedClock, journal: Journal, observer: ServiceObserver
) -> None:
    add_inbound(database, link_id, clock, "in-1", entry_id=append(database, journal))
    before = observer.insides(NETWORK, ["in-1"])["in-1"].sealing

    for _ in range(5):
        append(database, journal)

    after = observer.insides(NETWORK, ["in-1"])["in-1"].sealing
    assert before is not None
    assert after is not None
    assert (after.index, after.size, after.receipt) == (
        before.index, before.size + 5, before.receipt,
    )  # fmt: skip
    assert after.holds


def test_an_entry_that_is_not_sealed_is_not_said_to_be(
    database: Database, link_id: int, clock: FixedClock, observer: ServiceObserver
) -> None:
    add_inbound(database, link_id, clock, "in-1", entry_id=uuid7())

    assert observer.insides(NETWORK, ["in-1"])["in-1"].sealing is None


def test_another_networks_messages_are_not_seen(
    database: Database, link_id: int, clock: FixedClock, observer: ServiceObserver
) -> None:
    add_inbound(database, link_id, clock, "in-1")

    assert observer.insides("cuu-long", ["in-1"]) == {}
    assert observer.insides(NETWORK, []) == {}


def test_without_a_tariff_there_is_no_price(
    database: Database, link_id: int, clock: FixedClock, observer: ServiceObserver
) -> None:
    yesterday = clock.now() - timedelta(days=1)

    add_inbound(database, link_id, clock, "in-1", stored_at=yesterday)

    assert observer.insides(NETWORK, ["in-1"])["in-1"].part_price is None
