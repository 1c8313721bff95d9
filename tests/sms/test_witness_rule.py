"""Witnesses away for five minutes, and for five hours, before the stages that disclose."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from journal.journal import Journal
from journal.witnessing import Witnessing
from sms.inbound import State
from tests.journal.bodies import Bodies, gather
from tests.sms.gateway import Gateway, make_handler, pin_in

# For what does not hang on the kind of database.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def bodies(gateway: Gateway, tmp_path: Path) -> Bodies:
    """Three bodies of which two are a quorum."""
    return gather(tmp_path / "bodies", gateway.journal.verifier_key, gateway.clock)


@dataclass(slots=True)
class Restarts:
    """Starts a gateway anew, as a process is, from what lies in its database."""

    keys_dir: Path
    bodies: Bodies
    opened: list[Journal] = field(default_factory=list)

    def restart(self, gateway: Gateway) -> None:
        """Start it anew."""
        journal = Journal.open(
            gateway.database, gateway.keyring, self.keys_dir, gateway.state_dir,
            gateway.journal.origin, gateway.clock, self.bodies.policy,
        )  # fmt: skip
        self.opened.append(journal)
        gateway.journal = journal
        gateway.delivery = replace(gateway.delivery, journal=journal)
        gateway.handler = make_handler(gateway, gateway.register)


@pytest.fixture
def restarts(keys_dir: Path, bodies: Bodies) -> Iterator[Restarts]:
    """Whatever starts a gateway anew."""
    made = Restarts(keys_dir, bodies)
    yield made
    for journal in made.opened:
        journal.close()


@pytest.fixture
def watched(gateway: Gateway, bodies: Bodies, restarts: Restarts) -> Gateway:
    """A gateway that goes by their policy, and has their quorum."""
    restarts.restart(gateway)
    push(gateway, bodies)
    return gateway


def push(gateway: Gateway, bodies: Bodies) -> None:
    Witnessing(gateway.database, bodies.policy, gateway.clock, bodies.post).push()


def looks_up(gateway: Gateway) -> list[str | None]:
    """Have a new person look themselves up, and return the replies."""
    person = gateway.person()
    asked = gateway.ask(person.phone, f"DC {person.personal_id}")
    assert asked is not None
    if asked.reply != "PIN":
        return [asked.reply]
    return [asked.reply, gateway.says(person.phone, f"XN {pin_in(asked.text)}")]


@ON_SQLITE
def test_witnesses_away_for_five_minutes_are_not_noticed(watched: Gateway, bodies: Bodies) -> None:
    bodies.away("a", "b", "c")
    watched.clock.advance(5 * MINUTES)
    push(watched, bodies)

    during = looks_up(watched)
    bodies.away()
    push(watched, bodies)

    assert during == looks_up(watched) == ["PIN", "RESULT"]


def test_witnesses_away_for_five_hours_end_disclosure_and_their_return_begins_it(
    watched: Gateway, bodies: Bodies
) -> None:
    bodies.away("a", "b")  # one of two is no quorum
    told = []
    for step in (3 * HOURS, HOURS, timedelta(seconds=1), HOURS):
        watched.clock.advance(step)
        push(watched, bodies)
        told.append(looks_up(watched))
    bodies.away("a")
    push(watched, bodies)

    assert told == [["PIN", "RESULT"], ["PIN", "RESULT"], ["DOWN"], ["DOWN"]]
    assert looks_up(watched) == ["PIN", "RESULT"]


def test_what_waits_is_held_too_and_leaves_no_entry(watched: Gateway, bodies: Bodies) -> None:
    person, other = watched.population(2)
    watched.clock.advance(4 * HOURS)
    watched.send(person.phone, f"DC {person.personal_id}")
    watched.handle()
    watched.clock.advance(timedelta(seconds=1))
    size = watched.database.read(watched.journal.head).size

    held = watched.outbox()
    refused = watched.says(other.phone, f"DC {other.personal_id}")
    helped = watched.says(other.phone, "HD")
    state = watched.message(-2).state

    assert (held, refused, helped) == ([], "DOWN", "HELP")
    assert state == State.SUSPENDED
    assert watched.database.read(watched.journal.head).size == size
    push(watched, bodies)
    assert [told.reply for told in watched.outbox()] == ["PIN"]


@ON_SQLITE
def test_a_pin_that_was_sent_before_is_not_redeemed_while_nobody_stands_behind(
    watched: Gateway, bodies: Bodies
) -> None:
    person = watched.person()
    watched.clock.advance(4 * HOURS - MINUTES)
    pin = watched.pin(person)
    watched.clock.advance(2 * MINUTES)

    refused = watched.says(person.phone, f"XN {pin}")
    push(watched, bodies)

    assert refused == "DOWN"
    assert watched.says(person.phone, f"XN {pin}") == "RESULT"


@ON_SQLITE
def test_a_restart_neither_ends_the_hold_nor_lengthens_the_grace(
    watched: Gateway, bodies: Bodies, restarts: Restarts
) -> None:
    watched.clock.advance(3 * HOURS)
    restarts.restart(watched)
    before = looks_up(watched)
    watched.clock.advance(HOURS + timedelta(seconds=1))
    restarts.restart(watched)
    during = looks_up(watched)
    push(watched, bodies)
    restarts.restart(watched)

    assert (before, during) == (["PIN", "RESULT"], ["DOWN"])
    assert looks_up(watched) == ["PIN", "RESULT"]


@ON_SQLITE
def test_an_idle_service_is_kept_alive_by_the_same_checkpoint(
    watched: Gateway, bodies: Bodies
) -> None:
    size = watched.database.read(watched.journal.head).size
    for _ in range(6):
        watched.clock.advance(HOURS)
        push(watched, bodies)

    assert watched.database.read(watched.journal.head).size == size
    assert looks_up(watched) == ["PIN", "RESULT"]
