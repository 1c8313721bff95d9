"""The contract as told to operators is the contract that is kept."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import phone
from sms import limits, problems, segments, webhook
from sms.deliveries import Delivery
from sms.links import http, registry
from sms.links.errors import UnauthenticatedError
from sms.links.model import Accepted, Link, LinkKind, LinkState, Outgoing, Refused, Unknown
from sms.links.statuses import read as read_status
from tests.docs import pages

PAGE = pages.ROOT / "docs/operators.md"
TEXT = PAGE.read_text()
BODY, SENT, STATUS, NUMBER = (block.rstrip("\n") for block in pages.fenced(PAGE, "json"))


def told(what: str) -> str:
    """Return a value of the worked example."""
    example = TEXT.partition("### A worked example")[2]
    found = re.search(rf"^\| {re.escape(what)} \| `([^`]+)`", example, re.MULTILINE)
    assert found, what
    return found[1]


SECRET, EVENT, STAMP, SIGNATURE = (
    told(name) for name in ("secret", "`webhook-id`", "`webhook-timestamp`", "`webhook-signature`")
)
AT = datetime.fromtimestamp(int(STAMP), UTC)
HEADERS = {"webhook-id": EVENT, "webhook-timestamp": STAMP, "webhook-signature": SIGNATURE}


@pytest.fixture
def link() -> Link:
    """The link of the worked example."""
    return Link(
        id=1,
        code="viettel",
        operator="viettel",
        kind=LinkKind.HTTP,
        state=LinkState.ACTIVE,
        is_test=False,
        url="https://sms.operator.example/mt",
        account_sid=None,
        from_number=None,
        prefixes="",
        rate=100,
        assessed_by=None,
        assessed_until=None,
        secrets=(SECRET,),
        path_secret=None,
    )


def test_the_worked_example_is_taken(link: Link) -> None:
    text = http.authenticate(link, HEADERS, BODY.encode(), AT)
    envelope = http.read_message(text, AT)

    data = json.loads(BODY)["data"]
    assert (envelope.operator_message_id, envelope.text) == (data["id"], data["text"])
    assert envelope.received_at == datetime.fromisoformat(data["received_at"])
    assert phone.parse(envelope.sender) == data["from"]


def test_the_worked_example_is_good_for_as_long_as_is_told(link: Link) -> None:
    assert "within 300 s of the gateway's clock" in TEXT
    http.authenticate(link, HEADERS, BODY.encode(), AT + timedelta(seconds=300))

    with pytest.raises(UnauthenticatedError):
        http.authenticate(link, HEADERS, BODY.encode(), AT + timedelta(seconds=301))


def test_the_status_that_is_shown_is_taken() -> None:
    status = read_status(STATUS, AT + timedelta(minutes=1))

    data = json.loads(STATUS)["data"]
    assert status.id == data["id"] == json.loads(SENT)["data"]["id"]
    assert status.receipt is not None
    assert status.receipt.news.state == data["status"]
    assert status.receipt.news.at == datetime.fromisoformat(data["done_at"])


def test_the_states_are_told_in_their_order() -> None:
    assert [row[0].strip("`") for row in pages.rows(PAGE, "`status`")] == list(Delivery)


def test_the_key_and_the_time_are_told_right() -> None:
    assert told("key, hexadecimal") == bytes(range(32)).hex()
    assert f"{AT:%-d %B %Y, %H:%M:%S} UTC" in TEXT


def test_the_program_in_python_signs_and_checks() -> None:
    names: dict[str, object] = {}
    exec(pages.fenced(PAGE, "python")[0], names)  # noqa: S102 (the page's own code)
    sign, is_genuine = names["sign"], names["is_genuine"]

    assert callable(sign)
    assert callable(is_genuine)
    assert sign(SECRET, EVENT, STAMP, BODY.encode()) == SIGNATURE
    assert is_genuine(SECRET, EVENT, STAMP, BODY.encode(), f"v1,AAAA {SIGNATURE}")
    assert not is_genuine(SECRET, EVENT, STAMP, BODY.encode() + b" ", SIGNATURE)


def test_the_program_for_the_shell_signs(tmp_path: Path) -> None:
    if not (shutil.which("sh") and shutil.which("openssl")):
        pytest.skip("no openssl here: the shell's program was not tried")
    (tmp_path / "body.json").write_text(BODY)

    done = subprocess.run(
        ["sh", "-eu", "-c", pages.fenced(PAGE, "sh")[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == SIGNATURE


def test_the_reply_shown_is_the_reply_sent() -> None:
    data = json.loads(SENT)["data"]
    outgoing = Outgoing(
        id=data["id"],
        to=data["to"],
        sender=data["from"],
        text=data["text"],
        encoding=data["encoding"],
        segments=data["segments"],
        expires_at=datetime.fromisoformat(data["expires_at"]),
        in_reply_to=data["in_reply_to"],
        created_at=datetime.fromisoformat(json.loads(SENT)["timestamp"]),
    )
    measured = segments.measure(outgoing.text)

    assert http.render(outgoing) == SENT
    assert (measured.encoding, measured.segments) == (outgoing.encoding, outgoing.segments)


def test_the_reply_shown_bears_the_signature_shown(link: Link) -> None:
    found = re.search(r"timestamp\s+`(\d+)`,\s+`webhook-signature`\s+is\s+`(v1,[^`]+)`", TEXT)
    assert found
    headers = {
        "webhook-id": json.loads(SENT)["data"]["id"],
        "webhook-timestamp": found[1],
        "webhook-signature": found[2],
    }

    assert http.authenticate(link, headers, SENT.encode(), AT) == SENT


def statuses(cell: str) -> list[int]:
    return [int(text) for text in re.findall(r"`(\d{3})`", cell)]


def test_every_answer_of_an_operator_is_taken_as_told() -> None:
    seen: set[int] = set()
    for cell, meaning, _ in pages.rows(PAGE, "your answer"):
        wanted = {
            "accepted": Accepted(),
            "refused for good": Refused("", retryable=False),
            "refused for now": Refused("", retryable=True),
            "unknown": Unknown(""),
        }[meaning.split(":")[0]]
        codes = range(200, 300) if " to " in cell else statuses(cell)
        for status in codes:
            outcome = http.judge_status(status)
            assert type(outcome) is type(wanted), status
            if isinstance(outcome, Refused) and isinstance(wanted, Refused):
                assert outcome.retryable is wanted.retryable, status
        seen.update(codes)

    assert {200, 202, 204, 302, 400, 401, 403, 404, 408, 429, 500, 502, 503} <= seen


def test_every_answer_of_ours_is_told() -> None:
    told_of = {status for row in pages.rows(PAGE, "answer") for status in statuses(row[0])}

    assert told_of >= {202, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503}
    assert told_of - {202} <= problems.TITLES.keys()


def test_the_limits_are_those_of_the_code() -> None:
    assert f"over {webhook.MOST_BYTES:,} bytes" in TEXT
    assert f"1 to {http.LONGEST_TEXT:,} characters" in TEXT
    assert f"{limits.MOST_WAITING:,} messages of a link may wait" in TEXT
    assert registry.NewLink.__dataclass_fields__["rate"].default == 100
    assert registry.BURST == 5
    assert f"{http.TOLERANCE.total_seconds():.0f} s of the gateway's clock" in TEXT
