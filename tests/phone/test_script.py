"""Conversations written down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone import script
from phone.script import Expect, Say

LOOKUP = """
# a lookup
DC {id}
< CSDLDC: Ma xac thuc *

  XN   {pin}
< *Ma GD*
:dup
<
"""


def test_a_script_is_read_line_by_line() -> None:
    assert list(script.parse(LOOKUP)) == [
        Say(3, "DC {id}"),
        Expect(4, "CSDLDC: Ma xac thuc *"),
        Say(6, "XN {pin}"),
        Expect(7, "*Ma GD*"),
        Say(8, ":dup"),
        Expect(9, ""),
    ]


@given(st.text())
def test_every_text_is_a_script(text: str) -> None:
    for step in script.parse(text):
        assert isinstance(step, Say | Expect)


@pytest.mark.parametrize(
    ("pattern", "body", "matches"),
    [
        ("CSDLDC: *", "CSDLDC: anything", True),
        ("CSDLDC: *", "OTHER: anything", False),
        ("exactly this", "exactly  this", True),
        ("exactly", "exactly this", False),
        ("a.c", "abc", False),
        ("*con 2 lan*", "CSDLDC: khong dung, con 2 lan thu.", True),
        ("*", None, False),
        ("", None, True),
        ("", "something", False),
    ],
)
def test_a_pattern_is_compared_with_the_whole_reply(
    pattern: str, body: str | None, matches: bool
) -> None:
    assert Expect(1, pattern).matches(body) is matches


@given(st.text(alphabet="aá.*[](){}^$\\ \n", max_size=20))
def test_a_reply_matches_itself_whatever_signs_it_holds(body: str) -> None:
    words = " ".join(body.split())

    assert Expect(1, words).matches(body) or not words


def test_gaps_are_filled_and_a_missing_pin_stays_one() -> None:
    with_pin = script.filled("XN {pin} {id} {name}", personal_id="999185000101", pin="482913")
    without = script.filled("XN {pin}", personal_id="999185000101", pin=None)

    assert (with_pin, without) == ("XN 482913 999185000101 {name}", "XN {pin}")


def test_a_code_that_no_reply_has_given_yet_stays_a_gap() -> None:
    coded = script.filled("KT {code}", personal_id="999185000101", pin=None, code="7F3K92")
    without = script.filled("KT {code}", personal_id="999185000101", pin="482913")

    assert (coded, without) == ("KT 7F3K92", "KT {code}")
