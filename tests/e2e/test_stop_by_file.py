"""G7 without a database: whoever can type, or touch a file, stops the machine all the same."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.databases import running
from tests.e2e import outages
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, message, pins_in
from tests.e2e.officers import enrolled
from tests.e2e.people import Person
from tests.e2e.waiting import until

pytestmark = pytest.mark.slow
logger = logging.getLogger(__name__)

LAST_BYTE_WITHIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Frail:
    """A deployment whose database a test may take away."""

    service: Deployment
    outage: Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["sqlite", "postgresql"])
def frail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Frail]:
    if request.param == "sqlite":
        service = Deployment(tmp_path)
        service.do("init")
        file = service.state_dir / "tradan.db"
        yield Frail(service, partial(outages.locked, file))
        service.close()
        return
    wanted = os.environ.get("TRADAN_TEST_POSTGRES", "")
    if "://" in wanted:
        pytest.skip("a server that was lent is not killed")
    with running(wanted) as server:
        url = server.create().render_as_string(hide_password=False)
        service = Deployment(tmp_path, url)
        service.do("init")
        try:
            yield Frail(service, partial(outages.killed, server))
        finally:
            service.close()
            outages.end(server)


def by_hand(service: Deployment) -> None:
    (service.state_dir / "stop").touch()


def by_command(service: Deployment) -> None:
    said = service.read("suspend", "--reason", "security", "--note", "no database")
    assert said == {"stop": None, "scope": "service", "key": "", "by_file": True}


def is_taken(telco: HttpLink, person: Person) -> bool:
    return telco.offer(message(person.phone, "HD")).status == 202


def persistent(ask: Callable[[], int]) -> int:
    """Ask until there is an answer: a connection to the server that is gone is found out once."""
    return until(lambda: (status := ask()) != 503 and status, "an answer of the console")


@pytest.mark.parametrize("stop", [by_hand, by_command])
def test_a_service_without_its_database_is_stopped_by_file(
    frail: Frail, stop: Callable[[Deployment], None]
) -> None:
    service = frail.service
    telco = service.add_http("telco")
    waiting, asking, later, other = people = service.people.make_many(4)
    service.import_people(*people)
    service.start()
    lan, minh = (enrolled(service, name, "security-officer") for name in ("lan", "minh"))
    telco.operator.plan(waiting.phone, *[503] * 60)
    held = telco.send(waiting.phone, f"DC {waiting.personal_id}")
    telco.operator.reply_to(held)

    with frail.outage():
        began = time.monotonic()
        stop(service)
        logger.info("%s returned after %.2f s", stop.__name__, time.monotonic() - began)
        stopped_at = datetime.now(UTC)
        refused = telco.offer(message(asking.phone, f"DC {asking.personal_id}"))
    until(lambda: is_taken(telco, other), "messages to be taken again")
    down = telco.ask(later.phone, f"DC {later.personal_id}")
    (found,) = until(lambda: service.read("state")["stops"], "the file to become a stop")
    number = str(found["stop"])
    after = [mt for mt in telco.operator.messages if mt.arrived_at > stopped_at + LAST_BYTE_WITHIN]
    asked = persistent(lambda: lan.ask_resume(number))
    alone = persistent(lambda: lan.resume(number))
    together = persistent(lambda: minh.resume(number))
    until(lambda: service.read("state") == {"by_file": False, "stops": []}, "the file to be gone")
    pin = telco.ask(other.phone, f"DC {other.personal_id}")

    assert refused.status == 503
    assert service.reply_class(telco, str(down.data["in_reply_to"])) == "DOWN"
    assert [mt.text for mt in after if pins_in(mt)] == []
    assert found["scope"] == ("service" if stop is by_command else "disclosure")
    assert (asked, alone, together) == (303, 409, 303)
    assert pins_in(pin)
    assert service.stop() == [0]
    assert service.cli("journal", "verify").returncode == 0
