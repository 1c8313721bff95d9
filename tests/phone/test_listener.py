"""Where texts for a terminal's phone arrive."""

from collections.abc import Mapping

import urllib3

from phone.errors import ForgedError
from phone.listener import Listener

HTTP = urllib3.PoolManager(retries=False, timeout=5)


def test_what_is_posted_is_handed_over() -> None:
    came: list[tuple[str | None, bytes]] = []
    listener = Listener(None)

    def deliver(headers: Mapping[str, str], body: bytes) -> None:
        came.append((headers.get("webhook-id"), body))

    with listener.serving(deliver):
        answer = HTTP.request("POST", listener.url, body=b"{}", headers={"webhook-id": "out-1"})

    assert answer.status == 204
    assert came == [("out-1", b"{}")]


def test_what_is_forged_or_too_large_is_refused() -> None:
    listener = Listener(None)

    def refuse(_headers: Mapping[str, str], _body: bytes) -> None:
        raise ForgedError

    with listener.serving(refuse):
        forged = HTTP.request("POST", listener.url, body=b"{}")
        large = HTTP.request("POST", listener.url, body=b"x" * 8193)
        read = HTTP.request("GET", listener.url)

    assert (forged.status, large.status, read.status) == (401, 413, 501)


def test_the_wanted_port_is_taken_if_it_is_free() -> None:
    with (first := Listener(None)).serving(lambda *_: None):
        port = urllib3.util.parse_url(first.url).port
        with (second := Listener(port)).serving(lambda *_: None):
            assert second.url != first.url

    with (third := Listener(port)).serving(lambda *_: None):
        assert third.url == first.url
