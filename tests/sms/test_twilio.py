"""Twilio's webhook: its signature, and what its signature does not bind."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from core.db import Database
from tests.e2e.wire import FORM, JSON
from tests.fakes import FixedClock
from tests.sms.door import ACCOUNT, NUMBER, OTHER_TOKEN, PUBLIC, TOKEN, TWILIO, Door, opened
from tests.sms.test_webhook import check_problem


@pytest.fixture
def door(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Door]:
    with opened(sqlite_database, keys_dir, tmp_path / "door", clock) as made:
        yield made


def test_a_message_is_stored_and_answered_with_nothing(door: Door) -> None:
    form = door.form(Body="DC 001085123456")

    response = door.twilio(form)

    assert (response.status_code, response.mimetype) == (200, "text/xml")
    assert response.data == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    (row,) = door.stored()
    assert row.operator_message_id == form["MessageSid"]


def test_a_repeat_is_answered_alike_and_stored_once(door: Door) -> None:
    form = door.form()

    answers = {door.twilio(form).data for _ in range(3)}

    assert len(answers) == len(door.stored()) == 1
    check_problem(door.twilio({**form, "Body": "HUY"}), 409)


def test_the_address_is_the_configured_one_and_never_the_requests(door: Door) -> None:
    theirs = f"http://attacker.example{door.twilio_path}"

    check_problem(door.twilio(door.form(), url=theirs), 401)
    assert door.twilio(door.form()).status_code == 200


def test_an_empty_text_is_a_message(door: Door) -> None:
    assert door.twilio(door.form(Body="")).status_code == 200


def test_unknown_parameters_are_let_pass(door: Door) -> None:
    assert door.twilio(door.form(FromCountry="VN", FromZip="")).status_code == 200


OTHERS: list[dict[str, str]] = [
    {"AccountSid": "AC" + "b" * 32},
    {"To": "+18445550199"},
    {"AccountSid": ""},
]


def test_another_account_or_number_is_a_401(door: Door) -> None:
    for form in OTHERS:
        check_problem(door.twilio(door.form(**form)), 401)


MALFORMED: list[dict[str, str | None]] = [
    {"MessageSid": None, "SmsMessageSid": None, "SmsSid": None},
    {"From": None},
    {"To": None},
    {"Body": None},
    {"AccountSid": None},
    {"MessageSid": "SM" + "g" * 32},
    {"MessageSid": "SM" + "a" * 31},
    {"MessageSid": "MM" + "a" * 32},
    {"SmsSid": "SM" + "9" * 32},
    {"SmsMessageSid": "SM" + "9" * 32},
    {"Body": "x" * 1001},
    {"Body": "a\x00b"},
    {"From": "x" * 101},
]


def test_a_form_that_is_no_message_is_a_400(door: Door) -> None:
    for form in MALFORMED:
        check_problem(door.twilio(door.form(**form)), 400)
    assert door.stored() == []


def test_a_parameter_given_twice_is_a_400(door: Door) -> None:
    for name in ("MessageSid", "From", "To", "Body", "AccountSid"):
        form = door.form()
        twice = [*form.items(), (name, "another")]
        many: dict[str, list[str]] = {}
        for key, value in twice:
            many.setdefault(key, []).append(value)
        signature = sign_lists(many, PUBLIC + door.twilio_path)

        check_problem(door.twilio(form, body=urlencode(twice).encode(), signature=signature), 400)


def sign_lists(form: dict[str, list[str]], url: str) -> str:
    class Many(dict[str, list[str]]):
        def getall(self, name: str) -> list[str]:
            return self[name]

    made: str = RequestValidator(TOKEN).compute_signature(url, Many(form))
    return made


def test_the_boundary_shift_is_refused(door: Door) -> None:
    """One signature, two readings: the text holds another sender's whole message."""
    victim = "+84987654321"
    sid = "SM" + "d" * 32
    honest = door.form(
        Body=f"hiFrom{victim}MessageSid{sid}NumMedia0SmsMessageSid{sid}SmsSid{sid}To{NUMBER}",
    )
    seen = door.twilio(honest)
    shifted = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "Body": "hi", "From": victim}
    tail = honest["From"] + "".join(
        f"{name}{honest[name]}" for name in sorted(honest) if name > "From"
    )
    shifted |= {
        "MessageSid": sid,
        "NumMedia": "0",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "To": f"{NUMBER}From{tail}",
    }
    url = PUBLIC + door.twilio_path
    validator = RequestValidator(TOKEN)
    assert validator.compute_signature(url, shifted) == validator.compute_signature(url, honest)

    forged = door.twilio(shifted, signature=validator.compute_signature(url, honest))

    check_problem(seen, 401)
    check_problem(forged, 401)
    assert door.stored() == []


def test_nothing_that_could_be_a_seam_is_let_in(door: Door) -> None:
    for name, seam in product(("Body", "From", "FromCity"), ("SidAC", "SidSM", "SidMM")):
        check_problem(door.twilio(door.form(**{name: f"x{seam}{'0' * 32}y"})), 401)


WRONG: list[tuple[str, dict[str, str | bytes]]] = [
    ("another token", {"token": OTHER_TOKEN}),
    ("no signature", {"signature": " "}),
    ("a short signature", {"signature": "AAAA"}),
    ("a signature that is not ASCII", {"signature": "\u00e9" * 28}),
    ("another path", {"path": f"/sms/{TWILIO}/inbound/{'0' * 32}"}),
    ("no secret in the path", {"path": f"/sms/{TWILIO}/inbound"}),
    ("an unknown link", {"path": "/sms/nobody/inbound/secret"}),
    ("a body that was not signed", {"body": b"MessageSid=SM1"}),
    ("an empty body", {"body": b""}),
    ("a body that is no form", {"body": b"hello"}),
    ("a body that is not ASCII", {"body": b"Body=\xff\xfe"}),
    ("a body of bytes that are no text", {"body": b"Body=%ff%fe"}),
    ("more parameters than there are", {"body": b"&".join(b"a=%d" % n for n in range(41))}),
]


def test_whatever_was_wrong_the_answer_is_one(door: Door) -> None:
    one = door.twilio(door.form(), token=OTHER_TOKEN).data
    for how, options in WRONG:
        response = door.twilio(door.form(), **options)  # type: ignore[arg-type]  # options of `twilio`

        assert response.status_code == 401, how
        check_problem(response, 401)
        assert response.data == one, how


def test_another_content_type_is_a_415(door: Door) -> None:
    for content_type in (JSON, "multipart/form-data", "text/plain"):
        check_problem(door.twilio(door.form(), content_type=content_type), 415)


def test_a_form_too_large_is_a_413(door: Door) -> None:
    check_problem(door.twilio(door.form(), body=b"Body=" + b"x" * 8192), 413)


def test_a_content_type_with_a_charset_is_a_form(door: Door) -> None:
    response = door.twilio(door.form(), content_type=f"{FORM}; charset=UTF-8")

    assert response.status_code == 200
