"""G4: the same message again has the same acknowledgement and no second effect."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.e2e import wire
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, envelope, message, pin_in
from tests.e2e.people import Person, plain
from tests.e2e.waiting import until

ACCEPTED = 202
CONFLICT = 409


def test_fifty_copies_at_once_have_one_effect(
    service: Deployment, telco: HttpLink, person: Person, at_hand: Iterator[Person]
) -> None:
    first, other = next(at_hand), next(at_hand)
    telco.ask(first.phone, f"DC {first.personal_id}")  # a process's first entry announces it
    before = service.journal_size()
    telco.ask(other.phone, f"DC {other.personal_id}")
    of_one = service.journal_size() - before
    data = message(person.phone, f"DC {person.personal_id}")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(telco.offer, [data] * 50))
    telco.ask(person.phone, "HD")  # answered after all that came before

    assert {answer.status for answer in answers} == {ACCEPTED}
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].document == {"id": data["id"]}
    (only,) = telco.operator.copies(data["id"])
    assert service.journal_size() - before == 2 * of_one
    result = telco.ask(person.phone, f"XN {pin_in(only)}")
    assert person.plain_name in plain(result.text)


def test_a_replayed_request_is_a_repeat(telco: HttpLink, person: Person) -> None:
    data = message(person.phone, f"DC {person.personal_id}")
    body = envelope(data)
    headers = wire.webhook_headers(telco.operator.secret, body)

    answers = [wire.request(telco.port, "POST", telco.path, body, headers) for _ in range(3)]
    telco.ask(person.phone, "HD")

    assert {(answer.status, answer.body) for answer in answers} == {
        (ACCEPTED, answers[0].body),
    }
    assert len(telco.operator.copies(data["id"])) == 1


def test_a_retry_may_be_written_in_another_way(telco: HttpLink, person: Person) -> None:
    data = message(person.phone, "Trợ giúp")
    again = {name: data[name] for name in reversed(data)}
    body = json.dumps(
        {"data": again, "timestamp": data["received_at"], "type": "message.received"},
        ensure_ascii=False,
        indent=1,
    ).encode()

    first = telco.offer(data)
    second = telco.post(body)

    assert (first.status, first.body) == (second.status, second.body)
    assert first.status == ACCEPTED


def test_an_id_that_was_used_for_another_message_is_a_conflict(
    telco: HttpLink, person: Person
) -> None:
    data = message(person.phone, f"DC {person.personal_id}")
    assert telco.offer(data).status == ACCEPTED

    answers = [
        telco.offer({**data, **change})
        for change in ({"text": "HD"}, {"from": "+84987000401"}, {"to": "1415"})
    ]
    repeated = telco.offer(data)

    for answer in answers:
        assert (answer.status, answer.kind) == (CONFLICT, wire.PROBLEM)
    assert repeated.status == ACCEPTED
    telco.ask(person.phone, "HD")
    assert len(telco.operator.copies(data["id"])) == 1


def test_the_same_id_on_another_link_is_another_message(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    other = service.http["other"]
    data = message(person.phone, "HD")

    assert telco.offer(data).status == ACCEPTED
    assert other.offer(data).status == ACCEPTED

    assert telco.operator.reply_to(data["id"]).verified
    assert other.operator.reply_to(data["id"]).verified


def test_the_name_of_the_event_is_not_the_name_of_the_message(
    telco: HttpLink, person: Person
) -> None:
    both = [message(person.phone, "HD"), message(person.phone, "PHI")]

    for data in both:
        body = envelope(data)
        headers = wire.webhook_headers(telco.operator.secret, body, event_id="evt_of_both")
        answer = wire.request(telco.port, "POST", telco.path, body, headers)
        assert answer.status == ACCEPTED

    until(lambda: all(telco.operator.copies(data["id"]) for data in both), "both answers")
