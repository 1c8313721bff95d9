"""How long a PIN lives, and how soon there may be another."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import Deploy
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, pin_in, pins_in
from tests.e2e.people import plain
from tests.e2e.waiting import until_past

LIFE = timedelta(seconds=12)


@pytest.fixture(scope="module")
def brief(make_deployment: Deploy) -> Iterator[Deployment]:
    """A service whose PINs live for seconds, and are spaced as they are by default."""
    deployment = make_deployment("sqlite", PIN_LIFE_SECONDS=str(int(LIFE.total_seconds())))
    try:
        deployment.add_http("telco")
        deployment.import_people(*deployment.people.make_many(4))
        deployment.start()
        yield deployment
        assert deployment.stop() == [0]
    finally:
        deployment.close()


@pytest.fixture
def telco(brief: Deployment) -> HttpLink:
    """The link of that service."""
    return brief.http["telco"]


def test_a_second_pin_is_not_to_be_had_so_soon_and_the_first_lives_on(
    brief: Deployment, telco: HttpLink
) -> None:
    person = brief.people.made[0]

    asked = telco.ask(person.phone, f"DC {person.personal_id}")
    too_soon = telco.ask(person.phone, f"KHOA {person.personal_id}")
    result = telco.ask(person.phone, f"XN {pin_in(asked)}")

    assert brief.reply_class(telco, str(too_soon.data["in_reply_to"])) == "QUOTA"
    assert person.plain_name in plain(result.text)


def test_the_spacing_is_for_every_id_and_says_nothing_about_any(
    brief: Deployment, telco: HttpLink
) -> None:
    stranger = "+84987000701"

    telco.ask(stranger, "DC 099085999999")
    too_soon = telco.ask(stranger, f"DC {brief.people.made[0].personal_id}")

    assert brief.reply_class(telco, str(too_soon.data["in_reply_to"])) == "QUOTA"


def test_a_pin_is_neither_good_nor_sent_after_its_life(brief: Deployment, telco: HttpLink) -> None:
    reader, unreached = brief.people.made[1:3]
    asked = telco.ask(reader.phone, f"DC {reader.personal_id}")
    sent = datetime.now(UTC)
    telco.operator.shut()
    try:
        held = telco.send(unreached.phone, f"DC {unreached.personal_id}")
        until_past(sent + LIFE + timedelta(seconds=1))
        assert brief.until_sent(telco, held) == "expired"
    finally:
        telco.operator.open()

    late = telco.ask(reader.phone, f"XN {pin_in(asked)}")
    unrelated = telco.ask("+84987000702", "HD")

    assert reader.plain_name not in plain(late.text)
    assert not pins_in(unrelated)
    assert telco.operator.copies(held) == []
