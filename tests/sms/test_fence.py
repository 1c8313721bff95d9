"""A restored database discloses nothing, and what was under way in it does not revive."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
import sqlalchemy as sa

from journal.errors import JournalFault
from journal.journal import Journal
from journal.mirror import FOLDER, Mirror
from journal.recovery import Grounds, Recovery
from records import stops
from records.pins import CHALLENGE
from records.stops import Scope
from sms import fence
from sms.tables import SENDER
from tests.journal.conftest import Administrator
from tests.restoring import backup, restore
from tests.sms.gateway import Gateway, make_handler

GROUNDS = Grounds("console:an", ("Tran Thi B", "Le Van C"), "disk 2 failed")


@pytest.fixture
def administrator(gateway: Gateway) -> Iterator[Administrator]:
    engine = sa.create_engine(gateway.database.url, poolclass=sa.pool.NullPool)
    yield Administrator(engine)
    engine.dispose()


def recover(gateway: Gateway) -> None:
    """Recover as the verb does, and go on as a process does that has started since."""
    held = gateway.journal.held.keys_dir
    recovery = Recovery(gateway.database, gateway.keyring, held, gateway.state_dir, gateway.clock)
    found = recovery.look(gateway.state_dir / FOLDER)
    recovery.replay(
        found, GROUNDS, lambda s: fence.lower(s, by="console:an", now=gateway.clock.now())
    )
    gateway.journal = Journal.open(
        gateway.database, gateway.keyring, held, gateway.state_dir, "tradan/x", gateway.clock
    )
    gateway.handler = make_handler(gateway, gateway.register)


def told(gateway: Gateway, sender: str | None, text: str) -> set[str]:
    """Send a message, handle all that wait, and return what kinds of replies leave."""
    gateway.send(sender, text)
    gateway.handle()
    return {each.reply for each in gateway.outbox()}


def resume(gateway: Gateway) -> None:
    def work(session: sa.orm.Session) -> None:
        now = gateway.clock.now()
        for stop in stops.standing(session):
            stops.ask_resume(session, stop.id, by="officer:b", note="", now=now)
            stops.resume(session, stop.id, by="officer:c", now=now)

    gateway.database.write(work)


def test_a_restored_database_tells_nobody_anything_until_it_is_recovered(
    gateway: Gateway, administrator: Administrator
) -> None:
    person, other = gateway.population(2)
    pin = gateway.pin(person)
    gateway.send(other.phone, f"DC {other.personal_id}")
    kept = backup(administrator)
    assert told(gateway, person.phone, f"XN {pin}") == {"RESULT", "PIN"}
    Mirror(gateway.database, gateway.state_dir, gateway.clock).catch_up()

    restore(administrator, kept)
    with suppress(JournalFault):  # the sealer's, on PostgreSQL
        told(gateway, person.phone, f"XN {pin}")
    assert {each.reply for each in gateway.outbox()} <= {"DOWN"}

    restore(administrator, kept)
    recover(gateway)
    (stop,) = gateway.database.read(stops.standing)
    assert (stop.scope, stop.stopped_by) == (Scope.DISCLOSURE, "console:an")
    assert {row.state for row in gateway.rows(CHALLENGE)} == {"void"}
    assert not any(row.waiting for row in gateway.rows(SENDER))
    assert gateway.outbox() == []
    assert gateway.says(person.phone, f"XN {pin}") not in {"RESULT", "PIN"}
    resume(gateway)
    gateway.clock.advance(gateway.policy.sender.spacing)
    assert gateway.says(person.phone, f"XN {pin}") == "NOOPEN"
    assert gateway.says(person.phone, f"DC {person.personal_id}") == "PIN"
    gateway.journal.close()
