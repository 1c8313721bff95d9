"""G7: off means off."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, pin_in, pins_in
from tests.e2e.people import Person, plain


@contextmanager
def stopped(service: Deployment) -> Iterator[None]:
    """Keep the file `stop` in the state folder."""
    file = service.state_dir / "stop"
    file.touch()
    try:
        yield
    finally:
        file.unlink()


def test_a_stopped_service_says_so_and_still_helps(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    with stopped(service):
        told = telco.ask(person.phone, f"DC {person.personal_id}")
        helped = telco.ask(person.phone, "HD")

    assert not pins_in(told)
    assert service.reply_class(telco, str(told.data["in_reply_to"])) == "DOWN"
    assert service.report(telco, str(told.data["in_reply_to"]))["state"] == "suspended"
    assert service.reply_class(telco, str(helped.data["in_reply_to"])) == "HELP"


def test_a_stopped_service_opens_no_record(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    asked = telco.ask(person.phone, f"DC {person.personal_id}")
    with stopped(service):
        told = telco.ask(person.phone, f"XN {pin_in(asked)}")

    assert person.plain_name not in plain(told.text)
    assert service.reply_class(telco, str(told.data["in_reply_to"])) == "DOWN"


def test_what_lay_ready_when_the_stop_came_is_held_back(
    service: Deployment, telco: HttpLink, person: Person, at_hand: Iterator[Person]
) -> None:
    telco.operator.shut()
    try:
        asked = telco.send(person.phone, f"DC {person.personal_id}")
        assert service.until_handled(telco, asked) == "answered"
        (service.state_dir / "stop").touch()
    finally:
        telco.operator.open()
    with stopped(service):
        telco.outlast_a_retry(next(at_hand).phone)
        while_stopped = list(telco.operator.copies(asked))

    resumed = telco.operator.reply_to(asked, within=60)

    assert while_stopped == []
    assert pins_in(resumed)


def test_after_a_stop_everything_is_as_before(telco: HttpLink, person: Person) -> None:
    assert person.plain_name in plain(telco.look_up(person).text)
