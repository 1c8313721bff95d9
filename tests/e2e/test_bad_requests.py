"""Bad input gets a small fixed answer, costs nobody anything, and never a 500."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e import wire
from tests.e2e.fake_operator import new_secret
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, envelope, message
from tests.e2e.people import Person
from tests.e2e.problems import assert_problem
from tests.e2e.waiting import until

LIMIT = 8192
SENDER = "+84987000501"


@pytest.fixture
def strict(service: Deployment) -> HttpLink:
    """A link that no other test counts failures on."""
    return service.http["strict"]


def unauthentic(link: HttpLink) -> dict[str, wire.Response]:
    """Send one message in every way that proves nothing, and return the answers."""
    body = envelope(message(SENDER, "HD"))
    now = datetime.now(UTC)
    genuine = dict(wire.webhook_headers(link.operator.secret, body))
    signature = str(genuine["webhook-signature"])

    def post(path: str = link.path, content: bytes = body, **changes: str | bytes) -> wire.Response:
        headers = genuine | {name.replace("_", "-"): value for name, value in changes.items()}
        sent = [(name, value) for name, value in headers.items() if value != ""]
        return wire.request(link.port, "POST", path, content, sent)

    def signed(secret: str, content: bytes, at: datetime) -> wire.Response:
        headers = wire.webhook_headers(secret, content, at=at)
        return wire.request(link.port, "POST", link.path, content, headers)

    return {
        "no signature": post(webhook_signature=""),
        "no id": post(webhook_id=""),
        "no timestamp": post(webhook_timestamp=""),
        "another secret": signed(new_secret(), body, now),
        "too old": signed(link.operator.secret, body, now - timedelta(seconds=301)),
        "too new": signed(link.operator.secret, body, now + timedelta(seconds=303)),
        "another body": post(content=body.replace(b"HD", b"KT")),
        "another id": post(webhook_id="evt_other"),
        "a timestamp that is no number": post(webhook_timestamp="now"),
        "a timestamp of no calendar": post(webhook_timestamp="999999999999"),
        "a signature without a value": post(webhook_signature="v1"),
        "a signature that is not ASCII": post(webhook_signature="v1,é".encode()),
        "a signature that is not base64": post(webhook_signature="v1,*"),
        "a version we do not know": post(webhook_signature=signature.replace("v1,", "v2,")),
        "bytes that are no text": signed(link.operator.secret, b"\xff", now),
        "an unknown link": post(path="/sms/nobody/inbound"),
        "a secret where the path has none": post(path=f"{link.path}/{'0' * 32}"),
    }


def test_all_that_proves_nothing_gets_the_same_answer(strict: HttpLink) -> None:
    answers = unauthentic(strict)

    assert {why: answer.status for why, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert len({answer.body for answer in answers.values()}) == 1
    for answer in answers.values():
        assert_problem(answer, 401)


def test_a_signature_is_good_for_five_minutes_either_way(telco: HttpLink, person: Person) -> None:
    now = datetime.now(UTC)
    shifts = (timedelta(seconds=-270), timedelta(seconds=270))

    answers = [
        telco.post(envelope(message(person.phone, "HD")), at=now + shift) for shift in shifts
    ]

    assert [answer.status for answer in answers] == [202, 202]


def test_a_signature_among_others_is_enough(telco: HttpLink, person: Person) -> None:
    body = envelope(message(person.phone, "HD"))
    headers = dict(wire.webhook_headers(telco.operator.secret, body))
    headers["webhook-signature"] = f"v1,AAAA v1a,AAAA {headers['webhook-signature']!s}"

    answer = wire.request(telco.port, "POST", telco.path, body, list(headers.items()))

    assert answer.status == 202


def test_guessing_is_slowed_and_the_genuine_is_not(service: Deployment) -> None:
    flood = service.http["flood"]
    body = envelope(message(SENDER, "HD"))

    answers: list[wire.Response] = []

    def is_slowed() -> bool:
        answers.append(wire.signed_post(flood.port, flood.path, new_secret(), body))
        return answers[-1].status != 401

    until(is_slowed, "a slow-down")  # twenty a minute are borne, by each process that listens
    genuine = flood.offer(message("+84987000502", "HD"))

    assert_problem(answers[0], 401)
    assert_problem(answers[-1], 429)
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert genuine.status == 202


def test_more_than_the_contract_allows_is_put_off_until_later(service: Deployment) -> None:
    paced = service.http["paced"]
    messages = [message(f"+8498700{number:04d}", "HD") for number in range(6000, 6020)]

    with ThreadPoolExecutor(len(messages)) as pool:
        answers = list(pool.map(paced.offer, messages))

    put_off = [
        (data, answer)
        for data, answer in zip(messages, answers, strict=True)
        if answer.status != 202
    ]
    assert 0 < len(put_off) <= len(messages) - 5
    for _, answer in put_off:
        assert_problem(answer, 429)
        assert int(answer.headers["Retry-After"]) > 0
    later, _ = put_off[0]
    until(lambda: paced.offer(later).status == 202, "the rest to be taken")


@pytest.mark.parametrize("is_signed", [True, False])
def test_what_is_too_large_is_refused(strict: HttpLink, is_signed: bool) -> None:
    body = envelope(message(SENDER, "HD")).ljust(LIMIT + 1)
    headers = wire.webhook_headers(strict.operator.secret, body) if is_signed else [_JSON]

    whole = wire.request(strict.port, "POST", strict.path, body, headers)
    in_parts = wire.request(strict.port, "POST", strict.path, iter([body] * 3), headers)

    assert_problem(whole, 413)
    assert_problem(in_parts, 413)


def test_what_just_fits_is_taken(telco: HttpLink, person: Person) -> None:
    assert telco.post(envelope(message(person.phone, "HD")).ljust(LIMIT)).status == 202


def test_a_body_in_parts_is_a_body(telco: HttpLink, person: Person) -> None:
    body = envelope(message(person.phone, "HD"))
    headers = wire.webhook_headers(telco.operator.secret, body)

    answer = wire.request(telco.port, "POST", telco.path, iter([body[:20], body[20:]]), headers)

    assert answer.status == 202


@pytest.mark.parametrize(
    "content_type", ["text/plain", wire.FORM, "application/xml", "multipart/form-data", ""]
)
def test_another_content_type_is_refused(strict: HttpLink, content_type: str) -> None:
    body = envelope(message(SENDER, "HD"))
    headers = dict(wire.webhook_headers(strict.operator.secret, body))
    headers["Content-Type"] = content_type

    answer = wire.request(strict.port, "POST", strict.path, body, list(headers.items()))

    assert_problem(answer, 415)


def test_json_may_name_its_encoding(telco: HttpLink, person: Person) -> None:
    body = envelope(message(person.phone, "HD"))
    headers = dict(wire.webhook_headers(telco.operator.secret, body))
    headers["Content-Type"] = "application/json; charset=utf-8"

    answer = wire.request(telco.port, "POST", telco.path, body, list(headers.items()))

    assert answer.status == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(strict: HttpLink, method: str) -> None:
    assert_problem(wire.request(strict.port, method, strict.path), 405)


def test_a_page_that_is_not_there_is_said_to_be_missing(service: Deployment) -> None:
    assert_problem(service.get("/nothing-here"), 404)


def test_a_header_that_is_too_long_is_refused(strict: HttpLink) -> None:
    body = envelope(message(SENDER, "HD"))
    headers = dict(wire.webhook_headers(strict.operator.secret, body))
    headers["webhook-signature"] = "v1," + "A" * 6000

    answer = wire.request(strict.port, "POST", strict.path, body, list(headers.items()))

    assert answer.status in {400, 401, 429, 431}


def test_after_all_that_the_service_answers(service: Deployment, strict: HttpLink) -> None:
    assert strict.ask("+84987000503", "HD").text
    assert service.get("/readyz").status == 200


_JSON = ("Content-Type", wire.JSON)
