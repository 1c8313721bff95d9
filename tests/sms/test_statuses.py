"""Receipts over HTTP: what is taken, what is refused, and that nothing shows what is known."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from billing.tables import USAGE
from core import metrics
from core.ids import uuid7
from core.phone import Msisdn
from sms import dispatch, outbox
from sms.dispatch import NewReply
from sms.links import registry
from sms.links.model import LinkKind, LinkState
from sms.links.registry import NewLink
from sms.tables import LINK, OUTBOUND
from tests.e2e.wire import JSON
from tests.sms.door import (
    ACCOUNT,
    HTTP,
    NUMBER,
    PHONE,
    PUBLIC,
    SECOND,
    STRANGE,
    TOKEN,
    TWILIO,
    Door,
)
from tests.sms.test_webhook import check_problem

PATH = f"/sms/{HTTP}/status"


def reply_over(door: Door, code: str) -> UUID:
    """Put a reply into the outbox that was handed to a link and not answered for."""
    link = door.service.links.get(code)
    assert link is not None
    now, reply_id = door.clock.now(), uuid7()
    reply = NewReply(
        id=reply_id, inbound_id=uuid7(), link_id=link.id, reply="HELP", command="HD", priority=1,
        discloses=False, number_id=0, trusted_since=None, served_by=None, is_test=False,
        to=Msisdn(PHONE), sender="12345", text="CSDLDC",
        in_reply_to="m-1", encoding="gsm7", segments=1, entry_id=None, created_at=now,
        expires_at=now + timedelta(minutes=30),
    )  # fmt: skip
    row = dispatch.row_of(door.service.keyring, reply)
    inner = door.database.inner
    inner.write(lambda s: outbox.put(s, [row]))
    inner.write(lambda s: outbox.claim(s, now, limit=1, may_disclose=True))
    return reply_id


def row_of(door: Door, reply_id: UUID) -> sa.Row[tuple[object, ...]]:
    query = sa.select(OUTBOUND).where(OUTBOUND.c.id == reply_id)
    return door.database.inner.read(lambda s: s.execute(query).one())


def status(
    door: Door, named: object, state: object = "delivered", **data: object
) -> dict[str, object]:
    """Make a `message.status` event that is in order, but for *data*."""
    now = door.clock.now().isoformat()
    written = {"id": str(named), "status": state, "done_at": now, **data}
    return {"type": "message.status", "timestamp": now, "data": written}


def counted(code: str, result: str) -> float:
    return float(metrics.RECEIPTS.labels(code, result)._value.get())


def test_a_status_moves_the_reply_and_is_acknowledged_by_its_id(either: Door) -> None:
    reply_id = reply_over(either, HTTP)

    response = either.post(status(either, reply_id), path=PATH)

    assert (response.status_code, response.mimetype) == (200, JSON)
    assert json.loads(response.data) == {"id": str(reply_id)}
    row = row_of(either, reply_id)
    assert (row.state, row.delivery) == ("accepted", "delivered")
    assert row.delivery_at == either.clock.now()


def test_t14_what_is_not_known_is_acknowledged_in_the_same_words(either: Door) -> None:
    mine, others = reply_over(either, HTTP), reply_over(either, TWILIO)
    before = row_of(either, others)
    foreign = counted(HTTP, "foreign")

    answers = [
        either.post(status(either, named), path=PATH)
        for named in (mine, mine, others, uuid7(), "no-id-of-ours", "x" * 100)
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert len({tuple(name for name, _ in answer.headers) for answer in answers}) == 1
    assert [json.loads(answer.data)["id"] for answer in answers[:3]] == [
        str(mine), str(mine), str(others)
    ]  # fmt: skip
    assert row_of(either, others) == before
    assert counted(HTTP, "foreign") == foreign + 1


def beside(door: Door, **changes: object) -> str:
    """Add a second link of the operator, but for *changes*, and return where its receipts go."""
    new = NewLink(
        code="beside", operator=HTTP, kind=LinkKind.HTTP, url="https://op.example", secret=SECOND
    )
    new = replace(new, **changes)  # type: ignore[arg-type]  # fields by name
    keyring, now = door.service.keyring, door.clock.now()
    door.database.inner.write(lambda s: registry.add(s, keyring, new, now))
    door.later(2)
    return f"/sms/{new.code}/status"


def test_a_link_that_shares_the_load_reports_on_the_replies_of_both(either: Door) -> None:
    path, reply_id = beside(either), reply_over(either, HTTP)
    foreign = counted("beside", "foreign")

    for _ in range(2):
        either.post(status(either, reply_id), path=path, secret=SECOND)

    row = row_of(either, reply_id)
    assert (row.state, row.delivery) == ("accepted", "delivered")
    assert counted("beside", "foreign") == foreign
    query = sa.select(USAGE.c.link_id, USAGE.c.message_id)
    (charged,) = either.database.inner.read(lambda s: s.execute(query).all())
    assert tuple(charged) == (row.link_id, reply_id)


@pytest.mark.parametrize("changes", [{"operator": "hong-lam"}, {"is_test": True}])
def test_t14_a_link_that_shares_no_load_reports_on_its_own_replies_alone(
    door: Door, changes: dict[str, object]
) -> None:
    path, reply_id = beside(door, **changes), reply_over(door, HTTP)
    before, foreign = row_of(door, reply_id), counted("beside", "foreign")

    answer = door.post(status(door, reply_id), path=path, secret=SECOND)

    assert answer.status_code == 200
    assert row_of(door, reply_id) == before
    assert counted("beside", "foreign") == foreign + 1


MALFORMED: list[dict[str, object]] = [
    {"id": ""}, {"id": None}, {"id": "a b"}, {"id": "x" * 101}, {"status": "arrived"},
    {"status": None}, {"status": "Delivered"}, {"done_at": None}, {"done_at": "2026-03-02"},
    {"done_at": "2019-12-31T23:59:59Z"}, {"done_at": "2026-03-02T05:10:01Z"}, {"part": 0},
    {"part": 256}, {"part": True}, {"part": "1"}, {"error": ""}, {"error": "x" * 41},
    {"error": "so long"}, {"error": 7},
]  # fmt: skip


def test_what_the_contract_does_not_say_is_a_400(door: Door) -> None:
    reply_id = reply_over(door, HTTP)
    for change in MALFORMED:
        made = status(door, reply_id)
        data = made["data"]
        assert isinstance(data, dict)
        data.update(change)

        check_problem(door.post(made, path=PATH), 400)
    assert row_of(door, reply_id).delivery is None


def test_optional_fields_are_taken_and_others_ignored(door: Door) -> None:
    reply_id = reply_over(door, HTTP)
    told = status(door, reply_id, "undelivered", error="0x45", part=1, imsi="452010000000000")

    assert door.post(told, path=PATH).status_code == 200
    assert row_of(door, reply_id).delivery_error == "0x45"


def test_a_status_is_no_message_and_a_message_no_status(door: Door) -> None:
    check_problem(door.post(door.event(), path=PATH), 400)
    check_problem(door.post(status(door, uuid7())), 400)
    assert door.stored() == []


def test_t14_every_failure_to_authenticate_is_the_same_401(door: Door) -> None:
    event = status(door, reply_over(door, HTTP))
    raw = json.dumps(event).encode()
    old = door.clock.now() - timedelta(seconds=301)

    answers = [
        door.post(event, path=PATH, secret=STRANGE),
        door.post(event, path=PATH, at=old),
        door.post(raw, path=PATH, changes={"webhook-signature": None}),
        door.post(event, path="/sms/nobody/status"),
        door.post(event, path=f"{PATH}/secret"),
        door.post(
            event,
            path=f"/sms/{TWILIO}/status",
            changes={"content-type": "application/x-www-form-urlencoded"},
        ),
    ]

    for answer in answers:
        check_problem(answer, 401)
    assert len({answer.data for answer in answers}) == 1


def test_size_type_and_method_are_refused_as_everywhere(door: Door) -> None:
    event = status(door, uuid7())

    check_problem(door.post(b"x" * 8193, path=PATH), 413)
    check_problem(door.post(event, path=PATH, changes={"content-type": "text/plain"}), 415)
    check_problem(door.client.get(PATH), 405)


def test_a_disabled_link_reports_nothing(door: Door) -> None:
    reply_id = reply_over(door, HTTP)
    link = door.service.links.get(HTTP)
    assert link is not None
    door.database.inner.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))
    door.later(2)

    check_problem(door.post(status(door, reply_id), path=PATH), 403)
    assert row_of(door, reply_id).delivery is None


def test_without_a_database_nothing_is_acknowledged(door: Door) -> None:
    reply_id = reply_over(door, HTTP)
    door.service.links.get(HTTP)
    door.database.away = True

    check_problem(door.post(status(door, reply_id), path=PATH), 503)
    door.database.away = False
    assert door.post(status(door, reply_id), path=PATH).status_code == 200


def callback(
    door: Door, named: object, state: str | None = "delivered", *, signed_id: object = None,
    **changes: str | None,
) -> TestResponse:  # fmt: skip
    """Post a status callback as Twilio does."""
    form: dict[str, str | None] = {
        "MessageSid": "SM" + "1" * 32, "SmsSid": "SM" + "1" * 32, "AccountSid": ACCOUNT,
        "From": NUMBER, "To": PHONE, "MessageStatus": state, "SmsStatus": state,
        "ApiVersion": "2010-04-01", **changes,
    }  # fmt: skip
    sent = {name: value for name, value in form.items() if value is not None}
    path = door.twilio_path.replace("/inbound/", "/status/")
    url = f"{PUBLIC}{path}?id={signed_id or named}"
    signature = RequestValidator(TOKEN).compute_signature(url, sent)
    return door.twilio(sent, path=f"{path}?id={named}", signature=signature)


def test_twilios_callback_carries_our_id(either: Door) -> None:
    reply_id = reply_over(either, TWILIO)

    answer = callback(either, reply_id, "undelivered", ErrorCode="30003")

    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    row = row_of(either, reply_id)
    assert (row.state, row.delivery, row.delivery_error) == ("accepted", "undelivered", "30003")
    assert row.provider_id == "SM" + "1" * 32


def test_every_state_of_twilios_is_known_and_others_are_let_pass(door: Door) -> None:
    found = {}
    for state in (
        "accepted",
        "queued",
        "sending",
        "sent",
        "failed",
        "delivered",
        "received",
        "new",
    ):
        reply_id = reply_over(door, TWILIO)
        assert callback(door, reply_id, state).status_code == 200
        found[state] = row_of(door, reply_id).delivery

    assert found == {
        "accepted": "queued", "queued": "queued", "sending": "queued", "sent": "sent",
        "failed": "failed", "delivered": "delivered", "received": None, "new": None,
    }  # fmt: skip


def test_t14_a_callback_is_for_the_id_it_was_signed_with(door: Door) -> None:
    mine, others = reply_over(door, TWILIO), reply_over(door, TWILIO)

    check_problem(callback(door, others, signed_id=mine), 401)
    assert row_of(door, others).delivery is None


def test_t14_a_callback_for_another_account_or_number_is_a_401(door: Door) -> None:
    reply_id = reply_over(door, TWILIO)

    check_problem(callback(door, reply_id, AccountSid="AC" + "b" * 32), 401)
    check_problem(callback(door, reply_id, From="+18445550199"), 401)
    check_problem(callback(door, reply_id, To=f"xSidSM{'0' * 32}"), 401)
    assert row_of(door, reply_id).delivery is None


def test_t14_a_callback_over_another_links_reply_changes_nothing(door: Door) -> None:
    reply_id = reply_over(door, HTTP)

    assert callback(door, reply_id).status_code == 200
    assert row_of(door, reply_id).delivery is None


def test_a_callback_without_a_reply_of_ours_is_acknowledged_alike(door: Door) -> None:
    known = callback(door, reply_over(door, TWILIO))

    for named in (uuid7(), "", "nobody", f"{uuid7()}&id={uuid7()}"):
        answer = callback(door, named)
        assert (answer.status_code, answer.data) == (200, known.data)


@pytest.mark.parametrize(
    "change", [{"MessageSid": "x"}, {"MessageStatus": None}, {"ErrorCode": "x"}]
)
def test_a_callback_that_is_none_is_a_400(door: Door, change: dict[str, str | None]) -> None:
    check_problem(callback(door, reply_over(door, TWILIO), **change), 400)


def test_a_code_that_a_person_must_see_raises_the_alarm_and_sends_nothing(door: Door) -> None:
    reply_id = reply_over(door, TWILIO)
    alarms = metrics.ALARMS.labels("twilio-error")
    before = alarms._value.get()

    callback(door, reply_id, "undelivered", ErrorCode="30007")
    callback(door, reply_id, "undelivered", ErrorCode="30003")

    assert alarms._value.get() == before + 1
    assert row_of(door, reply_id).state == "accepted"


def test_t15_a_flood_of_notices_is_held_to_a_rate_and_takes_none_of_the_messages(
    door: Door,
) -> None:
    link = door.service.links.get(HTTP)
    assert link is not None
    door.database.inner.write(lambda s: s.execute(sa.update(LINK).values(rate=1)))
    door.later(2)
    told = status(door, uuid7())

    answers = [door.post(told, path=PATH) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    check_problem(answers[-1], 429)
    assert door.post(door.event()).status_code == 202
    door.later(1)
    assert door.post(told, path=PATH).status_code == 200
