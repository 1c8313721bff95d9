"""G7 under load: off means off, whoever floods the door and whatever became of the database."""

import logging
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import Deploy
from tests.e2e.fake_operator import Mt
from tests.e2e.flood import Citizens, Flood
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink
from tests.e2e.officers import CONTROL, Officer, enrolled
from tests.e2e.people import Person

logger = logging.getLogger(__name__)

UNSIGNED_A_SECOND = 300
RETURNS_WITHIN = 2.0
LAST_BYTE_WITHIN = timedelta(seconds=2)
DOWN_BEGINS = "CSDLDC: He thong tam ngung"
WAITING = 5


def prepared(service: Deployment, people: int) -> tuple[HttpLink, Officer, list[Person]]:
    """Start a service that is about to be flooded, with an officer at the control page."""
    telco = service.add_http("telco")
    service.add_http("flood")
    made = service.people.make_many(people)
    service.import_people(*made)
    service.start()
    return telco, enrolled(service, "lan", "security-officer"), made


def wait(seconds: float) -> None:
    """Let the load go on for so long."""
    time.sleep(seconds)


def unwilling(_mt: Mt) -> int:
    return 503


def stop_under_flood(service: Deployment, *, before: float, after: float) -> None:
    """Stop a flooded service by the console, and see what still leaves it."""
    rate = 12.0
    telco, lan, people = prepared(service, WAITING + int((before + after + 4) * rate))
    held, others = people[:WAITING], people[WAITING:]
    for person in held:
        # Their PINs lie in the outbox and are offered again and again.
        telco.operator.plan(person.phone, *[unwilling] * 60)
    flood, citizens = Flood(service.port, UNSIGNED_A_SECOND), Citizens(telco, others, rate)
    asked = [telco.send(person.phone, f"DC {person.personal_id}") for person in held]
    with flood.flowing(), citizens.texting():
        wait(before)
        opened_at = time.monotonic()
        page = lan.get(CONTROL)
        opened = time.monotonic() - opened_at
        told_before = len([mt for mt in telco.operator.messages if mt.answered == 200])
        began = time.monotonic()
        number = lan.stop("service", note="a flood")
        took = time.monotonic() - began
        returned_at = datetime.now(UTC)
        wait(after)
        late = citizens.texts_since(returned_at + LAST_BYTE_WITHIN)
        soon = citizens.texts_since(returned_at)

    leaked = [text for text in soon if not text.startswith(DOWN_BEGINS)]
    for name, value in {
        "stop returned after, s": round(took, 2),
        "control page after, s": round(opened, 2),
        "unsigned posts a second": round(flood.per_second),
        "their answers": dict(flood.answers),
        "lookups begun": citizens.asked,
        "handed over before the stop": told_before,
        "handed over since, DOWN": len(soon) - len(leaked),
        "handed over since, else": len(leaked),
    }.items():
        logger.info("%s: %s", name, value)
    assert page.status == 200
    assert number.isdecimal()
    assert took < RETURNS_WITHIN
    assert flood.per_second > UNSIGNED_A_SECOND / 2
    assert told_before > before  # there was honest load, and it was served
    assert late
    assert [text for text in late if not text.startswith(DOWN_BEGINS)] == []
    for message_id in asked:
        since = [mt for mt in telco.operator.copies(message_id) if mt.arrived_at > returned_at]
        assert [mt for mt in since if mt.arrived_at > returned_at + LAST_BYTE_WITHIN] == []
    (state,) = service.read("state")["stops"]
    assert (state["stop"], state["scope"], state["stopped_by"]) == (
        int(number), "service", "officer:lan",
    )  # fmt: skip
    assert service.stop() == [0]


def test_a_flooded_service_is_stopped_within_two_seconds(deploy: Deploy) -> None:
    stop_under_flood(deploy("sqlite"), before=3, after=4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_service_that_is_flooded_for_long_is_stopped_within_two_seconds(
    deploy: Deploy, kind: str
) -> None:
    stop_under_flood(deploy(kind), before=30, after=12)
