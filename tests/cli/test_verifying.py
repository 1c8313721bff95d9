"""The journal is verified beside the service, and a finding stops disclosure."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.context import Service
from cli.verifying import Command, Tell, Verifying, VerifyingKeeper, _listen
from cli.wiring import halt_of
from core.clock import SystemClock
from core.db import Database
from core.leadership import Leadership
from journal import verifications
from journal.tables import JOURNAL_VERIFICATION
from journal.tree import TreeHead
from journal.verifications import Due, Extent, Result, State
from records import stops
from sms import health
from sms.trips import Trips
from tests.cli.deployment import Deployment, deployment_on
from tests.cli.test_journal import tamper
from tests.fakes import FixedClock

HOUR = timedelta(hours=1)


@pytest.fixture
def service(deployment: Deployment, clock: FixedClock) -> Iterator[Service]:
    made = Service(dict(deployment.environ))
    made.clock = clock
    clock.at = SystemClock().now()
    with closing(made):
        yield made


def verifying(
    service: Service,
    verify: Callable[[Due, Tell], Result | None] | None = None,
    leadership: Leadership | None = None,
) -> Verifying:
    return Verifying(
        service.database,
        Trips(halt_of(service)),
        service.clock,
        verify or Command(service.environ),
        timedelta(),
        leadership,
    )


def history(service: Service) -> list[tuple[str, str]]:
    columns = JOURNAL_VERIFICATION.c
    wanted = sa.select(columns.extent, columns.state).order_by(columns.id)
    return [tuple(row) for row in service.database.read(lambda s: s.execute(wanted).all())]


def is_stopped(service: Service) -> bool:
    return service.database.read(stops.in_force).disclosure


def ready(service: Service) -> bool:
    from flask import Flask  # noqa: PLC0415 (one test's edge)

    app = Flask(__name__)
    app.register_blueprint(
        health.make_blueprint(service.database, service.journal, service.clock, with_metrics=False)
    )
    checks = app.test_client().get("/readyz").get_json()["checks"]
    verified: bool = checks["verified"]
    return verified


def test_a_leaf_tampered_with_is_found_within_the_hour_and_stops_disclosure(
    service: Service, deployment: Deployment, clock: FixedClock
) -> None:
    keeping = verifying(service)
    deployment.add_http("viettel")
    keeping.keep()
    keeping.keep()
    verified = history(service)
    deployment.add_http("mobifone")
    tamper(
        deployment,
        "UPDATE journal_entry SET leaf = (SELECT leaf FROM journal_entry ORDER BY id LIMIT 1) "
        "WHERE id = (SELECT entry_id FROM journal_leaf ORDER BY seq DESC LIMIT 1)",
    )
    before = is_stopped(service), ready(service)

    clock.advance(HOUR)
    keeping.keep()

    assert verified == [("all", "ok")]
    assert before == (False, True)
    assert history(service)[1:] == [("new", "found")]
    (told,) = service.database.read(lambda s: verifications.recent(s, 1))
    assert told.finding is not None
    assert re.match(r"[a-z-]+ at \d+: ", told.finding)
    assert (is_stopped(service), ready(service)) == (True, False)


def test_what_is_verified_is_told_on_the_public_page(service: Service, clock: FixedClock) -> None:
    verifying(service).keep()

    told = service.database.read(lambda s: verifications.standing(s, clock.now()))

    size = service.database.read(service.journal.head).size
    assert (told.is_current, told.at, told.size) == (True, clock.now(), size)


def test_a_verifier_that_cannot_verify_vouches_for_nothing(embedded: Deployment) -> None:
    command = Command({**embedded.environ, "TRADAN_KEYS_DIR": str(embedded.home / "none")})

    assert command(Due(Extent.ALL)) == Result(State.FAILED)


def test_a_verification_that_fails_is_told_and_stops_nothing(service: Service) -> None:
    verifying(service, lambda _due, _tell: Result(State.FAILED)).keep()

    assert history(service) == [("all", "failed")]
    assert not is_stopped(service)
    assert ready(service)


def test_one_goes_on_from_where_the_last_one_ended(service: Service, clock: FixedClock) -> None:
    asked: list[Due] = []

    def verify(due: Due, _tell: Tell) -> Result:
        asked.append(due)
        return Result(State.OK, TreeHead(2 + len(asked), bytes(32)))

    keeping = verifying(service, verify)
    for _ in range(2):
        keeping.keep()
        clock.advance(HOUR)

    assert asked == [Due(Extent.ALL), Due(Extent.NEW, TreeHead(3, bytes(32)))]


def test_of_two_processes_one_verifies(
    postgres_database: Database, keys_dir: Path, tmp_path: Path
) -> None:
    service = Service(dict(deployment_on(postgres_database, keys_dir, tmp_path).environ))
    mine, theirs = (Leadership(postgres_database.url, "verification") for _ in range(2))
    assert theirs.held()
    keeping = verifying(service, lambda _due, _tell: Result(State.FAILED), mine)

    keeping.keep()
    while_theirs = history(service)
    theirs.resign()
    keeping.keep()
    keeping.resign()

    assert (while_theirs, history(service)) == ([], [("all", "failed")])
    service.close()


def test_a_service_that_ends_breaks_off_what_it_verifies(service: Service) -> None:
    begun, ended = threading.Event(), threading.Event()

    class Slow(Command):
        def __call__(self, due: Due, tell: Tell = lambda _done, _total: None) -> Result | None:
            tell(1, 2)
            begun.set()
            ended.wait(30)
            return None

        def stop(self) -> None:
            ended.set()

    command = Slow({})
    clock = service.clock
    keeper = VerifyingKeeper(verifying(service, command), command, clock, settle=timedelta())

    keeper.start()
    assert begun.wait(30)
    keeper.stop()
    keeper.join(30)

    assert history(service) == [("all", "running")]


def test_a_command_that_was_stopped_begins_nothing(embedded: Deployment) -> None:
    command = Command(embedded.environ)
    command.stop()

    assert command(Due(Extent.ALL)) is None


def test_a_command_under_way_is_ended(embedded: Deployment) -> None:
    command = Command(embedded.environ)
    came: list[Result | None] = []
    thread = threading.Thread(target=lambda: came.append(command(Due(Extent.ALL))))

    thread.start()
    while command._process is None:
        threading.Event().wait(0.01)
    command.stop()
    thread.join(30)

    assert came == [None]


def test_what_an_officer_asks_for_is_verified_at_once_and_tells_how_far_it_is(
    service: Service, clock: FixedClock
) -> None:
    seen: list[tuple[str | None, State, int | None, int | None, bool]] = []

    def look() -> None:
        (newest,) = service.database.read(lambda s: verifications.recent(s, 1))
        seen.append(
            (newest.asked_by, newest.state, newest.done, newest.total, newest.is_open(clock.now()))
        )

    def verify(_due: Due, tell: Tell) -> Result:
        tell(3, 10)
        look()
        return Result(State.OK, TreeHead(10, bytes(32)))

    def ask() -> bool:
        return service.database.write(lambda s: verifications.ask(s, "officer:ha", clock.now()))

    keeping = verifying(service, verify)
    keeping.heed()
    keeping.keep()
    asked = ask(), ask()
    look()
    keeping.heed()
    look()

    assert asked == (True, False)
    assert seen[1:] == [
        ("officer:ha", State.ASKED, None, None, True),
        ("officer:ha", State.RUNNING, 3, 10, True),
        ("officer:ha", State.OK, 3, 10, False),
    ]
    assert history(service) == [("all", "ok"), ("all", "ok")]


def test_a_verification_whose_process_died_stands_in_nobodys_way(
    service: Service, clock: FixedClock
) -> None:
    verifying(service, lambda _due, _tell: None).keep()

    def ask() -> bool:
        return service.database.write(lambda s: verifications.ask(s, "officer:ha", clock.now()))

    at_once = ask()
    clock.advance(timedelta(minutes=4))

    assert (at_once, ask()) == (False, True)


def test_a_verifier_tells_a_program_that_listens_two_figures() -> None:
    told: list[tuple[int, int]] = []

    _listen(
        ["5 90\n", "a warning of 2 words\n", "x 9\n"],
        lambda done, total: told.append((done, total)),
    )

    assert told == [(5, 90)]
