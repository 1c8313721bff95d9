"""Signatures as the standard's own library makes them; messages cut from a stream of bytes."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from benchmark.wire import Message, Reader, Signer, Target, WireError
from tests.benchmark.stub import a_secret

NOW = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
TWO = (
    b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\nabc"
    b"POST /mt HTTP/1.1\r\ncontent-length:2\r\nwebhook-id: x\r\n\r\n{}"
    b"HTTP/1.1 204 No Content\r\n\r\n"
)


@given(st.binary(), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_signature_is_that_of_the_standards_own_library(body: bytes, event: str) -> None:
    stamp = str(int(NOW.timestamp())).encode()
    text = body.hex()

    signature = Signer.of(a_secret()).sign(event.encode(), stamp, text.encode())

    assert "v1," + signature.decode() == Webhook(a_secret()).sign(event, NOW, text)


def test_a_secret_without_its_prefix_is_refused() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        Signer.of("a2tr")


def test_a_request_carries_a_signature_that_holds_for_its_secret_alone() -> None:
    signer = Signer.of(a_secret())
    target = Target(b"127.0.0.1:1", b"/sms/bench/inbound", signer)

    (request,) = Reader().feed(target.request(b"m-1", b"1772427600", b'{"a":1}'))

    assert request.head.startswith(b"POST /sms/bench/inbound HTTP/1.1\r\nHost: 127.0.0.1:1\r\n")
    assert request.signed_by(signer)
    assert not request.signed_by(Signer.of(a_secret(b"o")))


@given(st.lists(st.integers(min_value=0, max_value=len(TWO))))
def test_messages_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    reader = Reader()
    places = [0, *sorted(cuts), len(TWO)]

    pieces = [TWO[a:b] for a, b in pairwise(places)]
    messages = [message for piece in pieces for message in reader.feed(piece)]

    assert [message.body for message in messages] == [b"abc", b"{}", b""]
    assert [messages[0].status, messages[2].status] == [202, 204]
    assert messages[1].field(b"Webhook-Id") == b"x"


@pytest.mark.parametrize(
    "stream",
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"],
)
def test_a_body_of_untold_length_is_an_error(stream: bytes) -> None:
    with pytest.raises(WireError, match="Content-Length"):
        list(Reader().feed(stream))


def test_a_request_has_no_status() -> None:
    with pytest.raises(WireError, match="no HTTP response"):
        _ = Message(b"POST / HTTP/1.1", b"").status
