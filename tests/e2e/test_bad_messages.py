"""A signed body that is no message is refused, whatever it is; never with a 500."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, envelope, message
from tests.e2e.people import Person
from tests.e2e.problems import assert_problem

SENDER = "+84987000501"


@pytest.fixture
def strict(service: Deployment) -> HttpLink:
    """A link for what is not in order."""
    return service.http["strict"]


GOOD = json.dumps(message(SENDER, "HD"))
MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "two documents": envelope({}) * 2,
    "a list": b"[]",
    "a text": b'"message.received"',
    "nothing at all": b"null",
    "a byte order mark": b"\xef\xbb\xbf" + envelope(json.loads(GOOD)),
    "another event": envelope(json.loads(GOOD)).replace(b"message.received", b"message.status"),
    "no event": b'{"data":' + GOOD.encode() + b"}",
    "data that are a list": envelope([]),
    "data that are a text": envelope("HD"),
    "no data": b'{"type":"message.received","timestamp":"2026-01-01T00:00:00Z"}',
    "a key twice": envelope(json.loads(GOOD)).replace(b'"data": {', b'"data": {"text": "KT", '),
    "data twice": b'{"type":"message.received","data":{},"data":' + GOOD.encode() + b"}",
    "a number that is none": envelope({**json.loads(GOOD), "more": float("nan")}),
    "a number without end": envelope({**json.loads(GOOD), "more": float("inf")}),
    "a deep nest": b"[" * 4000,
    "a deep nest inside": b'{"a":' * 1300 + b"1" + b"}" * 1300,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_no_message_is_refused(strict: HttpLink, body: bytes) -> None:
    assert_problem(strict.post(body), 400)


FIELDS = ("id", "from", "to", "text", "received_at")
VALUES = {
    "missing": ...,
    "empty": "",
    "null": None,
    "number": 7,
    "flag": True,
    "list": [],
    "map": {},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_the_wrong_kind_is_refused(strict: HttpLink, name: str, value: object) -> None:
    data = {**message(SENDER, "HD"), name: value}
    if value is ...:
        del data[name]

    assert_problem(strict.offer(data), 400)


def minutes_ahead(minutes: int) -> str:
    """Write an instant that many minutes from now."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


WRONG: dict[str, dict[str, Any]] = {
    "an id too long": {"id": "x" * 101},
    "an id with a space": {"id": "a b"},
    "an id that is not ASCII": {"id": "số-1"},
    "an id with a control": {"id": "a\x00"},
    "an id with a line end": {"id": "a\n"},
    "a time before 2020": {"received_at": "2019-12-31T23:59:59Z"},
    "a time without an offset": {"received_at": "2026-01-01T00:00:00"},
    "a time to come": {"received_at": minutes_ahead(11 + 60)},
    "a date": {"received_at": "2026-01-01"},
    "a day that is not": {"received_at": "2026-02-30T00:00:00Z"},
    "a time before all": {"received_at": "0001-01-01T00:00:00+14:00"},
    "a time after all": {"received_at": "9999-12-31T23:59:59-14:00"},
    "an offset that is none": {"received_at": "2026-01-01T00:00:00+99:99"},
    "a time in words": {"received_at": "yesterday"},
    "a time in seconds": {"received_at": "1767225600"},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_a_field_out_of_its_bounds_is_refused(strict: HttpLink, change: dict[str, Any]) -> None:
    assert_problem(strict.offer({**message(SENDER, "HD"), **change}), 400)


def test_a_clock_may_be_ahead_by_ten_minutes_and_no_more(telco: HttpLink, person: Person) -> None:
    near = telco.offer(message(person.phone, "HD", received_at=minutes_ahead(9)))
    far = telco.offer(message(person.phone, "HD", received_at=minutes_ahead(11)))

    assert near.status == 202
    assert_problem(far, 400)


ODD = {
    "NUL": "HD\x00",
    "a lone surrogate": "HD \ud83d",
    "surrogates the wrong way round": "\ude00\ud83d",
    "controls": "HD\x1b[2J\x07\r\n",
    "no letters": "\u200b\u202e\ufeff",
    "what folds into much": "\ufdfa" * 300,
    "a number of other scripts": "DC ٠٠١٠٨٥١٢٣٤٥٦",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("name", ["text", "from", "to"])
def test_odd_characters_break_nothing(strict: HttpLink, name: str, text: str) -> None:
    answer = strict.offer({**message(SENDER, "HD"), name: text})

    if answer.status != 202:
        assert_problem(answer, 400)


def test_a_number_of_many_digits_breaks_nothing(strict: HttpLink) -> None:
    body = envelope({**message(SENDER, "HD"), "more": 0}).replace(
        b'"more": 0', b'"more": ' + b"9" * 5000
    )

    answer = strict.post(body)

    if answer.status != 202:
        assert_problem(answer, 400)


def test_after_all_that_the_service_answers(service: Deployment, strict: HttpLink) -> None:
    assert strict.ask("+84987000504", "HD").text
    assert service.get("/readyz").status == 200
