"""Receipts and number events through the running service, as operators post them."""

import json
from datetime import UTC, datetime
from secrets import token_hex

from tests.e2e import wire
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink, TwilioLink
from tests.e2e.people import Person
from tests.e2e.problems import assert_problem


def post(link: HttpLink, subject: str, kind: str, **data: object) -> wire.Response:
    """Post an event about a reply or a number, signed as the operator does."""
    body = {"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data}
    path = link.path.replace("/inbound", f"/{subject}")
    return wire.signed_post(link.port, path, link.operator.secret, json.dumps(body).encode())


def now() -> str:
    return datetime.now(UTC).isoformat()


def test_what_the_operator_reports_of_a_reply_is_in_the_report(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    reply = telco.ask(person.phone, "HD")
    mine, message_id = str(reply.data["id"]), str(reply.data["in_reply_to"])
    service.until_sent(telco, message_id)
    before = service.report(telco, message_id)["delivery"]

    answer = post(telco, "status", "message.status", id=mine, status="delivered", done_at=now())

    assert (answer.status, answer.document) == (200, {"id": mine})
    assert (before, service.report(telco, message_id)["delivery"]) == (None, "delivered")


def test_a_receipt_that_nobody_signed_is_a_401(telco: HttpLink) -> None:
    path = telco.path.replace("/inbound", "/status")
    answer = wire.request(telco.port, "POST", path, b"{}", [("Content-Type", wire.JSON)])

    assert_problem(answer, 401)


def test_twilio_calls_back_where_it_was_told_to(service: Deployment, person: Person) -> None:
    link: TwilioLink = service.twilio["twilio"]
    form = link.form(person.phone, "HD")
    link.post(form)
    asked_for = link.twilio.message_to(person.phone).value("StatusCallback")
    path = asked_for.removeprefix(link.public_url)
    told = {
        "MessageSid": f"SM{token_hex(16)}", "AccountSid": link.twilio.account_sid,
        "From": link.twilio.number, "To": person.phone, "MessageStatus": "undelivered",
        "ErrorCode": "30003",
    }  # fmt: skip

    answer = wire.twilio_post(link.port, path, link.twilio.token, told, public_url=link.public_url)

    assert answer.status == 200
    assert service.report(link, form["MessageSid"])["delivery"] == "undelivered"


def test_t5_after_a_sim_swap_nothing_is_told(
    service: Deployment, telco: HttpLink, person: Person
) -> None:
    answer = post(
        telco, "numbers", "number.sim_changed", id=f"n-{token_hex(8)}", number=person.phone,
        happened_at=now(),
    )  # fmt: skip

    asked = telco.ask(person.phone, f"DC {person.personal_id}")

    assert answer.status == 200
    assert service.reply_class(telco, str(asked.data["in_reply_to"])) == "NOMATCH"
