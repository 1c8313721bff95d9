"""Why a signature does not hold is said: which byte, or what else was done otherwise."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms.links import http, slips
from sms.links.slips import Came, Part, Slip
from tests.e2e.fake_operator import new_secret
from tests.e2e.wire import webhook_signature

SECRET = "whsec_" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
KEY = bytes(range(32))
OLDER = "whsec_" + base64.b64encode(b"the one before it, still alive..").decode()
EVENT, STAMP = "evt_0001", "1795228867"
BODY = '{"timestamp":"2026","data":{"id":"8f2k-10433","text":"Ai đã xem 12345"}}'.encode()


def mac(content: bytes, key: bytes = KEY, name: str = "sha256") -> bytes:
    return hmac.digest(key, content, name)


def written(digest: bytes) -> str:
    return "v1," + base64.b64encode(digest).decode()


def signed_over(body: bytes, *, event: str = EVENT, stamp: str = STAMP, key: bytes = KEY) -> str:
    return written(mac(f"{event}.{stamp}.".encode() + body, key))


def came(signature: str, body: bytes = BODY, *, event: str = EVENT, stamp: str = STAMP) -> Came:
    return Came(event, stamp, signature, body)


def why(signature: str, body: bytes = BODY, /, **changes: str) -> tuple[Slip, ...]:
    return slips.explain((SECRET,), came(signature, body, **changes))


@pytest.mark.parametrize("secret", [SECRET, OLDER])
def test_a_signature_of_any_live_secret_holds(secret: str) -> None:
    signature = webhook_signature(secret, EVENT, STAMP, BODY)

    assert slips.explain((SECRET, OLDER), came(signature)) == ()


def test_a_signature_among_others_holds() -> None:
    assert why(f"v1,AAAA v1a,xyz {signed_over(BODY)}") == ()


CHANGED_BODIES = {
    "a line end was signed": (signed_over(BODY + b"\n"), BODY, "--data-binary", len(BODY)),
    "a line end was sent": (signed_over(BODY), BODY + b"\n", "without the line end", len(BODY)),
    "CR LF was signed": (signed_over(BODY + b"\r\n"), BODY, "CR LF behind", len(BODY)),
    "blanks were sent": (signed_over(BODY), b" " + BODY, "without the white space", 0),
    "a mark was sent": (signed_over(BODY), b"\xef\xbb\xbf" + BODY, "without the byte order", 0),
    "its hash was signed": (
        signed_over(hashlib.sha256(BODY).hexdigest().encode()), BODY, "SHA-256", 0,
    ),
    "Latin 1 was signed": (
        signed_over('{"text":"é"}'.encode("latin-1")), '{"text":"é"}'.encode(), "latin-1", 9,
    ),
    "parted letters were signed": (
        signed_over('{"text":"e\u0301"}'.encode()), '{"text":"é"}'.encode(), "NFD", 9,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("signature", "body", "words", "byte"), CHANGED_BODIES.values(), ids=CHANGED_BODIES
)
def test_a_body_signed_otherwise_is_told_with_its_byte(
    signature: str, body: bytes, words: str, byte: int
) -> None:
    (slip,) = why(signature, body)

    assert (slip.part, slip.byte) == (Part.BODY, byte)
    assert words in slip.says


def test_what_a_library_writes_anew_is_told_with_its_byte() -> None:
    spaced = json.dumps(json.loads(BODY)).encode()
    bare = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    pretty = json.dumps(json.loads(BODY), indent=4, ensure_ascii=False).encode()

    found = [why(signed_over(body)) for body in (spaced, bare, pretty)]

    assert [slip.byte for (slip,) in found] == [13, BODY.index("đ".encode()), 1]
    assert {slip.part for (slip,) in found} == {Part.BODY}
    assert all("the very bytes that go out" in slip.says for (slip,) in found)


def test_escaped_slashes_are_told() -> None:
    body = b'{"text":"a/b"}'

    (slip,) = why(signed_over(b'{"text":"a\\/b"}'), body)

    assert "slashes are escaped" in slip.says
    assert slip.byte == 10


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (SECRET.removeprefix("whsec_").encode(), "not decoded from base64"),
        (SECRET.encode(), "whsec_ and all"),
        (KEY.hex().encode(), "hexadecimal text"),
        (KEY + b"\n", "line end"),
    ],
)
def test_a_key_made_otherwise_is_told(key: bytes, words: str) -> None:
    (slip,) = why(signed_over(BODY, key=key))

    assert (slip.part, slip.byte) == (Part.SECRET, None)
    assert words in slip.says


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BODY, "id and timestamp were left out"),
        (STAMP.encode() + b"." + BODY, "the id was left out"),
        (f"{EVENT}.".encode() + BODY, "the timestamp was left out"),
        (f"{STAMP}.{EVENT}.".encode() + BODY, "before the id"),
        (f"{EVENT}{STAMP}".encode() + BODY, "full stops"),
    ],
)
def test_another_layout_is_told(content: bytes, words: str) -> None:
    (slip,) = why(written(mac(content)))

    assert slip.part is Part.METHOD
    assert words in slip.says


def test_another_hash_is_told() -> None:
    content = f"{EVENT}.{STAMP}.".encode() + BODY

    for name in ("sha1", "sha512"):
        (slip,) = why(written(mac(content, name=name)))
        assert slip == Slip(Part.METHOD, f"the hash is {name.upper()} and must be SHA-256")


DIGEST = mac(f"{EVENT}.{STAMP}.".encode() + BODY)
BARE = base64.b64encode(DIGEST).decode()


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (BARE, "begin with v1"),
        (f"v1={BARE}", "begin with v1"),
        (f"sha256={DIGEST.hex()}", "hexadecimal"),
        (f"v1,{DIGEST.hex()}", "hexadecimal"),
        (f"v1, {BARE}", "white space"),
        (f"v1,{BARE.rstrip('=')}", "the = at its end"),
        (f"v1,{base64.b64encode(DIGEST.hex().encode()).decode()}", "hexadecimal text was put"),
    ],
)
def test_a_signature_written_otherwise_is_told(header: str, words: str) -> None:
    (slip,) = why(header)

    assert slip.part is Part.SIGNATURE
    assert words in slip.says


def test_the_base64_of_addresses_is_told() -> None:
    # A body for which the two alphabets differ.
    body = next(
        made for n in range(100)
        if {"+", "/"} & set(signed_over(made := BODY + b" " * n)[3:])
    )  # fmt: skip
    signature = signed_over(body).translate(str.maketrans("+/", "-_"))

    (slip,) = why(signature, body)

    assert "- and _" in slip.says


def test_another_second_is_told_with_its_digit() -> None:
    (slip,) = why(signed_over(BODY, stamp="1795228866"))

    assert (slip.part, slip.byte) == (Part.TIMESTAMP, 9)
    assert "1 s earlier" in slip.says


def test_milliseconds_are_told() -> None:
    found = why(signed_over(BODY, stamp=f"{STAMP}000"), stamp=f"{STAMP}000")
    other = why(signed_over(BODY, stamp=f"{STAMP}000"))

    assert found == (Slip(Part.TIMESTAMP, "it is in milliseconds"),)
    assert [(slip.part, slip.byte) for slip in other] == [(Part.TIMESTAMP, 10)]


def test_the_message_id_in_place_of_the_events_is_told() -> None:
    (slip,) = why(signed_over(BODY, event="8f2k-10433"))

    assert (slip.part, slip.byte) == (Part.ID, 0)


def test_two_slips_are_told_together() -> None:
    digest = mac(f"{EVENT}.{STAMP}.".encode() + BODY + b"\n", SECRET.encode())

    found = why(f"v1,{digest.hex()}")

    assert {slip.part for slip in found} == {Part.SECRET, Part.BODY, Part.SIGNATURE}


# What is not found quickly is searched for: a third of a second each.
@settings(max_examples=6, deadline=None)
@given(place=st.integers(0, len(BODY) - 1), value=st.integers(0, 255), kind=st.sampled_from("=+-"))
def test_any_one_byte_of_the_body_is_found(place: int, value: int, kind: str) -> None:
    sent = {
        "=": BODY[:place] + bytes([value]) + BODY[place + 1 :],
        "+": BODY[:place] + bytes([value]) + BODY[place:],
        "-": BODY[:place] + BODY[place + 1 :],
    }[kind]

    found = why(signed_over(BODY), sent)

    if sent == BODY:
        assert found == ()
        return
    slip = next(slip for slip in found if slip.byte is not None and "UTF-8" not in slip.says)
    first = next((n for n in range(len(sent)) if sent[n] != BODY[n : n + 1][0]), len(sent))
    assert (slip.part, slip.byte) == (Part.BODY, first)


def test_a_secret_that_nobody_here_has_is_told_and_none_is_quoted() -> None:
    stranger = new_secret()

    (slip,) = why(webhook_signature(stranger, EVENT, STAMP, BODY))

    assert slip.part is Part.SECRET
    assert "another one" in slip.says
    assert not any(secret[6:] in slip.says for secret in (SECRET, OLDER, stranger))


def test_what_they_signed_is_held_against_what_came() -> None:
    changed = BODY.replace(b"12345", b"54321")
    content = f"{EVENT}.{STAMP}.".encode() + changed

    (slip,) = slips.explain((SECRET,), came(written(mac(content))), content)

    assert (slip.part, slip.byte) == (Part.BODY, BODY.index(b"12345"))
    assert "0x35 when signed and is 0x31" in slip.says


def test_what_they_signed_under_another_secret_is_told_so() -> None:
    content = f"{EVENT}.{STAMP}.".encode() + BODY
    strange = written(mac(content, b"x" * 32))

    (slip,) = slips.explain((SECRET,), came(strange), content)

    assert slip.part is Part.SECRET


@pytest.mark.parametrize(
    ("changes", "part", "byte"),
    [
        ({"event": ""}, Part.ID, None),
        ({"stamp": ""}, Part.TIMESTAMP, None),
        ({"event": "evt 1"}, Part.ID, 3),
        ({"stamp": "now"}, Part.TIMESTAMP, None),
    ],
)
def test_a_header_that_cannot_be_is_told(
    changes: dict[str, str], part: Part, byte: int | None
) -> None:
    found = why(signed_over(BODY), **changes)

    assert (found[0].part, found[0].byte) == (part, byte)


def test_a_body_that_is_no_text_is_told_with_its_byte() -> None:
    body = BODY[:20] + b"\xff" + BODY[20:]

    assert why(signed_over(body), body) == (Slip(Part.BODY, "it is not UTF-8", 20),)


@settings(max_examples=20, deadline=None)
@given(
    st.text(max_size=40), st.text(max_size=20), st.text(max_size=90), st.binary(max_size=60),
    st.none() | st.binary(max_size=60),
)  # fmt: skip
def test_whatever_came_is_explained(
    event: str, stamp: str, signature: str, body: bytes, signed: bytes | None
) -> None:
    found = slips.explain((SECRET,), Came(event, stamp, signature, body), signed)

    assert found
    assert all(slip.says for slip in found)


def test_time_is_what_the_door_allows() -> None:
    at = datetime.fromtimestamp(int(STAMP), UTC)
    one = came(signed_over(BODY))

    within = [slips.is_in_time(one, at + timedelta(seconds=n), http.TOLERANCE) for n in (-300, 300)]
    beyond = [slips.is_in_time(one, at + timedelta(seconds=n), http.TOLERANCE) for n in (-301, 301)]

    assert within == [True, True]
    assert beyond == [False, False]
