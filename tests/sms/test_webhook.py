"""RECEIVE over HTTP: what is taken, what is refused, and in which words."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from sms.links import registry
from sms.links.model import LinkState
from sms.links.registry import LinkRegistry
from sms.problems import TITLES
from tests.e2e.wire import FORM, JSON, PROBLEM
from tests.sms.door import HTTP, PHONE, SECOND, SECRET, STRANGE, Door

Body = Callable[[Door], bytes]


def check_problem(response: TestResponse, status: int) -> None:
    """See that an error has the fixed shape and nothing more."""
    assert response.status_code == status
    assert response.mimetype == PROBLEM
    document = json.loads(response.data)
    detail = document.pop("detail", None)
    assert document == {"type": "about:blank", "title": TITLES[status], "status": status}
    assert detail is None or status == 400
    assert response.headers["cache-control"] == "no-store"


def test_a_message_is_stored_before_it_is_acknowledged(either: Door) -> None:
    response = either.post(either.event(id="theirs-1"))

    assert (response.status_code, response.mimetype) == (202, JSON)
    assert response.data == b'{"id":"theirs-1"}'
    (row,) = either.stored()
    assert (row.operator_message_id, row.state, row.attempts) == ("theirs-1", "received", 0)
    assert row.stored_at == either.clock.now()
    assert PHONE[3:].encode() not in row.blob


def test_any_visible_id_comes_back_as_it_was(door: Door) -> None:
    for name in ("x", "!~", 'a"b\\c', "x" * 100, "<>&{}"):
        assert json.loads(door.post(door.event(id=name)).data) == {"id": name}


def test_a_repeat_is_acknowledged_byte_for_byte_and_stored_once(either: Door) -> None:
    event = either.event(id="theirs-1")
    first = either.post(event)
    either.later(30)

    again = [either.post(event, event_id="evt-of-the-retry"), either.post(event)]
    data = event["data"]
    assert isinstance(data, dict)
    moved = {**event, "data": {**data, "received_at": "2026-03-02T04:59:59Z"}}

    assert [each.data for each in again] == [first.data] * 2
    assert [each.status_code for each in again] == [202, 202]
    assert either.post(moved).status_code == 202, "when it came in is not what it says"
    assert len(either.stored()) == 1


@pytest.mark.parametrize(
    "change", [{"text": "HD "}, {"from": "+84912345679"}, {"to": "12346"}, {"text": "hd"}]
)
def test_an_id_used_for_something_else_is_a_conflict(
    either: Door, change: dict[str, object]
) -> None:
    either.post(either.event(id="theirs-1"))

    check_problem(either.post(either.event(id="theirs-1", **change)), 409)
    assert len(either.stored()) == 1
    assert either.post(either.event(id="theirs-1")).status_code == 202


def test_equal_ids_of_two_links_are_two_messages(either: Door) -> None:
    form = either.form()
    sid = form["MessageSid"]

    assert either.twilio(form).status_code == 200
    assert either.post(either.event(id=sid)).status_code == 202
    assert len(either.stored()) == 2


def body(text: str) -> Body:
    return lambda _door: text.encode()


def event(**data: object) -> Body:
    return lambda door: json.dumps(door.event(**data)).encode()


def without(name: str) -> Body:
    def make(door: Door) -> bytes:
        made = door.event()
        data = made["data"]
        assert isinstance(data, dict)
        del data[name]
        return json.dumps(made).encode()

    return make


def raw(old: str, new: str) -> Body:
    def make(door: Door) -> bytes:
        text = json.dumps(door.event(text="HERE"))
        assert old in text
        return text.replace(old, new).encode()

    return make


MALFORMED: list[Body] = [
    body(""),
    body("{"),
    body("[]"),
    body('"text"'),
    body("null"),
    body("{}"),
    body("NaN"),
    body("[" * 4000),
    body("\ufeff{}"),
    body('{"type":"message.received","data":{"id":' + "9" * 5000 + "}}"),
    body('{"type":"message.received","data":[]}'),
    body('{"type":"message.status","data":{}}'),
    raw('"message.received"', '"message.sent"'),
    raw('"message.received"', "1"),
    raw('"HERE"', "NaN"),
    raw('"HERE"', "Infinity"),
    raw('"HERE"', "1"),
    raw('"HERE"', "null"),
    raw('"HERE"', "true"),
    raw('"HERE"', '["HERE"]'),
    raw('"HERE"', '{"a": 1}'),
    raw('"HERE"', '""'),
    raw('"HERE"', '"a\\u0000b"'),
    raw('"HERE"', '"a\\ud800b"'),
    raw('"HERE"', '"HERE", "text": "THERE"'),
    raw('"HERE"', '"HERE", "x": {"y": 1, "y": 2}'),
    raw('{"type"', '{"type": "message.received", "type"'),
    *(without(name) for name in ("id", "from", "to", "text", "received_at")),
    *(event(**{name: ""}) for name in ("id", "from", "to", "text", "received_at")),
    *(event(**{name: 7}) for name in ("id", "from", "to", "text", "received_at")),
    event(id="x" * 101),
    event(id="a b"),
    event(id="tab\there"),
    event(id="thế"),
    event(id="\x7f"),
    event(**{"from": "x" * 101}),
    event(to="x" * 101),
    event(text="x" * 1001),
    event(received_at="2026-03-02T12:00:00"),
    event(received_at="2026-03-02"),
    event(received_at="yesterday"),
    event(received_at="1772427600"),
    event(received_at="2026-02-30T12:00:00Z"),
    event(received_at="2026-03-02T24:00:01Z"),
    event(received_at="2026-03-02T04:60:00Z"),
    event(received_at="2026-03-02T04:00:61Z"),
    event(received_at="2026-03-02T12:00:00+07:60"),
    event(received_at="2026-03-02T12:00:00+24:00"),
    event(received_at="0001-01-01T00:00:00+23:59"),
    event(received_at="2019-12-31T23:59:59Z"),
    event(received_at="2026-03-02T05:10:01Z"),
    event(received_at="9999-12-31T23:59:59-23:59"),
    event(received_at="2026-03-02T05:00:00Z\n"),
    event(received_at="٢٠٢٦-03-02T05:00:00Z"),
]


def test_what_is_signed_and_no_message_is_a_400(door: Door) -> None:
    for malformed in MALFORMED:
        sent = malformed(door)
        response = door.post(sent)

        assert response.status_code == 400, sent[:200]
        check_problem(response, 400)
        assert b"HERE" not in response.data, "what was sent is not quoted"
    assert door.stored() == []


TIMES = [
    "2026-03-02T05:00:00Z",
    "2026-03-02t05:00:00z",
    "2026-03-02 12:00:00+07:00",
    "2026-03-02T05:00:00.123456789Z",
    "2026-03-02T05:10:00Z",
    "2026-03-02T04:59:60Z",
    "2026-03-02T00:00:00-05:00",
    "2020-01-01T00:00:00Z",
]


def test_a_time_with_an_offset_is_taken(door: Door) -> None:
    for written in TIMES:
        assert door.post(door.event(received_at=written)).status_code == 202, written


TEXTS = [" ", "x" * 1000, "Tiếng Việt có dấu", "😀", "\u2028", "a\r\nb", "\x1b[31m", "\ufffd"]


def test_any_other_text_is_taken(door: Door) -> None:
    for text in TEXTS:
        assert door.post(door.event(text=text)).status_code == 202, text


def test_more_than_the_contract_says_is_let_pass(door: Door) -> None:
    more = door.event(operator_note={"deep": [1, 2, {"a": None}]})

    assert door.post({**more, "version": 3}).status_code == 202


@pytest.mark.parametrize(("size", "status"), [(8192, 202), (8193, 413), (100_000, 413)])
def test_eight_kibibytes_are_enough(door: Door, size: int, status: int) -> None:
    text = json.dumps(door.event())
    padded = text[:-1] + " " * (size - len(text)) + "}"

    response = door.post(padded.encode())

    if status == 202:
        assert response.status_code == status
    else:
        check_problem(response, status)


def test_another_content_type_is_a_415(door: Door) -> None:
    for wrong in ("text/plain", "application/xml", "", None, FORM, "application/jsonp", "json"):
        check_problem(door.post(door.event(), changes={"content-type": wrong}), 415)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;x=y"]
)
def test_the_content_type_is_read_as_http_says(door: Door, content_type: str) -> None:
    response = door.post(door.event(), changes={"content-type": content_type})

    assert response.status_code == 202


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_a_405(door: Door, method: str) -> None:
    check_problem(getattr(door.client, method)(f"/sms/{HTTP}/inbound"), 405)


def changed(name: str, value: str | None) -> Callable[[Door], TestResponse]:
    return lambda door: door.post(door.event(), changes={name: value})


UNAUTHENTICATED: dict[str, Callable[[Door], TestResponse]] = {
    "no signature": changed("webhook-signature", None),
    "an empty signature": changed("webhook-signature", ""),
    "a signature of nothing": changed("webhook-signature", "v1,"),
    "a signature that is not base64": changed("webhook-signature", "v1,!!!!"),
    "a signature of another version": changed("webhook-signature", "v1a,AAAA"),
    "a signature with letters of Latin-1": changed("webhook-signature", "v1,\u00e9\u00ff"),
    "no id": changed("webhook-id", None),
    "an id that was not signed": changed("webhook-id", "evt-other"),
    "an id with a blank": changed("webhook-id", "a b"),
    "an id without end": changed("webhook-id", "x" * 257),
    "no timestamp": changed("webhook-timestamp", None),
    "a timestamp that is no number": changed("webhook-timestamp", "now"),
    "a timestamp without end": changed("webhook-timestamp", "9" * 400),
    "a negative timestamp": changed("webhook-timestamp", "-1"),
    "a fractional timestamp": changed("webhook-timestamp", "1772427600.5"),
    "another secret": lambda door: door.post(door.event(), secret=STRANGE),
    "stale": lambda door: door.post(door.event(), at=door.clock.now() - timedelta(seconds=301)),
    "ahead": lambda door: door.post(door.event(), at=door.clock.now() + timedelta(seconds=301)),
    "another body": lambda door: door.post(
        door.event(), headers=door.headers(json.dumps(door.event()).encode())
    ),
    "a body that is not UTF-8": lambda door: door.post(b'{"text":"\xff\xfe"}'),
    "a lone surrogate in UTF-8": lambda door: door.post(b'{"text":"\xed\xa0\x80"}'),
    "an unknown link": lambda door: door.post(door.event(), path="/sms/nobody/inbound"),
    "a link of odd letters": lambda door: door.post(door.event(), path="/sms/%00%ff/inbound"),
    "a path too long": lambda door: door.post(door.event(), path=f"/sms/{HTTP}/inbound/secret"),
    "Twilio's link spoken to in JSON": lambda door: door.post(
        door.event(), path="/sms/abroad/inbound"
    ),
}


def test_whatever_was_wrong_the_answer_is_one(door: Door) -> None:
    one = UNAUTHENTICATED["another secret"](door)
    for how, ask in UNAUTHENTICATED.items():
        response = ask(door)

        assert response.status_code == 401, how
        check_problem(response, 401)
        assert response.data == one.data, how
        assert dict(response.headers) == dict(one.headers), how
        door.later(61)  # so that nobody is slowed as a guesser
    assert door.stored() == []


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_timestamp_within_five_minutes_is_fresh(door: Door, seconds: int) -> None:
    at = door.clock.now() + timedelta(seconds=seconds)

    assert door.post(door.event(), at=at).status_code == 202


def test_one_of_several_signatures_is_enough(door: Door) -> None:
    sent = json.dumps(door.event()).encode()
    headers = door.headers(sent)
    many = f"v1a,AAAA v1,AAAA {headers['webhook-signature']} garbage"

    assert door.post(sent, {**headers, "webhook-signature": many}).status_code == 202


def test_a_replay_within_five_minutes_is_a_repeat_and_after_it_a_401(door: Door) -> None:
    sent = json.dumps(door.event()).encode()
    headers = door.headers(sent)
    first = door.post(sent, headers)

    door.later(300)
    within = door.post(sent, headers)
    door.later(1)

    assert within.data == first.data
    check_problem(door.post(sent, headers), 401)
    assert len(door.stored()) == 1


def rotate(door: Door, secret: str) -> None:
    link = door.service.links.get(HTTP)
    assert link is not None
    now = door.clock.now()
    door.database.inner.write(lambda s: registry.rotate(s, door.service.keyring, link, secret, now))
    door.later(2)


def test_two_secrets_live_side_by_side_and_a_third_ends_the_first(either: Door) -> None:
    rotate(either, SECOND)
    both = [either.post(either.event(), secret=each).status_code for each in (SECRET, SECOND)]

    rotate(either, STRANGE)

    after = [
        either.post(either.event(), secret=each).status_code for each in (SECRET, SECOND, STRANGE)
    ]
    assert (both, after) == ([202, 202], [401, 202, 202])


def test_a_link_that_is_disabled_says_so_to_its_operator_alone(door: Door) -> None:
    link = door.service.links.get(HTTP)
    assert link is not None
    door.database.inner.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))
    door.later(2)

    check_problem(door.post(door.event()), 403)
    check_problem(door.post(door.event(), secret=STRANGE), 401)


def test_a_link_that_was_ended_is_nobody(door: Door) -> None:
    link = door.service.links.get(HTTP)
    assert link is not None
    now = door.clock.now()
    door.database.inner.write(lambda s: registry.terminate(s, link, "breach", now))
    door.later(2)

    check_problem(door.post(door.event()), 401)


def test_without_a_database_nothing_is_acknowledged(either: Door) -> None:
    event = either.event()
    assert either.post(either.event()).status_code == 202
    either.database.away = True

    refused = either.post(event)
    either.later(5)
    later = either.post(event)
    either.database.away = False

    check_problem(refused, 503)
    check_problem(later, 503)
    assert refused.headers["retry-after"] == "5"
    assert either.post(event).status_code == 202
    assert len(either.stored()) == 2


def test_without_a_database_from_the_start_it_is_a_503_too(door: Door) -> None:
    door.service.links.__dict__.update(
        LinkRegistry(door.database, door.service.keyring, door.clock).__dict__  # type: ignore[arg-type]  # a database of this test
    )
    door.database.away = True

    check_problem(door.post(door.event()), 503)


@pytest.mark.parametrize("path", ["/", "/sms", f"/sms/{HTTP}", f"/sms/{HTTP}/nothing", "/x/%00"])
def test_elsewhere_there_is_nothing(door: Door, path: str) -> None:
    check_problem(door.post(door.event(), path=path), 404)


ODD_HEADERS = st.dictionaries(
    st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60),
    min_size=1,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(ODD_HEADERS, st.binary(max_size=200))
def test_no_header_and_no_body_is_an_error_of_ours(
    door: Door, headers: dict[str, str], sent: bytes
) -> None:
    response = door.post(sent, {**door.headers(sent), **headers})

    assert response.status_code in {401, 429}
    check_problem(response, response.status_code)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "data", "id", "from", "to", "text", "received_at"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_no_signed_json_is_an_error_of_ours(door: Door, document: object) -> None:
    response = door.post(json.dumps(document).encode())

    check_problem(response, 400)
