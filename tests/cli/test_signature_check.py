"""`operator test` with a request's headers and body: what it says of the signature."""

import json
from datetime import UTC, datetime

import pytest

from cli import exits
from tests.cli.deployment import ACCOUNT_SID, NUMBER, Deployment
from tests.e2e.wire import webhook_headers, webhook_signature

AT = datetime(2026, 11, 21, 2, 41, 7, tzinfo=UTC)
BODY = b'{"type":"message.received","data":{}}'


@pytest.fixture
def secret(embedded: Deployment) -> str:
    """The secret of a link that is called viettel."""
    return embedded.add_http("viettel")


def asked(embedded: Deployment, headers: str, body: bytes, *words: str) -> tuple[int, str]:
    files = ("--headers", embedded.file(headers), "--body", embedded.file(body.decode()))
    done = embedded.run("operator", "test", "viettel", *files, *words)
    return done.exit_code, done.output


def written(secret: str, body: bytes) -> str:
    lines = [f"{name}: {value!s}" for name, value in webhook_headers(secret, body, at=AT)]
    return "\r\n".join(["POST /sms/viettel/inbound HTTP/1.1", *lines, ""])


def test_a_genuine_request_is_said_to_be_so(embedded: Deployment, secret: str) -> None:
    code, said = asked(embedded, written(secret, BODY), BODY, "--at", "2026-11-21T09:41:10+07:00")

    assert code == 0
    assert "a live secret of this link signed these bytes" in said
    assert "3 s before it came; 300 s are allowed" in said


def test_the_byte_is_named(embedded: Deployment, secret: str) -> None:
    code, said = asked(embedded, written(secret, BODY + b"\n"), BODY)

    assert code == exits.FAILED
    assert f"byte {len(BODY)} was 0x0a (a line feed) when signed and is not there" in said
    assert secret.removeprefix("whsec_") not in said


def test_a_program_is_told_the_same(embedded: Deployment, secret: str) -> None:
    _, said = asked(embedded, written(secret, BODY + b"\n"), BODY, "--json")

    told = json.loads(said)
    assert (told["ok"], told["in_time"], told["late_seconds"]) == (False, True, None)
    assert [(slip["part"], slip["byte"]) for slip in told["slips"]] == [("body", len(BODY))]


def test_a_clock_that_is_off_is_named(embedded: Deployment, secret: str) -> None:
    code, said = asked(embedded, written(secret, BODY), BODY, "--at", "2026-11-21T09:36:06+07:00")

    assert code == exits.FAILED
    assert "FAULT  clock" in said
    assert "301 s after it came" in said


def test_what_they_signed_may_be_added(embedded: Deployment, secret: str) -> None:
    signed = f"evt_1.{int(AT.timestamp())}.[]"
    headers = (
        f"> Webhook-Id: evt_1\n> Webhook-Timestamp: {int(AT.timestamp())}\n> Webhook-Signature: "
        f"{webhook_signature(secret, 'evt_1', str(int(AT.timestamp())), b'[]')}\n"
    )

    code, said = asked(embedded, headers, BODY, "--signed", embedded.file(signed))

    assert code == exits.FAILED
    assert "body: it is not what was signed; byte 0 was 0x5b when signed and is 0x7b" in said


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--headers", "h.txt"), "--headers FILE and --body FILE"),
        (("--headers", "/nowhere/h", "--body", "/nowhere/b"), "cannot be read"),
    ],
)
def test_what_cannot_be_looked_into_is_refused(
    embedded: Deployment, secret: str, words: tuple[str, ...], hint: str
) -> None:
    assert hint in embedded.refused("operator", "test", "viettel", *words)


def test_headers_that_are_none_and_times_that_are_none_are_refused(
    embedded: Deployment, secret: str
) -> None:
    empty, body = embedded.file("nothing"), embedded.file("{}")
    headers = embedded.file(written(secret, b"{}"))
    verb = ("operator", "test", "viettel", "--body", body)

    assert "holds none of the three" in embedded.refused(*verb, "--headers", empty)
    for time in ("yesterday", "2026-11-21T02:41:07"):
        assert "offset" in embedded.refused(*verb, "--headers", headers, "--at", time)


def test_twilio_is_signed_otherwise(embedded: Deployment) -> None:
    words = ("--kind", "twilio", "--account-sid", ACCOUNT_SID, "--from", NUMBER)
    embedded.do("operator", "add", "abroad", *words, "--token-file", embedded.file("0" * 32))
    files = ("--headers", embedded.file("a: b"), "--body", embedded.file("{}"))

    assert "only http links" in embedded.refused("operator", "test", "abroad", *files)
