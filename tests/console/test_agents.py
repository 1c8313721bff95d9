"""Browsers in two words: what officers use, and whatever else somebody sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import agents

_WINDOWS, _LINUX = "Windows NT 10.0; Win64; x64", "X11; Linux x86_64"
_MAC, _PHONE = "Macintosh; Intel Mac OS X 10_15_7", "iPhone; CPU iPhone OS 18_6 like Mac OS X"
_ANDROID = "Linux; Android 10; K"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_CHROME = f"{_WEBKIT} Chrome/141.0.0.0"
_GECKO = "Gecko/20100101 Firefox/144.0"


@pytest.mark.parametrize(
    ("system", "products", "words"),
    [
        (_WINDOWS, f"{_CHROME} Safari/537.36", "Chrome 141 · Windows"),
        (_WINDOWS, f"{_WEBKIT} coc_coc_browser/139.0 Chrome/133.0 Safari/537.36",
         "Cốc Cốc 139 · Windows"),
        (_WINDOWS, f"{_CHROME} Safari/537.36 Edg/140.0.0.0", "Edge 140 · Windows"),
        (_WINDOWS, f"{_CHROME} Safari/537.36 OPR/111.0.0.0", "Opera 111 · Windows"),
        (_WINDOWS, _GECKO, "Firefox 144 · Windows"),
        (_LINUX, _GECKO, "Firefox 144 · Linux"),
        (_LINUX, f"{_WEBKIT} HeadlessChrome/141.0 Safari/537.36", "Chrome 141 · Linux"),
        (_MAC, f"{_WEBKIT} Version/26.0.1 Safari/605.1.15", "Safari 26 · macOS"),
        (_PHONE, f"{_WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1", "Safari 18 · iOS"),
        (_PHONE, f"{_WEBKIT} CriOS/141.0 Mobile/15E148 Safari/604.1", "Chrome 141 · iOS"),
        (_ANDROID, f"{_CHROME} Mobile Safari/537.36", "Chrome 141 · Android"),
        (_ANDROID, f"{_WEBKIT} SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36",
         "Samsung Internet 28 · Android"),
        ("X11; CrOS x86_64 14541.0.0", f"{_CHROME} Safari/537.36", "Chrome 141 · ChromeOS"),
        (_WINDOWS, "Some/1.0", "Windows"),
        ("compatible", "curl/8.16.0", None),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_two_words(system: str, products: str, words: str | None) -> None:
    assert agents.short(f"Mozilla/5.0 ({system}) {products}") == words


@given(st.text())
def test_whatever_is_sent_makes_a_short_name_of_ours_or_none(agent: str) -> None:
    named = agents.short(agent)

    assert named is None or len(named) <= 40


@given(st.text(alphabet="<script>Chrome/19 ", max_size=200))
def test_nothing_of_what_is_sent_is_said_but_a_number(agent: str) -> None:
    named = agents.short(agent)

    assert named is None or named.removeprefix("Chrome ").isdigit()
