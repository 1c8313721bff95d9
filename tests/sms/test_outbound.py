"""SEND: the licence to start, the outcomes of senders, and the threads of the dispatcher."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from billing.tables import USAGE
from core.clock import SystemClock
from core.db import Database
from core.errors import UnavailableError
from sms.dispatch import NotStarted, ReplyState
from sms.links.model import Accepted, Outcome, Outgoing, Refused, Unknown
from sms.outbound import Dispatcher
from sms.signals import Signal
from sms.tables import OUTBOUND
from tests.fakes import FixedClock
from tests.sms.gateway import Gateway, Told, stranger

DEADLINE = 20.0


def fill(gateway: Gateway, count: int) -> None:
    gateway.send_all((stranger(number), "HD") for number in range(count))
    gateway.handle()


@contextmanager
def sending(gateway: Gateway, database: Database | None = None, at_once: int = 4) -> Iterator[None]:
    """Run a dispatcher in a thread, and end it as a process does that drains."""
    wake, told_to_stop = Signal(), threading.Event()
    dispatcher = Dispatcher(
        database or gateway.database, gateway.delivery, gateway.clock, wake, at_once=at_once
    )
    thread = threading.Thread(target=dispatcher.run, args=(told_to_stop,))
    thread.start()
    try:
        yield
    finally:
        told_to_stop.set()
        wake.ring()
        thread.join(DEADLINE)
        assert not thread.is_alive()


def wait_for(gateway: Gateway, states: dict[ReplyState, int]) -> None:
    """Wait until the outbox stands so."""
    query = sa.select(OUTBOUND.c.state, sa.func.count()).group_by(OUTBOUND.c.state)
    gives_up_at = time.monotonic() + DEADLINE
    while True:
        rows = gateway.database.read(lambda s: s.execute(query).all())
        found = {ReplyState(state): count for state, count in rows}
        if found == states:
            return
        assert time.monotonic() < gives_up_at, found
        time.sleep(0.01)


def test_what_left_is_recorded_and_charged(gateway: Gateway) -> None:
    fill(gateway, 20)

    with sending(gateway):
        wait_for(gateway, {ReplyState.ACCEPTED: 20})

    assert len(gateway.operator.received) == 20
    assert len({reply.id for _, reply in gateway.operator.received}) == 20
    charged = [row for row in gateway.rows(USAGE) if row.direction == "mt"]
    assert len({row.message_id for row in charged}) == len(charged) == 20


def test_an_outgoing_reply_names_the_message_it_answers(sqlite_gateway: Gateway) -> None:
    sqlite_gateway.ask(stranger(), "HD", message_id="theirs-7")

    ((link, reply),) = sqlite_gateway.operator.received
    assert (link, reply.to, reply.sender) == ("playground", stranger(), "12345")
    assert (reply.in_reply_to, reply.encoding, reply.segments) == ("theirs-7", "gsm7", 1)
    assert reply.expires_at - reply.created_at == timedelta(minutes=30)


def test_the_same_reply_has_the_same_name_and_text_on_each_attempt(
    sqlite_gateway: Gateway,
) -> None:
    gateway = sqlite_gateway
    seen: list[Outgoing] = []

    def unknown(reply: Outgoing) -> Outcome:
        seen.append(reply)
        return Unknown("timeout")

    gateway.operator.outcome = unknown
    gateway.ask(stranger(), "HD")
    gateway.clock.advance(timedelta(seconds=3))
    gateway.outbox()
    gateway.clock.advance(timedelta(hours=1))
    gateway.outbox()

    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert [row.state for row in gateway.replies()] == [ReplyState.UNKNOWN]
    assert [row.direction for row in gateway.rows(USAGE)] == ["mo"], "nobody is charged for it"


def test_a_sender_that_breaks_may_have_sent(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway

    def breaks(_reply: Outgoing) -> Outcome:
        raise ZeroDivisionError

    gateway.operator.outcome = breaks
    fill(gateway, 1)

    with sending(gateway):
        wait_for(gateway, {ReplyState.QUEUED: 1})
        gives_up_at = time.monotonic() + DEADLINE
        while not (row := gateway.replies()[0]).unknowns:
            assert time.monotonic() < gives_up_at
            time.sleep(0.01)

    assert (row.reason, row.unknowns) == ("broke", 1)


@pytest.mark.parametrize(("late_by", "starts"), [(0.0, True), (0.001, False)])
def test_a_claim_licenses_a_start_for_a_second(
    sqlite_gateway: Gateway, late_by: float, *, starts: bool
) -> None:
    gateway = sqlite_gateway
    fill(gateway, 1)
    (claimed,) = gateway.claim()
    until = gateway.clock.monotonic() + 1.0
    gateway.clock.advance(timedelta(seconds=1 + late_by))

    outcome = gateway.start(claimed, until)

    assert outcome == (Accepted() if starts else NotStarted())
    assert len(gateway.operator.received) == int(starts)


def test_the_wall_clock_cannot_lengthen_a_licence(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    fill(gateway, 1)
    (claimed,) = gateway.claim()
    until = gateway.clock.monotonic() + 1.0
    gateway.clock.advance(timedelta(seconds=2))
    gateway.clock.at -= timedelta(minutes=10)

    assert gateway.start(claimed, until) == NotStarted()


def test_what_died_between_claim_and_start_does_not_start(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    fill(gateway, 1)
    (claimed,) = gateway.claim()
    gateway.clock.at = claimed.expires_at

    assert gateway.start(claimed, gateway.clock.monotonic() + 1) == NotStarted()
    assert gateway.operator.received == []


def test_a_stop_file_set_after_the_claim_is_seen_before_the_first_byte(
    sqlite_gateway: Gateway,
) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handle()
    (claimed,) = gateway.claim()
    told: list[Told] = []
    (gateway.state_dir / "stop").touch()

    result = gateway.deliver(claimed, told)

    assert (result.outcome, told) == (NotStarted(), [])


def test_a_state_folder_that_is_gone_discloses_nothing(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.send(stranger(), "HD")
    gateway.handle()
    moved = gateway.state_dir.rename(gateway.state_dir.with_name("elsewhere"))

    told = gateway.outbox()
    moved.rename(gateway.state_dir)

    assert [one.reply for one in told] == ["HELP"]


def test_under_a_stop_file_replies_are_not_claimed_in_a_rush(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handle()
    (gateway.state_dir / "stop").touch()

    with sending(gateway):
        time.sleep(0.5)

    assert gateway.replies()[0].attempt <= 2, "this clock stands still: once is enough"


def test_made_up_people_are_refused_at_the_last_moment_too(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handle()
    (claimed,) = gateway.claim()
    claimed = replace(claimed, link_id=gateway.link("hong-ha").id)

    outcome = gateway.start(claimed, gateway.clock.monotonic() + 1)

    assert outcome == Refused("made-up-person", retryable=False)
    assert gateway.operator.received == []


class Outage:
    """A database that is away while the tests want it away."""

    def __init__(self, inner: Database) -> None:
        self.dialect, self.url = inner.dialect, inner.url
        self.inner = inner
        self.away = False
        self.tried = 0
        self.read = inner.read
        self.checkpoint, self.close = inner.checkpoint, inner.close

    def write(self, work: object) -> object:
        """Write, unless away."""
        self.tried += 1
        if self.away:
            raise UnavailableError("away")
        return self.inner.write(work)  # type: ignore[arg-type]  # whatever the dispatcher writes


def test_an_outcome_outlives_an_outage_and_nothing_is_sent_twice(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    database = Outage(gateway.database)
    fill(gateway, 3)

    def accept_and_lose_the_database(_reply: Outgoing) -> Outcome:
        database.away = True
        return Accepted("theirs")

    gateway.operator.outcome = accept_and_lose_the_database
    with sending(gateway, database):  # type: ignore[arg-type]  # a database of this test
        gives_up_at = time.monotonic() + DEADLINE
        while len(gateway.operator.received) < 3 or not database.away:
            assert time.monotonic() < gives_up_at
            time.sleep(0.01)
        database.away = False
        wait_for(gateway, {ReplyState.ACCEPTED: 3})

    assert len(gateway.operator.received) == 3


def test_draining_waits_for_what_is_under_way(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    started, go_on = threading.Event(), threading.Event()

    def slow(_reply: Outgoing) -> Outcome:
        started.set()
        go_on.wait(DEADLINE)
        return Accepted("theirs")

    gateway.operator.outcome = slow
    fill(gateway, 1)

    with sending(gateway):
        started.wait(DEADLINE)
        threading.Timer(0.2, go_on.set).start()

    assert [row.state for row in gateway.replies()] == [ReplyState.ACCEPTED]


def test_draining_without_a_database_does_not_spin(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    database = Outage(gateway.database)
    fill(gateway, 1)

    def accept_and_lose_the_database(_reply: Outgoing) -> Outcome:
        database.away = True
        threading.Timer(0.5, lambda: setattr(database, "away", False)).start()
        return Accepted("theirs")

    gateway.operator.outcome = accept_and_lose_the_database
    with sending(gateway, database):  # type: ignore[arg-type]  # a database of this test
        while not database.away:
            time.sleep(0.005)
        before = database.tried

    assert database.tried - before < 10
    assert [row.state for row in gateway.replies()] == [ReplyState.ACCEPTED]


def test_expired_replies_are_ended_while_sending(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    fill(gateway, 1)
    later = SystemClock().monotonic()
    now = gateway.clock.now() + timedelta(hours=1)

    class Later(FixedClock):
        def monotonic(self) -> float:
            return SystemClock().monotonic() - later + 10

    gateway.clock = Later(now)

    with sending(gateway):
        wait_for(gateway, {ReplyState.EXPIRED: 1})

    assert gateway.operator.received == []
