"""Our sessions and an SMSC that nobody here wrote: npm's `smpp`."""

import io
import json
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.db import Database
from core.keyring import Sealed
from sms import inbound
from sms.links import registry
from sms.links.model import Accepted, LinkState, Refused, Unknown
from sms.links.smpp.connection import Timing
from sms.links.smpp.statuses import Status
from sms.tables import INBOUND
from tests.e2e.waiting import until
from tests.sms.smpp.conftest import QUICK, Bind, Bound, sessions_of
from tests.sms.smpp.smsc import PASSWORD, SYSTEM_ID, Smsc, mo
from tests.sms.smpp.stands import add_link

OK = Status.OK


def texts(bound: Bound) -> list[tuple[str, str]]:
    """Return sender and text of every stored message, sorted."""
    keyring = bound.gateway.keyring
    read = [
        inbound.open_content(keyring, row.id, Sealed(row.key_id, row.blob))
        for row in bound.gateway.rows(INBOUND)
    ]
    return sorted((content.sender, content.text) for content in read)


def udh(octets: str, number: int, total: int, reference: int = 7) -> dict[str, object]:
    """Write the fields of a part with an 8-bit reference, its text given in hexadecimal."""
    header = f"050003{reference:02x}{total:02x}{number:02x}"
    return {"esm_class": 0x40, "short_message": {"udh": header, "message": {"hex": octets}}}


def test_messages_and_replies_pass_over_one_transceiver(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port, source_ton=3)
    (told,) = smsc.wait("bind")

    smsc.deliver(mo("+84561234567", "HD"))
    answers = smsc.statuses(1)
    bound.await_bound()
    outcomes = bound.send("Ma PIN: 123456 @")

    assert told == {
        "event": "bind", "kind": "transceiver", "system_id": SYSTEM_ID, "password": PASSWORD,
    }  # fmt: skip
    assert answers == {0: OK}
    assert texts(bound) == [("+84561234567", "HD")]
    assert outcomes == [Accepted("1", "=1")]
    (submitted,) = smsc.wait("submit")
    assert 235 <= submitted["seconds"] <= 241
    assert submitted == {
        "event": "submit", "source": "1414", "destination": "84912345678", "source_ton": 3,
        "destination_ton": 1, "coding": 0, "text": "Ma PIN: 123456 @", "registered": 1,
        "seconds": submitted["seconds"],
    }  # fmt: skip


def test_one_link_may_be_two_sessions(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port, bind="tx+rx")

    kinds = {event["kind"] for event in smsc.wait("bind", 2)}
    bound.await_bound()
    smsc.deliver(mo("+84561234567", "HD"))

    assert kinds == {"transmitter", "receiver"}
    assert smsc.statuses(1) == {0: OK}
    assert bound.send("a") == [Accepted("1", "=1")]


def test_long_messages_join_in_every_way_of_writing_them(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    wide = "TRA CUU Đ".encode("utf-16-be").hex()

    smsc.deliver(
        mo("+84561111111", "", data_coding=0, **udh(b"ALICE-2".hex(), 2, 2)),
        mo("+84562222222", "", data_coding=0, **udh(b"BOB-1 ".hex(), 1, 2)),
        mo("+84561111111", "", data_coding=0, **udh(b"ALICE-1 ".hex(), 1, 2)),
        mo("+84562222222", "", data_coding=0, **udh(b"BOB-2".hex(), 2, 2)),
        mo("+84563333333", "", data_coding=8, **udh(wide[20:], 2, 2)),
        mo("+84563333333", "", data_coding=8, **udh(wide[:20], 1, 2)),
        mo("+84564444444", "one ", sar_msg_ref_num=300, sar_total_segments=2, sar_segment_seqnum=1),
        mo("+84564444444", "two", sar_msg_ref_num=300, sar_total_segments=2, sar_segment_seqnum=2),
        mo("+84565555555", "", short_message="", message_payload={"hex": b"whole".hex()}),
    )

    assert set(smsc.statuses(9).values()) == {OK}
    assert texts(bound) == [
        ("+84561111111", "ALICE-1 ALICE-2"),
        ("+84562222222", "BOB-1 BOB-2"),
        ("+84563333333", "TRA CUU Đ"),
        ("+84564444444", "one two"),
        ("+84565555555", "whole"),
    ]


def test_a_thousand_messages_without_waiting_are_all_there(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")

    smsc.deliver(*(mo(f"+8456{number:07}", "HD") for number in range(1000)))

    assert set(smsc.statuses(1000).values()) == {OK}
    assert len(texts(bound)) == 1000


def test_a_duplicate_has_one_effect(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")

    smsc.deliver(*(mo("+84561234567", "HD") for _ in range(3)))
    smsc.statuses(3)
    smsc.deliver(mo("+84561234567", "HD"))

    assert set(smsc.statuses(4).values()) == {OK}
    assert len(texts(bound)) == 1


def test_refusals_are_told_apart(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    bound.await_bound()

    smsc.behave(submit="refuse", status=0x58)
    throttled = bound.send("a")
    smsc.behave(submit="refuse", status=0x0B)
    refused = bound.send("a")

    assert throttled == [Refused("smpp-58", retryable=True)]
    assert refused == [Refused("smpp-b", retryable=False)]


@pytest.mark.parametrize("how", ["reset", "unbind"])
def test_what_was_in_the_window_when_a_session_ends_is_unknown(
    bind: Bind, smsc: Smsc, how: str
) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    bound.await_bound()
    smsc.behave(submit=how)

    outcomes = bound.send("a", "b")

    assert {type(outcome) for outcome in outcomes} <= {Unknown, Refused}
    assert Unknown("connection-lost") in outcomes
    smsc.behave()
    smsc.wait("bind", 2)
    bound.await_bound()
    assert isinstance(bound.send("c")[0], Accepted)


def test_no_more_than_a_window_is_in_flight(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port, window=10)
    smsc.wait("bind")
    bound.await_bound()
    smsc.behave(submit="late", after=300)

    outcomes = bound.send(*"abcdefghijklmno")

    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 10
    assert outcomes.count(Refused("no-room", retryable=True)) == 5
    assert len(smsc.of("submit")) == 10


@pytest.mark.slow
def test_silence_is_unknown_after_five_seconds_and_a_late_answer_costs_no_session(
    bind: Bind, smsc: Smsc
) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    bound.await_bound()
    smsc.behave(submit="late", after=6000)
    began = time.monotonic()

    assert bound.send("a") == [Unknown("timeout")]
    assert 4.9 < time.monotonic() - began < 6

    time.sleep(1.5)
    smsc.behave()
    assert isinstance(bound.send("b")[0], Accepted)
    assert len(smsc.of("bind")) == 1


def test_a_silent_link_is_found_and_bound_anew(bind: Bind, smsc: Smsc, logged: io.StringIO) -> None:
    bound = bind(smsc.port, QUICK)
    smsc.wait("bind")
    smsc.wait("enquire_link")

    smsc.behave(deaf=True)

    smsc.wait("bind", 2)
    smsc.behave()
    bound.await_bound()
    assert "smpp.lost" in logged.getvalue()


def test_a_silent_link_is_found_in_ninety_seconds() -> None:
    timing = Timing()

    assert timing.idle + timing.heard + 2 * timing.look <= 90


def test_an_smsc_may_ask_whether_we_are_there(bind: Bind, smsc: Smsc) -> None:
    bind(smsc.port)
    smsc.wait("bind")

    smsc.tell(do="enquire")

    smsc.wait("enquire_link_resp")


@pytest.mark.slow
def test_a_bind_that_is_refused_is_not_tried_hot(
    bind: Bind, smsc: Smsc, logged: io.StringIO
) -> None:
    smsc.behave(bind=0x0E)
    bind(smsc.port)
    smsc.wait("bind")

    time.sleep(3)

    assert len(smsc.of("bind")) == 1
    said = [json.loads(line) for line in logged.getvalue().splitlines()]
    (refused,) = [line for line in said if line["event"] == "smpp.bind-refused"]
    assert (refused["link"], refused["reason"]) == ("smpp", "smpp-e")
    assert PASSWORD not in logged.getvalue()


def test_what_is_no_pdu_of_ours_is_told_so(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    bound.await_bound()

    smsc.tell(do="raw", hex=struct.pack(">IIII", 16, 0x0103, 0, 77).hex())
    (nack,) = smsc.wait("nack")
    smsc.tell(do="raw", hex=struct.pack(">IIII", 70000, 5, 0, 78).hex())
    smsc.wait("nack", 2)

    assert nack["status"] == Status.INVALID_COMMAND
    smsc.wait("bind", 2)


def test_a_stop_takes_leave_and_takes_no_more(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    bound.await_bound()

    bound.sessions.stop()
    smsc.deliver(mo("+84561234567", "HD"))
    refused = smsc.statuses(1)
    still = bound.send("a")
    bound.sessions.join(10)

    assert refused == {0: Status.TEMPORARY}
    assert isinstance(still[0], Accepted)
    smsc.wait("unbind")
    assert texts(bound) == []


def test_a_link_that_is_disabled_is_bound_no_more(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    write = bound.gateway.database.write

    write(lambda s: registry.set_state(s, bound.link, LinkState.DISABLED))
    smsc.wait("unbind")
    write(lambda s: registry.set_state(s, bound.link, LinkState.ACTIVE))

    smsc.wait("bind", 2)


@pytest.mark.slow
def test_a_new_password_is_bound_with_at_once(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    gateway, now = bound.gateway, datetime.now(UTC)

    gateway.database.write(lambda s: registry.rotate(s, gateway.keyring, bound.link, "n3w", now))

    assert [event["password"] for event in smsc.wait("bind", 2)] == [PASSWORD, "n3w"]


@pytest.mark.slow
def test_a_second_process_binds_when_the_first_has_taken_leave(bind: Bind, smsc: Smsc) -> None:
    bound = bind(smsc.port)
    smsc.wait("bind")
    bound.await_bound()
    second = sessions_of(bound.gateway, database=Shared(bound.gateway.database))
    second.start()
    try:
        time.sleep(2)
        alone = len(smsc.of("bind"))
        bound.sessions.stop()
        bound.sessions.join(10)
        smsc.wait("bind", 2)
    finally:
        second.stop()
        second.join(10)

    assert alone == 1


class Shared:
    """A database that others use too, so that no lease is taken back."""

    dialect = "postgresql"

    def __init__(self, inner: Database) -> None:
        self.write, self.read, self.url = inner.write, inner.read, inner.url
        self.reserved, self.checkpoint, self.close = inner.reserved, inner.checkpoint, inner.close


def certificate(name: str) -> tuple[str, str]:
    """Make a key and a certificate that it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), made.public_bytes(pem).decode()


def test_the_pinned_certificate_is_bound_to_and_no_other(
    bind: Bind, smpp_folder: Path, logged: io.StringIO
) -> None:
    key, cert = certificate("smsc.example")
    _, other = certificate("smsc.example")
    smsc = Smsc(smpp_folder, key=key, cert=cert)
    try:
        bound = bind(smsc.port, code="pinned", tls_certificate=cert)
        smsc.wait("bind")
        add_link(bound.gateway, smsc.port, code="stranger", tls_certificate=other)

        until(lambda: "certificate" in logged.getvalue(), "the other is refused")
        assert len(smsc.of("bind")) == 1
    finally:
        smsc.close()
