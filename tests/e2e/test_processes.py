"""Many processes on one PostgreSQL, and what they do while it is away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from tests.e2e.conftest import Deploy
from tests.e2e.harness import Deployment
from tests.e2e.links import message, pin_in
from tests.e2e.people import plain
from tests.e2e.problems import assert_problem
from tests.e2e.waiting import until

PEOPLE = 16


@pytest.fixture(scope="module")
def service(make_deployment: Deploy) -> Iterator[Deployment]:
    """A web process and two workers."""
    made = make_deployment("postgresql")
    try:
        made.add_http("telco")
        made.import_people(*made.people.make_many(PEOPLE + 1))
        made.start("--web", ready="/healthz")
        made.start("--worker", ready=None)
        made.start("--worker", ready="/readyz")
        yield made
    finally:
        made.close()


def test_webs_and_workers_share_the_work_and_survive_each_other(service: Deployment) -> None:
    telco, first = service.http["telco"], service.processes[1]
    people = service.people.made[:PEOPLE]

    with ThreadPoolExecutor(PEOPLE) as pool:
        asked = list(pool.map(lambda who: telco.send(who.phone, f"DC {who.personal_id}"), people))
        first.kill()
        first.wait()
        pins = [pin_in(telco.operator.reply_to(message_id, within=60)) for message_id in asked]
        questions = [(who.phone, f"XN {pin}") for who, pin in zip(people, pins, strict=True)]
        results = list(pool.map(lambda question: telco.ask(*question), questions))

    for who, result in zip(people, results, strict=True):
        assert who.plain_name in plain(result.text)
    assert all(len(telco.operator.copies(message_id)) <= 2 for message_id in asked)
    assert service.cli("journal", "verify").returncode == 0


@contextmanager
def away(service: Deployment) -> Iterator[None]:
    """Close the database to everybody, as when its server goes down."""
    url = sa.make_url(service.database_url or "").set(drivername="postgresql")
    name = sql.Identifier(url.database or "")
    server = url.set(database="postgres").render_as_string(hide_password=False)
    opened = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(opened).format(name, sql.SQL("false")))
        connection.execute(cut, [url.database])
        try:
            yield
        finally:
            connection.execute(sql.SQL(opened).format(name, sql.SQL("true")))


def test_without_its_database_nothing_is_acknowledged_and_nothing_is_lost(
    service: Deployment,
) -> None:
    telco, person = service.http["telco"], service.people.made[PEOPLE]
    pin = pin_in(telco.ask(person.phone, f"DC {person.personal_id}"))
    data = message(person.phone, f"XN {pin}")

    with away(service):
        refused = telco.offer(data)
        until(lambda: service.get("/readyz").status == 503, "readiness to be denied")
        alive = service.get("/healthz")
    until(lambda: telco.offer(data).status == 202, "the message to be taken")
    result = telco.operator.reply_to(data["id"], within=60)

    assert_problem(refused, 503)
    assert int(refused.headers["Retry-After"]) > 0
    assert alive.status == 200
    assert person.plain_name in plain(result.text)
    until(lambda: service.get("/readyz").status == 200, "readiness to return")
    assert service.stop() == [0, 0]
    assert service.cli("journal", "verify").returncode == 0
    assert "Traceback" not in service.log
