"""The service ends, by a kill or in order, and is started again: nothing is lost or revived."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from itertools import islice
from typing import Any

import pytest

from tests.e2e import wire
from tests.e2e.conftest import Deploy
from tests.e2e.fake_operator import Mt, Wreck
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, message, pin_in, wrong
from tests.e2e.people import Person, plain

MOST_COPIES = 2
# A lease that a dead process of PostgreSQL holds ends after 20 seconds, in HANDLE and in SEND.
LEASES = 60


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def deployment(request: pytest.FixtureRequest, make_deployment: Deploy) -> Iterator[Deployment]:
    """A service that these tests may kill."""
    made = make_deployment(request.param)
    with ExitStack() as stack:
        stack.callback(made.close)
        made.add_http("telco")
        made.import_people(*made.people.make_many(30))
        yield made
        made.do("journal", "verify")


@pytest.fixture(scope="module")
def unknown_people(deployment: Deployment) -> Iterator[Person]:
    """The people of the service, one by one."""
    return iter(list(deployment.people.made))


@pytest.fixture
def running(deployment: Deployment) -> Deployment:
    """Start the service unless it runs."""
    if not deployment.processes or deployment.processes[-1].poll() is not None:
        deployment.start()
    return deployment


@pytest.fixture
def telco(running: Deployment) -> HttpLink:
    """The link of the running service."""
    return running.http["telco"]


def kill_and_start(service: Deployment, *, group: bool) -> None:
    """End the service without warning and start it again on the same port."""
    service.kill(service.processes[-1], group=group)
    service.start()


def assert_told_once(telco: HttpLink, message_id: str) -> Mt:
    """Check that the copies of an answer, if there are two, are one message."""
    copies = telco.operator.copies(message_id)
    assert 1 <= len(copies) <= MOST_COPIES
    assert len({mt.body for mt in copies}) == 1
    return copies[0]


@dataclass(frozen=True, slots=True)
class Killed:
    """Who was in the middle of what when the service and all its processes were killed."""

    accepted: tuple[Person, dict[str, Any], wire.Response, Mt]  # their PIN had reached the operator
    guesser: tuple[Person, str]  # had given two wrong PINs
    reader: tuple[Person, str]  # had read their record
    stalled: tuple[Person, str]  # the operator was reading their PIN
    asking: tuple[Person, str]  # had asked that very moment


@pytest.fixture(scope="module")
def killed(deployment: Deployment, unknown_people: Iterator[Person]) -> Killed:
    """Kill a service that is in the middle of much, and start it again."""
    deployment.start()
    telco = deployment.http["telco"]
    accepted, guesser, reader, stalled, asking = islice(unknown_people, 5)
    data = message(accepted.phone, f"DC {accepted.personal_id}")
    answer = telco.offer(data)
    reply = telco.operator.reply_to(data["id"])
    assert deployment.until_sent(telco, data["id"]) == "accepted"
    guessed = pin_in(telco.ask(guesser.phone, f"DC {guesser.personal_id}"))
    telco.ask(guesser.phone, f"XN {wrong(guessed, 1)}")
    telco.ask(guesser.phone, f"XN {wrong(guessed, 2)}")
    read = pin_in(telco.ask(reader.phone, f"DC {reader.personal_id}"))
    telco.ask(reader.phone, f"XN {read}")
    telco.operator.plan(stalled.phone, Wreck.STALL)
    being_read = telco.send(stalled.phone, f"DC {stalled.personal_id}")
    telco.operator.reply_to(being_read)
    asked = telco.send(asking.phone, f"DC {asking.personal_id}")

    kill_and_start(deployment, group=True)
    return Killed(
        (accepted, data, answer, reply), (guesser, guessed), (reader, read), (stalled, being_read),
        (asking, asked),
    )  # fmt: skip


def test_a_message_acknowledged_before_a_kill_is_answered_after_it(
    killed: Killed, telco: HttpLink
) -> None:
    person, asked = killed.asking

    telco.operator.reply_to(asked, within=LEASES)
    result = telco.ask(person.phone, f"XN {pin_in(assert_told_once(telco, asked))}")

    assert person.plain_name in plain(result.text)
    assert_told_once(telco, asked)


def test_a_kill_while_the_operator_reads_makes_one_more_copy(
    killed: Killed, telco: HttpLink
) -> None:
    person, asked = killed.stalled

    telco.operator.copy(asked, 2, within=LEASES)
    result = telco.ask(person.phone, f"XN {pin_in(assert_told_once(telco, asked))}")

    assert person.plain_name in plain(result.text)
    assert len(telco.operator.copies(asked)) == MOST_COPIES


def test_what_was_accepted_before_a_kill_is_not_sent_again(killed: Killed, telco: HttpLink) -> None:
    person, data, before, reply = killed.accepted

    after = telco.offer(data)
    result = telco.ask(person.phone, f"XN {pin_in(reply)}")

    assert (before.status, before.body) == (after.status, after.body)
    assert person.plain_name in plain(result.text)
    assert len(telco.operator.copies(data["id"])) == 1


def test_spent_tries_and_spent_pins_stay_spent(killed: Killed, telco: HttpLink) -> None:
    (guesser, guessed), (reader, read) = killed.guesser, killed.reader

    telco.ask(guesser.phone, f"XN {wrong(guessed, 3)}")
    right_and_late = telco.ask(guesser.phone, f"XN {guessed}")
    read_again = telco.ask(reader.phone, f"XN {read}")

    assert guesser.plain_name not in plain(right_and_late.text)
    assert reader.plain_name not in plain(read_again.text)


def test_a_kill_in_a_crowd_loses_nobody(
    running: Deployment, telco: HttpLink, unknown_people: Iterator[Person]
) -> None:
    alone, *people = islice(unknown_people, 13)
    asked = telco.send(alone.phone, f"DC {alone.personal_id}")
    messages = {who: message(who.phone, f"DC {who.personal_id}") for who in people}

    def offer(data: dict[str, Any]) -> wire.Response | None:
        try:
            return telco.offer(data)
        except (OSError, HTTPException):
            return None  # cut by the kill: the operator sends it again

    with ThreadPoolExecutor(len(people)) as pool:
        first = [pool.submit(offer, data) for data in messages.values()]
        first[3].result()
        kill_and_start(running, group=False)
        acknowledged = [answer.result() for answer in first]
        again = list(pool.map(offer, messages.values()))
    with ThreadPoolExecutor(len(people)) as pool:
        pins = [
            pin_in(telco.operator.reply_to(data["id"], within=LEASES)) for data in messages.values()
        ]
        questions = [(who.phone, f"XN {pin}") for who, pin in zip(people, pins, strict=True)]
        results = list(pool.map(lambda question: telco.ask(*question), questions))

    telco.operator.reply_to(asked, within=LEASES)
    of_one = telco.ask(alone.phone, f"XN {pin_in(assert_told_once(telco, asked))}")

    # Whoever was acknowledged before the kill is answered, whether they are heard again or not.
    assert alone.plain_name in plain(of_one.text)
    for who, result in zip(people, results, strict=True):
        assert who.plain_name in plain(result.text)
        assert_told_once(telco, messages[who]["id"])
    for early, late in zip(acknowledged, again, strict=True):
        assert late is not None
        assert late.status == 202
        assert early is None or early.status != 202 or early.body == late.body
    assert running.cli("journal", "verify").returncode == 0


def test_a_service_that_is_asked_to_end_ends_in_order(
    running: Deployment, telco: HttpLink, unknown_people: Iterator[Person]
) -> None:
    people = list(islice(unknown_people, 6))
    telco.ask(people[0].phone, "HD")  # whoever answers has begun, and can be asked to end
    asked = [telco.send(who.phone, f"DC {who.personal_id}") for who in people]

    codes = running.stop()
    answered_at_once = [len(telco.operator.copies(message_id)) for message_id in asked]
    sealed = running.read("journal", "head")["checkpoint"]
    mirrored = (running.state_dir / "journal" / "checkpoint").read_text()
    running.start()
    for who, message_id in zip(people, asked, strict=True):
        reply = telco.operator.reply_to(message_id)
        assert who.plain_name in plain(telco.ask(who.phone, f"XN {pin_in(reply)}").text)

    assert codes == [0]
    assert [len(telco.operator.copies(message_id)) for message_id in asked] == [1] * len(asked)
    assert max(answered_at_once) <= 1
    assert mirrored == sealed


def test_an_interrupted_service_ends_in_order_too(running: Deployment) -> None:
    process = running.processes[-1]

    process.send_signal(signal.SIGINT)

    assert process.wait(30) in {0, 130}
    assert "Traceback" not in running.log
