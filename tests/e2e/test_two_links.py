"""A service that believes the serving operator alone, and that operator's two links."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fake_operator import Mt
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, pin_in
from tests.e2e.test_lookup import is_record_of
from tests.e2e.waiting import until

MOBILES = "032-039,052-059,070-079,081-089,090-099"
ALARM = 'tradan_alarms_total{kind="foreign-sender"} 1.0'


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Deployment]:
    """A service under `serving`."""
    made = Deployment(tmp_path, settings={"ROUTE": "serving", "PIN_SPACING_SECONDS": "0"})
    made.do("init")
    yield made
    made.close()


def ask_by(link: HttpLink, other: HttpLink, phone: str, text: str) -> Mt:
    """Ask by one link, and return the answer, by whichever of the two it comes."""
    message_id = link.send(phone, text)

    def answers() -> list[Mt]:
        return [mt for each in (link, other) for mt in each.operator.copies(message_id)]

    return until(answers, "the answer by either link")[0]


@pytest.mark.slow
def test_a_lookup_is_carried_by_two_links_and_by_the_serving_operator_alone(
    serving: Deployment,
) -> None:
    one = serving.add_http("hong-ha-1", "--operator", "hong-ha", "--prefixes", MOBILES, "--test")
    two = serving.add_http("hong-ha-2", "--operator", "hong-ha", "--send-rate", "200", "--test")
    foreign = serving.add_http("sao-mai", "--prefixes", "028", "--test")
    person = serving.new_person()
    serving.start()

    refused = foreign.ask(person.phone, f"DC {person.personal_id}")
    alarmed = serving.get("/metrics").text
    pin = pin_in(ask_by(one, two, person.phone, f"DC {person.personal_id}"))
    record = ask_by(two, one, person.phone, f"XN {pin}")
    one.operator.shut()
    helped = [ask_by(one, two, person.phone, "PHI") for _ in range(4)]

    assert serving.reply_class(foreign, refused.data["in_reply_to"]) == "NOMATCH"
    assert ALARM in alarmed
    assert is_record_of(person, record)
    assert len(helped) == 4
    serving.stop()
