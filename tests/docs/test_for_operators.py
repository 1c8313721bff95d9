"""What the pages for operators' engineers tell is computed, and is what the code does."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode

from cli.door import MOST_HEADER_BYTES, READ_SECONDS
from sms import limits, problems, webhook
from sms.links import http, slips
from tests.docs import pages

FOLDER = pages.ROOT / "docs/operators"
SIGNATURES, ERRORS = FOLDER / "signatures.md", FOLDER / "errors.md"
CONTRACT = pages.ROOT / "docs/operators.md"


def value(beginning: str) -> str:
    """Return a value of the worked example by the beginning of its step."""
    rows = pages.rows(SIGNATURES, "step")
    (found,) = [row[1] for row in rows if row[0].startswith(beginning)]
    return found.strip("`")


def test_every_step_of_the_worked_signature_is_computed() -> None:
    body = pages.fenced(SIGNATURES, "json")[0].rstrip("\n").encode()
    key = b64decode(value("secret").removeprefix("whsec_"))
    content = f"{value('`webhook-id`')}.{value('`webhook-timestamp`')}.".encode() + body
    mac = hmac.digest(key, content, hashlib.sha256)

    assert value("key") == key.hex()
    assert value(f"body, {len(body)} bytes") == hashlib.sha256(body).hexdigest()
    begins = value("what is signed")
    assert content[: len(begins.split())].hex(" ") == begins
    assert f"; {len(content)} bytes, beginning" in SIGNATURES.read_text()
    assert value("HMAC-SHA-256") == mac.hex()
    assert value("the same in base64") == b64encode(mac).decode()
    assert value("`webhook-signature`") == f"v1,{b64encode(mac).decode()}"


def test_it_is_the_example_of_the_contract() -> None:
    assert pages.fenced(SIGNATURES, "json")[0] == pages.fenced(CONTRACT, "json")[0]
    for step in ("secret", "`webhook-id`", "`webhook-timestamp`", "`webhook-signature`"):
        assert f"`{value(step)}`" in CONTRACT.read_text()


def test_what_the_verb_is_shown_to_say_is_what_it_says() -> None:
    body = pages.fenced(SIGNATURES, "json")[0].rstrip("\n").encode()
    key = b64decode(value("secret").removeprefix("whsec_"))
    event, stamp = value("`webhook-id`"), value("`webhook-timestamp`")
    mac = hmac.digest(key, f"{event}.{stamp}.".encode() + body + b"\n", hashlib.sha256)
    came = slips.Came(event, stamp, f"v1,{b64encode(mac).decode()}", body)

    (slip,) = slips.explain((value("secret"),), came)

    assert f"FAULT  {slip.part}: {slip.says}\n" in "".join(pages.fenced(SIGNATURES))
    assert f"up to {slips.LONGEST_SEARCHED:,} bytes" in SIGNATURES.read_text()


def test_each_terminal_of_the_first_message_is_told_which_gateway_is_meant() -> None:
    typed = pages.fenced(FOLDER / "first-message.md", "sh")
    (told,) = [line for line in typed[0].splitlines() if line.startswith("export ")]
    (runs,) = [place for place, block in enumerate(typed) if "python app.py run\n" in block]

    elsewhere = "".join(typed[runs + 1 :]).partition("python app.py")[0]

    assert told in elsewhere.splitlines()


def test_every_error_is_told_in_two_languages() -> None:
    rows = pages.rows(ERRORS, "status")

    told = {int(row[0].strip("`")): row[1] for row in rows}
    assert told == problems.TITLES
    assert all(row[2] and " · " in row[3] for row in rows)


def test_what_to_repeat_is_told_for_every_status() -> None:
    text = ERRORS.read_text().partition("## What you repeat")[2].partition("\n## ")[0]

    assert {int(found) for found in re.findall(r"`([45][0-9]{2})`", text)} == set(problems.TITLES)


def test_clocks_and_limits_are_those_of_the_code() -> None:
    text = ERRORS.read_text()

    assert f"| {http.TOLERANCE.total_seconds():.0f} s either way |" in text
    assert f"| {webhook.MOST_BYTES:,} bytes | `413` |" in text
    assert f"| {MOST_HEADER_BYTES:,} bytes | `400` |" in text
    assert f"| {READ_SECONDS:.0f} s | `408` |" in text
    assert f"| {http.LONGEST_TEXT:,} characters |" in text
    assert f"| {limits.MOST_WAITING:,} | `429` |" in text


def test_every_sample_is_named() -> None:
    text = (FOLDER / "README.md").read_text()
    samples = [path for path in (FOLDER / "samples").rglob("*.*") if path.is_file()]

    assert samples
    assert [path.name for path in samples if f"{path.parent.name}/{path.name}" not in text] == []
