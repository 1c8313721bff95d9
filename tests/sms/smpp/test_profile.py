"""How an operator speaks SMPP: what may be said of it, and what a reply looks like by it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sms.links.errors import LinkError
from sms.links.model import Accepted, Outgoing, Refused
from sms.links.smpp import profile, submission
from sms.links.smpp.alphabet import Alphabet
from sms.links.smpp.pdu import Command, Pdu, Tag, Taken
from sms.links.smpp.profile import NumberFormat, Profile
from sms.message_ids import IdBase

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PLAIN = {"hosts": ["127.0.0.1"], "port": 2775, "system_id": "tradan"}
OTHER = {
    **PLAIN,
    "hosts": ["smsc1.example.vn", "10.0.0.7"],
    "system_type": "VMA",
    "bind": "tx+rx",
    "window": 20,
    "source_ton": 3,
    "destination_npi": 9,
    "number_format": "national",
    "service_type": "CMT",
    "codings": {"0": "latin1", "240": "gsm7"},
    "message_id_tag": 5120,
    "repeat_seconds": 300,
    "receipt_pattern": r"(?P<id>\d+) (?P<state>\w+)",
    "receipt_states": {"ok": "delivered"},
    "receipt_zone_minutes": 0,
    "accepted_id_base": "hexadecimal",
    "receipt_id_base": "decimal",
}


def outgoing(text: str = "Ma PIN: 123456", segments: int = 1) -> Outgoing:
    """Make a reply that has four minutes to live."""
    return Outgoing(
        id="01998f6e-5c3a-7d10-9a51-2f4be1c07a33",
        to="+84912345678",
        sender="1414",
        text=text,
        encoding="gsm7",
        segments=segments,
        expires_at=NOW + timedelta(minutes=4),
        in_reply_to="mo-1",
        created_at=NOW,
    )


@pytest.mark.parametrize("given", [PLAIN, OTHER])
def test_a_profile_is_kept_as_it_was_given(given: dict[str, object]) -> None:
    made = profile.make(given)

    assert profile.load(profile.dump(made)) == made


def test_what_is_not_said_is_as_usual() -> None:
    made = profile.make(OTHER)

    assert made.codings[0] is Alphabet.LATIN1
    assert made.codings[8] is Alphabet.UCS2
    assert made.receipt_states["DELIVRD"] == made.receipt_states["OK"]
    assert made.url == "smpp://smsc1.example.vn,10.0.0.7:2775"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hosts": []}, "hosts"),
        ({"hosts": ["a b"]}, "hosts"),
        ({"port": 0}, "port"),
        ({"port": "2775"}, "port"),
        ({"system_id": "x" * 16}, "system_id"),
        ({"bind": "both"}, "bind"),
        ({"window": 0}, "window"),
        ({"window": True}, "window"),
        ({"source_ton": 256}, "source_ton"),
        ({"codings": {"0": "klingon"}}, "codings"),
        ({"codings": {"300": "gsm7"}}, "codings"),
        ({"receipt_pattern": "("}, "receipt_pattern"),
        ({"receipt_pattern": "no group"}, "receipt_pattern"),
        ({"receipt_states": {"X": "eaten"}}, "receipt_states"),
        ({"tls_certificate": "no PEM"}, "tls_certificate"),
        ({"repeat_seconds": 901}, "repeat_seconds"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_is_named(change: dict[str, object], said: str) -> None:
    with pytest.raises(LinkError, match=said):
        profile.make({**PLAIN, **change})


@pytest.mark.parametrize("missing", PLAIN)
def test_what_is_missing_is_named(missing: str) -> None:
    with pytest.raises(LinkError, match=missing):
        profile.make({name: value for name, value in PLAIN.items() if name != missing})


@pytest.mark.parametrize("text", ["", "123456789", "a b", "mật", "a\n"])
def test_a_password_is_what_smpp_can_hold(text: str) -> None:
    with pytest.raises(LinkError) as caught:
        profile.check_password(text)

    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    ("left", "written"),
    [
        (timedelta(minutes=4), "000000000400000R"),
        (timedelta(seconds=599.9), "000000000959000R"),
        (timedelta(0), "000000000001000R"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "000001020304000R"),
    ],
)
def test_the_validity_is_what_is_left_of_the_life(left: timedelta, written: str) -> None:
    assert submission.validity(left) == written
    assert len(written) == 16


@pytest.mark.parametrize(
    ("number_format", "written"),
    [
        (NumberFormat.INTERNATIONAL, "84912345678"),
        (NumberFormat.PLUS, "+84912345678"),
        (NumberFormat.NATIONAL, "0912345678"),
    ],
)
def test_a_number_is_written_as_the_operator_takes_it(
    number_format: NumberFormat, written: str
) -> None:
    told = replace(profile.make(PLAIN), number_format=number_format, destination_ton=2)

    sent = submission.write(told, outgoing(), NOW)

    assert (sent.destination.value, sent.destination.ton) == (written, 2)
    assert (sent.source.value, sent.registered_delivery) == ("1414", 1)


@pytest.mark.parametrize(
    ("default", "text", "coding", "octets"),
    [
        (Alphabet.GSM7, "a@{", 0, b"a\x00\x1b\x28"),
        (Alphabet.LATIN1, "a@{", 0, b"a@{"),
        (Alphabet.ASCII, "é", 8, b"\x00\xe9"),
        (Alphabet.UCS2, "a", 8, b"\x00a"),
        (Alphabet.GSM7, "ạ", 8, b"\x1e\xa1"),
    ],
)
def test_a_text_goes_in_the_operators_default_if_that_has_it(
    default: Alphabet, text: str, coding: int, octets: bytes
) -> None:
    told = replace(profile.make(PLAIN), codings={0: default})

    sent = submission.write(told, outgoing(text), NOW)

    assert (sent.data_coding, sent.short_message) == (coding, octets)


def test_a_text_of_two_segments_travels_whole() -> None:
    sent = submission.write(profile.make(PLAIN), outgoing("a" * 200, segments=2), NOW)

    assert sent.short_message == b""
    assert sent.tlv(Tag.MESSAGE_PAYLOAD) == b"a" * 200


def judged(status: int, body: Taken, told: Profile | None = None) -> object:
    """Judge an answer to submit_sm."""
    answer = Pdu(Command.SUBMIT_SM_RESP, 1, status, body)
    return submission.judge(told or profile.make(PLAIN), answer)


def test_an_answer_is_judged_by_its_status() -> None:
    told = replace(profile.make(PLAIN), accepted_id_base=IdBase.HEXADECIMAL)

    assert judged(0, Taken("0A1"), told) == Accepted("0A1", "#a1")
    assert judged(0, Taken("")) == Accepted(None, None)
    assert judged(0x58, Taken()) == Refused("smpp-58", retryable=True)
    assert judged(0x14, Taken()) == Refused("smpp-14", retryable=True)
    assert judged(0x0B, Taken()) == Refused("smpp-b", retryable=False)
    assert judged(0x65, Taken()) == Refused("smpp-65", retryable=False)
