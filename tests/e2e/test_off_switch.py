"""G7 under load: off means off, whoever floods the door and whatever became of the database."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from tests.e2e.conftest import Deploy
from tests.e2e.flood import Citizens, Flood
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink
from tests.e2e.officers import CONTROL, Officer, enrolled
from tests.e2e.people import Person

T = TypeVar("T")
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


def held_back(telco: HttpLink, person: Person) -> str:
    """Have a person ask whose PIN lies in the outbox and is offered again and again."""
    telco.operator.plan(person.phone, *[503] * 60)
    return telco.send(person.phone, f"DC {person.personal_id}")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what *work* returns, and after how many seconds."""
    began = time.monotonic()
    return work(), time.monotonic() - began


def stop_under_flood(
    service: Deployment, *, before: float, after: float, unsigned: int = UNSIGNED_A_SECOND
) -> tuple[float, float]:
    """Stop a flooded service by the console, and see what still leaves it.

    Units: seconds until the stop returned; unsigned posts answered a second.
    """
    rate = 12.0
    telco, lan, people = prepared(service, WAITING + int((before + after + 4) * rate))
    flood, citizens = (
        Flood(service.port, unsigned),
        Citizens(telco, people[WAITING:], rate),
    )
    asked = [held_back(telco, person) for person in people[:WAITING]]
    with flood.flowing(), citizens.texting():
        time.sleep(before)
        page, opened = timed(lambda: lan.get(CONTROL))
        told_before = len([mt for mt in telco.operator.messages if mt.answered == 200])
        number, took = timed(lambda: lan.stop("service", note="a flood"))
        returned_at = datetime.now(UTC)
        time.sleep(after)
        late = citizens.texts_since(returned_at + LAST_BYTE_WITHIN)
        soon = citizens.texts_since(returned_at)

    leaked = [text for text in soon if not text.startswith(DOWN_BEGINS)]
    logger.info("stop returned after %.2f s, the page before it after %.2f s", took, opened)
    logger.info("%.0f unsigned posts a second: %s", flood.per_second, dict(flood.answers))
    logger.info("%d lookups begun, %d texts handed over before", citizens.asked, told_before)
    logger.info("since: %d DOWN, %d else", len(soon) - len(leaked), len(leaked))
    assert page.status == 200
    assert told_before > before  # there was honest load, and it was served
    assert late
    assert [text for text in late if not text.startswith(DOWN_BEGINS)] == []
    copies = [mt for message_id in asked for mt in telco.operator.copies(message_id)]
    assert [mt for mt in copies if mt.arrived_at > returned_at + LAST_BYTE_WITHIN] == []
    (state,) = service.read("state")["stops"]
    assert (str(state["stop"]), state["stopped_by"]) == (number, "officer:lan")
    assert service.stop() == [0]
    return took, flood.per_second


def test_nothing_is_told_after_a_flooded_service_is_stopped(deploy: Deploy) -> None:
    stop_under_flood(deploy("sqlite"), before=2, after=3, unsigned=UNSIGNED_A_SECOND // 3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_service_that_is_flooded_for_long_is_stopped_within_two_seconds(
    deploy: Deploy, kind: str
) -> None:
    took, per_second = stop_under_flood(deploy(kind), before=30, after=12)

    assert took < RETURNS_WITHIN
    assert per_second > UNSIGNED_A_SECOND / 2
