"""What holds for every text, not only for the examples of `test_commands.py`."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from records.catalogue import Group
from sms.commands import (
    LONGEST_TEXT,
    AskLog,
    AskRecord,
    Cancel,
    Command,
    GivePin,
    Hint,
    Language,
    Lock,
    NotUnderstood,
    Unlock,
    parse,
)
from sms.fold import fold
from sms.keywords import ENGLISH, INTENTS, MEANT, Intent

IDS = st.from_regex(r"[0-9]{12}", fullmatch=True)
PINS = st.from_regex(r"[0-9]{6}", fullmatch=True)
# "D9C", what VNI leaves of "ĐC", cannot be glued to a number.
RECORD_WORDS = st.sampled_from(
    [word for word, what in INTENTS.items() if what is Intent.RECORD and word.isalpha()]
)
SEPARATORS = st.sampled_from(["", " ", ".", "-", " - ", "\u00a0", "–"])
PIECES = st.sampled_from(
    [*INTENTS, *"OIL019 .-\n?:<>“đỐ２²\u0301\u200b😀\ud800", "001085123456", "482913", "gui 1414"]
)
# Words that change something or spend a try: no slip may become one of them.
EXACT_WORDS = ("XN", "KHOA", "MO", "HUY", "LOCK", "UNLOCK", "CANCEL", "STOP", "PIN", "OTP", "MA")


@given(st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join)))
@example("O " * 500)
@example("1 " * 500)
@example("\ufdfa" * 1000)
@example("a" + "\u0301\u0323" * 499)
@example("1" * 1000)
@example("GUI " * 250)
def test_every_text_is_a_command(text: str) -> None:
    assert isinstance(parse(text), Command)


@given(st.text(), st.integers(0, 5))
def test_a_text_that_is_too_long_is_not_read(text: str, more: int) -> None:
    body = ("DC 001085123456 " + text).ljust(LONGEST_TEXT + 1 + more)

    assert parse(body) == NotUnderstood(Hint.PLAIN, None, Language.VI)


@given(RECORD_WORDS, IDS, SEPARATORS, st.lists(SEPARATORS, min_size=11, max_size=11))
def test_an_id_is_found_however_it_is_parted(
    word: str, personal_id: str, after_word: str, parting: list[str]
) -> None:
    parted = "".join(map(str.__add__, personal_id, [*parting, ""]))

    command = parse(word + after_word + parted)

    assert isinstance(command, AskRecord)
    assert (command.personal_id, command.group) == (personal_id, Group.DEFAULT)


@given(st.sampled_from(["", "XN ", "xn", "OTP: ", "mã "]), PINS)
def test_six_digits_are_a_pin(word: str, pin: str) -> None:
    assert parse(word + pin) == GivePin(pin, None)


@given(st.text(string.digits, max_size=30).filter(lambda digits: len(digits) != 6))
def test_another_count_of_digits_is_never_a_pin(digits: str) -> None:
    command = parse(f"XN {digits}")

    assert command == NotUnderstood(Hint.PIN_FORM, len(digits) or None, Language.VI)


@given(IDS, IDS, RECORD_WORDS, st.sampled_from([" ", "\n", ", ", " va ", "/"]))
def test_two_ids_are_never_half_answered(first: str, second: str, word: str, parting: str) -> None:
    command = parse(f"{word} {first}{parting}{second}")

    language = Language.EN if word in ENGLISH else Language.VI
    assert command == NotUnderstood(Hint.TWO_THINGS, None, language)


@given(st.text(), st.text())
def test_digits_of_other_scripts_make_no_number(before: str, after: str) -> None:
    text = f"{before} ٤٨٢٩١٣ ៤៨២៩១៣ {after}"

    command = parse(text)

    if not any("0" <= sign <= "9" for sign in fold(text)):
        assert not isinstance(command, GivePin | AskRecord | AskLog | Lock | Unlock)


@pytest.mark.parametrize("word", EXACT_WORDS)
def test_no_slip_becomes_a_word_that_changes_something(word: str) -> None:
    wanted = parse(f"{word} 001085123456"), parse(f"{word} 482913")

    for slip in _slips(word) - INTENTS.keys():
        reached = parse(f"{slip} 001085123456"), parse(f"{slip} 482913")

        assert not isinstance(reached[0], Lock | Unlock | Cancel), slip
        assert not isinstance(reached[1], GivePin), slip
        assert all(was != is_now for was, is_now in zip(wanted, reached, strict=True)), slip


def test_no_misspelling_shadows_a_word() -> None:
    assert not MEANT.keys() & INTENTS.keys()
    assert set(MEANT.values()) <= INTENTS.keys()


@given(st.text(max_size=40), IDS, PINS)
def test_a_command_printed_shows_no_number(words: str, personal_id: str, pin: str) -> None:
    for text in (f"DC {personal_id}", f"KHOA {personal_id}", f"XN {pin}", words + personal_id):
        printed = repr(parse(text))

        assert personal_id not in printed
        assert pin not in printed


def _slips(word: str) -> set[str]:
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    return {
        slip
        for head, tail in cuts
        for slip in (
            head + tail[1:],
            head + tail[1:2] + tail[:1] + tail[2:],
            *(head + letter + tail for letter in string.ascii_uppercase),
            *(head + letter + tail[1:] for letter in string.ascii_uppercase),
        )
    } - {word}
