"""The words and figures of the page."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest

from phone import language
from phone.language import SPEECH, STORED, WORDS, Language

TEMPLATES = Path(language.__file__).parent / "templates"
VIETNAMESE, ENGLISH = SPEECH[Language.VIETNAMESE], SPEECH[Language.ENGLISH]
AT = datetime(2026, 11, 21, 11, 42, 7, 112_900, tzinfo=UTC)


def gaps(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name is not None}


def test_every_phrase_is_there_in_both_languages() -> None:
    for pair in (*WORDS.values(), *STORED.values()):
        assert len(pair) == 2
        assert all(phrase.strip() for phrase in pair)


def test_both_languages_have_the_same_gaps() -> None:
    assert {key: pair for key, pair in WORDS.items() if gaps(pair[0]) != gaps(pair[1])} == {}


def test_every_phrase_that_a_template_says_is_there_and_none_is_idle() -> None:
    text = "".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    said = set(re.findall(r"""say\(\s*["']([a-z_]+)["'](?! *\+)""", text))
    made = {key for key in WORDS if key.startswith(("stage_", "scheme_", "suggest_", "command_"))}
    chosen = {"proof_holds", "proof_fails", "one_part", "parts"}

    assert said - WORDS.keys() == set()
    assert WORDS.keys() - said - made - chosen == set()


def test_times_and_figures_are_written_as_each_language_does() -> None:
    assert (VIETNAMESE.clock(AT), ENGLISH.clock(AT)) == ("18:42:07,112", "18:42:07.112")
    assert VIETNAMESE.moment(AT) == "18:42"
    assert (VIETNAMESE.number(9120441), ENGLISH.number(9120441)) == ("9.120.441", "9,120,441")
    assert (VIETNAMESE.price(150_000_050), ENGLISH.price(30000)) == ("1.500.000,50 ₫", "300 ₫")


@pytest.mark.parametrize(
    ("milliseconds", "vietnamese", "english"),
    [(0, "0 ms", "0 ms"), (999, "999 ms", "999 ms"), (1840, "1,84 s", "1.84 s")],
)
def test_spans_are_milliseconds_below_a_second(
    milliseconds: int, vietnamese: str, english: str
) -> None:
    span = timedelta(milliseconds=milliseconds)

    assert (VIETNAMESE.span(span), ENGLISH.span(span)) == (vietnamese, english)


def test_what_the_service_stores_is_said_or_shown_as_it_is() -> None:
    assert ENGLISH.stored("answered") == "answered"
    assert VIETNAMESE.stored("answered") == "đã trả lời"
    assert VIETNAMESE.stored("something-new") == "something-new"
