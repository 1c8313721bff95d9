"""How much an operator may hand over, and how a guesser is slowed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.db import Database
from core.ids import uuid7
from core.keyring import Keyring
from sms.limits import MOST_WAITING, Backlog, FailureThrottle, RateLimit
from sms.tables import INBOUND
from tests.fakes import FixedClock
from tests.sms.door import STRANGE, Door, opened
from tests.sms.gateway import Gateway
from tests.sms.test_webhook import check_problem


@pytest.fixture
def door(database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Door]:
    with opened(database, keys_dir, tmp_path / "door", clock, rate=2) as made:
        yield made


def statuses(door: Door, count: int) -> list[int]:
    return [door.post(door.event()).status_code for _ in range(count)]


def test_a_burst_is_taken_and_then_the_contracts_rate(door: Door) -> None:
    burst = statuses(door, 12)
    door.later(1)
    after_a_second = statuses(door, 4)

    assert burst == [202] * 10 + [429] * 2
    assert after_a_second == [202, 202, 429, 429]


def test_a_429_says_when_to_come_back(door: Door) -> None:
    statuses(door, 10)

    response = door.post(door.event())

    check_problem(response, 429)
    assert response.headers["retry-after"] == "1"
    assert len(door.stored()) == 10


def test_a_rest_fills_the_burst_and_no_more(door: Door) -> None:
    statuses(door, 10)
    door.later(3600)

    assert statuses(door, 12) == [202] * 10 + [429] * 2


def test_whoever_is_not_the_operator_spends_nothing_of_its_rate(door: Door) -> None:
    for _ in range(15):
        door.post(door.event(), secret=STRANGE)

    assert statuses(door, 10) == [202] * 10


def test_two_processes_share_one_rate(
    database: Database, keyring: Keyring, gateway: Gateway, clock: FixedClock
) -> None:
    link = gateway.link()
    processes = [RateLimit(database, clock) for _ in range(2)]

    allowed = sum(processes[turn % 2].spend([link])[0] for turn in range(600))

    assert 490 <= allowed <= 500, "five hundred but for what a portion still holds"


def test_a_clock_set_back_grants_nothing(gateway: Gateway, clock: FixedClock) -> None:
    link, rate = gateway.link(), RateLimit(gateway.database, clock)
    while all(rate.spend([link])):
        pass

    clock.at = clock.at.replace(year=2025)

    assert rate.spend([link]) == [False]


def fill(database: Database, gateway_link: int, count: int) -> None:
    """Put rows into the queue as they wait there."""
    rows = [
        {
            "id": uuid7(), "link_id": gateway_link, "operator_message_id": f"w-{number}",
            "sender_id": 1, "key_id": 1, "blob": b"", "received_at": FixedClock().now(),
            "stored_at": FixedClock().now(), "state": "received", "attempts": 0,
        }
        for number in range(count)
    ]  # fmt: skip
    database.write(lambda s: s.execute(sa.insert(INBOUND), rows).close())


def test_a_full_backlog_is_left_with_the_operator(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    with opened(sqlite_database, keys_dir, tmp_path / "door", clock) as door:
        link = door.service.links.get("hong-ha")
        assert link is not None
        fill(sqlite_database, link.id, MOST_WAITING - 1)

        answers = [door.post(door.event()) for _ in range(2)]
        door.later(1)
        still = door.post(door.event())
        elsewhere = door.twilio(door.form())
        sqlite_database.write(
            lambda s: s.execute(sa.update(INBOUND).values(state="answered")).close()
        )
        door.later(1)

        assert [each.status_code for each in answers] == [202, 429]
        check_problem(still, 429)
        assert still.headers["retry-after"] == "10"
        assert elsewhere.status_code == 200, "each operator's backlog is its own"
        assert door.post(door.event()).status_code == 202


def test_the_backlog_is_counted_once_a_second(gateway: Gateway, clock: FixedClock) -> None:
    reads = 0

    class Counting:
        def read(self, work: object) -> object:
            nonlocal reads
            reads += 1
            return gateway.database.read(work)  # type: ignore[arg-type]  # what the backlog counts

    backlog = Backlog(Counting(), clock)  # type: ignore[arg-type]  # all of a database that it uses
    for _ in range(50):
        backlog.is_full(gateway.link())

    assert reads == 1


def guess(door: Door, count: int, source: str) -> list[int]:
    made = door.client
    answers = []
    for _ in range(count):
        body = b"{}"
        response = made.post(
            "/sms/hong-ha/inbound",
            data=body,
            headers=door.headers(body, secret=STRANGE),
            environ_base={"REMOTE_ADDR": source},
        )
        answers.append(response.status_code)
    return answers


def test_a_guesser_is_slowed_and_the_operator_never(door: Door) -> None:
    answers = guess(door, 25, "192.0.2.1")
    elsewhere = guess(door, 1, "192.0.2.2")

    assert answers == [401] * 20 + [429] * 5
    assert elsewhere == [401]
    genuine = door.client.post(
        "/sms/hong-ha/inbound",
        data=(body := b'{"type":"message.received","data":{}}'),
        headers=door.headers(body),
        environ_base={"REMOTE_ADDR": "192.0.2.1"},
    )
    assert genuine.status_code == 400, "signed: read, and found wanting"
    assert statuses(door, 1) == [202]


def test_a_slowed_source_is_told_for_how_long() -> None:
    clock = FixedClock()
    throttle = FailureThrottle(clock)
    told = [throttle.failed("hong-ha", "192.0.2.1") for _ in range(21)]

    clock.advance(timedelta(seconds=100))

    assert told == [None] * 20 + [300]
    assert throttle.failed("hong-ha", "192.0.2.1") == 201
    clock.advance(timedelta(seconds=201))
    assert throttle.failed("hong-ha", "192.0.2.1") is None


def test_twenty_failures_over_more_than_a_minute_are_no_guessing() -> None:
    clock = FixedClock()
    throttle = FailureThrottle(clock)

    for _ in range(200):
        assert throttle.failed("hong-ha", "192.0.2.1") is None
        clock.advance(timedelta(seconds=3.1))


def test_a_source_is_slowed_on_one_link_alone() -> None:
    throttle = FailureThrottle(FixedClock())
    for _ in range(30):
        throttle.failed("hong-ha", "192.0.2.1")

    assert throttle.failed("other", "192.0.2.1") is None


def test_a_flood_of_sources_takes_no_memory_without_end() -> None:
    throttle = FailureThrottle(FixedClock())
    for number in range(10_000):
        throttle.failed("hong-ha", str(number))

    assert len(throttle._failures) <= 4096
