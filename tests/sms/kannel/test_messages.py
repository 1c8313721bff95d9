"""Messages that Kannel brings: by either of its ways, once, and whatever a telephone can send."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from core import metrics
from sms.links import registry
from sms.links.model import NO_TEXT, LinkState
from sms.tables import INBOUND
from tests.e2e.wire import FORM, JSON
from tests.sms.door import HTTP
from tests.sms.kannel.conftest import CODE, PHONE, Smsbox, message, percent
from tests.sms.test_webhook import check_problem


def check_silence(response: TestResponse) -> None:
    """Check for an answer that gives Kannel nothing to send."""
    assert (response.status_code, response.data) == (200, b"")
    assert response.mimetype == "text/plain"


def test_either_way_brings_a_message(each: Smsbox) -> None:
    check_silence(each.get(text="DC 001085123456"))
    check_silence(each.post("Đây là gì".encode()))

    fetched, posted = each.contents()
    assert (fetched.sender, fetched.to, fetched.text) == (PHONE, "1414", "DC 001085123456")
    assert (posted.sender, posted.to, posted.text) == (PHONE, "1414", "Đây là gì")


def test_a_repeat_has_one_effect_and_the_same_answer(each: Smsbox) -> None:
    said = message(text="HD")
    query = "&".join(f"{name}={value}" for name, value in said.items())

    answers = [each.get(query=query) for _ in range(3)]

    for answer in answers:
        check_silence(answer)
    assert len(each.contents()) == 1
    (row,) = each.door.stored()
    assert row.operator_message_id == said["id"]
    check_problem(each.get(**{**said, "text": "HUY"}), 409)


def test_the_secret_in_the_path_is_the_whole_proof(smsbox: Smsbox) -> None:
    assert re.fullmatch(rf"/sms/{CODE}/inbound/[0-9a-f]{{32}}", smsbox.path)
    base = smsbox.path.rpartition("/")[0]
    failures = metrics.AUTH_FAILURES.labels(CODE)._value.get()

    answers = [
        smsbox.get(path=path) if way == "get" else smsbox.post(path=path)
        for path in (base, f"{base}/{'0' * 32}", f"{base}/é")
        for way in ("get", "post")
    ]

    for answer in answers:
        check_problem(answer, 401)
    assert len({answer.data for answer in answers}) == 1
    assert metrics.AUTH_FAILURES.labels(CODE)._value.get() == failures + len(answers)
    assert smsbox.contents() == []


def test_t14_a_secret_in_the_path_that_leaked_ends_with_the_second_rotation(each: Smsbox) -> None:
    door, paths = each.door, [each.path]
    taken = []
    for password in ("battery-staple", "another-staple"):
        link = door.service.links.get(CODE)
        assert link is not None
        now, keyring = door.clock.now(), door.service.keyring
        door.database.inner.write(
            partial(registry.rotate, keyring=keyring, link=link, secret=password, now=now)
        )
        door.later(2)
        paths.append(door.service.links.all()[-1].webhook_path)
        taken.append([each.get(path=path).status_code for path in paths])

    reports = [path.replace("inbound", "status") for path in paths]
    said = f"id={uuid4()}&type=8"
    taken.append([each.get(path=path, query=said).status_code for path in reports])

    assert len(set(paths)) == 3
    assert taken == [[200, 200], [401, 200, 200], [401, 200, 200]]


def test_no_other_kind_is_heard_by_get(smsbox: Smsbox) -> None:
    twilio, http = smsbox.door.twilio_path, f"/sms/{HTTP}/inbound"

    for path in (twilio, http, f"{http}/secret", "/sms/nobody/inbound/secret"):
        check_problem(smsbox.get(path=path), 405)
    for method in ("put", "delete", "patch"):
        check_problem(getattr(smsbox.door.client, method)(smsbox.path), 405)
    assert smsbox.door.client.head(smsbox.path).status_code == 405


def test_only_a_text_is_posted(smsbox: Smsbox) -> None:
    for wrong in (JSON, FORM, "text/xml", "text/html", "", "application/json; charset=utf-8"):
        check_problem(smsbox.post(content_type=wrong), 415)


MALFORMED: list[dict[str, str | None]] = [
    {"id": None},
    {"id": ""},
    {"id": "x" * 101},
    {"id": "a b"},
    {"id": "ü"},
    {"from_": None},
    {"from_": ""},
    {"from_": "x" * 101},
    {"to": None},
    {"to": ""},
    {"to": "1" * 101},
    {"to": "14\r\nx-kannel-smsc: other"},
    {"to": "14 14"},
    {"text": None},
    {"charset": "EBCDIC"},
    {"time": "now"},
    {"time": "-5"},
    {"time": "1577836799"},
    {"time": "9" * 12},
]


def test_what_only_its_settings_can_cause_is_a_400(smsbox: Smsbox) -> None:
    for changes in MALFORMED:
        response = smsbox.get(**changes)

        assert response.status_code == 400, changes
        check_problem(response, 400)
    assert smsbox.contents() == []


def test_a_name_stands_once(smsbox: Smsbox) -> None:
    whole = "&".join(f"{name}={value}" for name, value in message(time="").items())
    for name in ("id", "from", "to", "text", "charset", "time"):
        check_problem(smsbox.get(query=f"{whole}&{name}=1"), 400)
    check_problem(smsbox.post(query=f"id={uuid4()}&text=HD"), 400)
    assert smsbox.contents() == []


NO_QUERIES = ("a", "&&", "id", "%", "id=1&" * 41, "é=1", "=&=")


def test_a_query_that_is_none_is_a_400(smsbox: Smsbox) -> None:
    for query in NO_QUERIES:
        check_problem(smsbox.raw(query.encode()), 400)


def test_eight_kibibytes_are_enough(smsbox: Smsbox) -> None:
    check_problem(smsbox.get(more="x" * 8192), 413)
    check_problem(smsbox.post(b"x" * 8193), 413)


def test_what_it_says_besides_is_let_pass(smsbox: Smsbox) -> None:
    check_silence(smsbox.get(smsc="VINA", coding="0", udh=""))


TEXTS: list[tuple[bytes, str, str]] = [
    (b"", "UTF-8", " "),
    (b"HD", "", "HD"),
    (b"HD", "us-ascii", "HD"),
    ("Tiếng Việt".encode(), "utf-8", "Tiếng Việt"),
    ("Tiếng Việt".encode("utf-16-be"), "UTF-16BE", "Tiếng Việt"),
    ("café".encode("latin-1"), "ISO-8859-1", "café"),
    ("“HD”".encode("cp1252"), "windows-1252", "“HD”"),
    (b"\x01\x02\xff", "8-BIT", "\x01\x02\xff"),
    (b"a\x00b", "UTF-8", "a\ufffdb"),
    (b"\xd8\x3d\x00H", "UTF-16BE", "\ufffdH"),
    (b"\xff\xfe", "UTF-8", "\ufffd\ufffd"),
    (b"\x00H\x00", "UTF-16BE", "H\ufffd"),
    (b"x" * 1000, "UTF-8", "x" * 1000),
    (b"x" * 1001, "UTF-8", NO_TEXT),
]


def test_whatever_a_telephone_sends_is_taken(smsbox: Smsbox) -> None:
    for octets, charset, _ in TEXTS:
        said = message(charset=charset or None)
        query = "&".join(f"{k}={percent(v.encode())}" for k, v in said.items() if k != "text")
        check_silence(smsbox.get(query=f"{query}&text={percent(octets)}"))

    assert [content.text for content in smsbox.contents()] == [text for _, _, text in TEXTS]


def test_a_text_may_be_posted_in_any_charset(smsbox: Smsbox) -> None:
    smsbox.post("HD".encode("utf-16-be"), 'text/plain; charset="UTF-16BE"')
    smsbox.post("é".encode("latin-1"), "text/plain;charset=iso-8859-1")
    smsbox.post("é".encode(), "text/plain")
    smsbox.post("é".encode("latin-1"), "text/plain", query=f"id={uuid4()}&charset=ISO-8859-1")
    smsbox.post(b"\x06\x05", "application/octet-stream")
    smsbox.post(b"", "text/plain")

    assert [content.text for content in smsbox.contents()] == ["HD", "é", "é", "é", "\x06\x05", " "]
    check_problem(smsbox.post(b"HD", "text/plain; charset=EBCDIC"), 400)


def test_the_query_counts_before_the_headers(smsbox: Smsbox) -> None:
    smsbox.post(query=f"id={uuid4()}&from=84987654321&to=1900")

    (content,) = smsbox.contents()
    assert (content.sender, content.to) == ("84987654321", "1900")


def test_the_sender_is_read_however_it_is_written(each: Smsbox) -> None:
    for written in ("84912345678", "+84912345678", "0912345678", "0084912345678"):
        check_silence(each.get(from_=written))

    assert len({row.sender_id for row in each.door.stored()}) == 1


def test_the_time_is_kannels_if_it_tells_one(smsbox: Smsbox) -> None:
    now = smsbox.door.clock.now()
    earlier = now - timedelta(minutes=20)

    for time in (str(int(earlier.timestamp())), "", None):
        check_silence(smsbox.get(time=time))

    told = smsbox.door.database.inner.read(
        lambda s: s.execute(sa.select(INBOUND.c.received_at).order_by(INBOUND.c.id)).scalars().all()
    )
    assert told == [datetime.fromtimestamp(int(earlier.timestamp()), UTC), now, now]
    ahead = str(int((now + timedelta(minutes=11)).timestamp()))
    check_problem(smsbox.get(time=ahead), 400)


def test_what_kannel_brings_again_is_not_stored_while_we_cannot(each: Smsbox) -> None:
    said = message()
    each.door.database.away = True
    refused = each.get(**said)
    each.door.database.away = False

    check_problem(refused, 503)
    check_silence(each.get(**said))
    assert len(each.contents()) == 1


def test_a_link_that_is_disabled_or_ended_says_so(smsbox: Smsbox) -> None:
    database = smsbox.door.database.inner
    database.write(lambda s: registry.set_state(s, smsbox.link, LinkState.DISABLED))
    smsbox.door.later(2)
    check_problem(smsbox.get(), 403)
    database.write(lambda s: registry.terminate(s, smsbox.link, "over", smsbox.door.clock.now()))
    smsbox.door.later(2)

    check_problem(smsbox.get(), 401)
    check_problem(smsbox.get(path=smsbox.path.rpartition("/")[0]), 401)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=80), st.binary(max_size=80), st.text(max_size=40), st.booleans())
def test_no_request_is_an_error_of_ours(
    smsbox: Smsbox, query: str, body: bytes, charset: str, is_text: bool
) -> None:
    kind = "text/plain" if is_text else "application/octet-stream"
    content_type = f"{kind}; charset={charset}".encode("latin-1", "replace").decode("latin-1")
    content_type = re.sub(r"[\r\n]", "", content_type)
    raw = query.encode("utf-8", "surrogatepass")

    fetched, posted = smsbox.raw(raw), smsbox.raw(raw, body, content_type)

    assert {fetched.status_code, posted.status_code} <= {200, 400, 415}
