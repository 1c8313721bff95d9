import re
from collections.abc import Iterator
from string import Formatter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import uuid7
from journal.accesses import Access, Accesses
from journal.found import Found
from journal.openings import Act
from records.catalogue import Group
from sms.commands import Hint, Language, NotUnderstood, parse
from sms.replies import (
    CancelledReply,
    CaseReply,
    DownReply,
    ExpiredReply,
    FailedReply,
    HelpReply,
    IncludedReply,
    LateReply,
    LockedReply,
    LogReply,
    NoMatchReply,
    NoOpenReply,
    PinReply,
    PriceReply,
    QuotaReply,
    Reply,
    ReplyClass,
    ResultReply,
    SyntaxReply,
    UnknownReply,
    UnlockedReply,
    WrongReply,
    with_code,
)
from sms.results import ResultFields
from sms.segments import Encoding, measure
from sms.templates import TEXTS, TemplateId
from sms.wording import render, template, template_name
from tests.fakes import NOON

VI, EN = Language.VI, Language.EN
CODE, RECEIPT = "7F3K92", "7F3K-92TX-2VHD-WR5T"
SIX_DIGITS = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
HIGHEST_PRICE = 10_000_000_00  # no short code costs more than 15,000 dong
THAO = ResultFields(full_name="Nguyễn Thị Phương Thảo", sex="F", birth_year=1985, id_last3="456")
OWN = Access(NOON, Act(b"", '{"group":"CT","outcome":"RESULT"}', None))
SEEN = [
    Accesses(),
    Accesses(attempts=123_456),
    Accesses((OWN,), 1),
    Accesses((OWN,) * 5, 123_456, 123_456),
]


def every_reply(language: Language) -> Iterator[Reply]:
    for life_seconds in (5, 60, 90, 300, 599, 600):
        yield PinReply(language=language, code=CODE, pin="482913", life_seconds=life_seconds)
    for group in Group:
        yield ResultReply(language=language, code=CODE, fields=THAO, group=group)
    yield NoMatchReply(language=language, code=CODE)
    for tries_left in (1, 2, 10):
        yield WrongReply(language=language, code=CODE, tries_left=tries_left)
    yield FailedReply(language=language, code=CODE)
    yield ExpiredReply(language=language, code=CODE)
    yield NoOpenReply(language=language)
    yield LockedReply(language=language, code=CODE)
    yield UnlockedReply(language=language, code=CODE)
    yield CancelledReply(language=language, code=CODE)
    for seen in SEEN:
        yield LogReply(language=language, code=CODE, accesses=seen, now=NOON)
    for index, size in ((0, 1), (123_455, 123_456), (9_999_999_998, 9_999_999_999)):
        found = Found(uuid7(), RECEIPT, NOON, index, size, None, None, None)
        yield IncludedReply(language=language, found=found)
    yield UnknownReply(language=language)
    for is_closed in (False, True):
        yield CaseReply(language=language, code=CODE, number="7K3M-9QT7", is_closed=is_closed)
    for hint in Hint:
        for digits in (None, 0, 9, 11, 1000):
            yield SyntaxReply(language=language, hint=hint, digits=digits)
    yield HelpReply(language=language)
    for price_hundredths in (None, 0, 1, 29_050, 100_000, HIGHEST_PRICE):
        yield PriceReply(language=language, price_hundredths=price_hundredths)
    yield QuotaReply(language=language)
    yield LateReply(language=language)
    yield DownReply(language=language)


EVERY_REPLY = [reply for language in Language for reply in every_reply(language)]


@pytest.mark.parametrize("reply", EVERY_REPLY)
def test_every_reply_is_one_gsm7_segment(reply: Reply) -> None:
    measured = measure(render(reply))

    assert (measured.encoding, measured.segments) == (Encoding.GSM7, 1)


@pytest.mark.parametrize("reply", EVERY_REPLY)
def test_six_digits_stand_in_pin_replies_only(reply: Reply) -> None:
    found = set(SIX_DIGITS.findall(render(reply)))

    assert found == ({"482913"} if isinstance(reply, PinReply) else set())


@pytest.mark.parametrize("reply", EVERY_REPLY)
def test_replies_that_have_an_entry_carry_its_code_and_no_others(reply: Reply) -> None:
    label = {VI: "Ma GD", EN: "Ref"}[reply.language]
    has_entry = reply.reply_class not in {
        ReplyClass.NOOPEN,
        ReplyClass.INCLUDED,
        ReplyClass.UNKNOWN,
        ReplyClass.SYNTAX,
        ReplyClass.HELP,
        ReplyClass.PRICE,
        ReplyClass.QUOTA,
        ReplyClass.LATE,
        ReplyClass.DOWN,
    }

    assert (f"{label} {CODE}" in render(reply)) is has_entry
    assert (label in render(reply)) is has_entry


@pytest.mark.parametrize("language", Language)
def test_every_class_and_every_text_is_reached(language: Language) -> None:
    replies = [reply for reply in EVERY_REPLY if reply.language is language]

    assert {type(reply) for reply in replies} == set(get_args(Reply))
    assert {reply.reply_class for reply in replies} == set(ReplyClass)
    assert {template(reply) for reply in replies} == set(TemplateId) == set(TEXTS[language])


@pytest.mark.parametrize("name", TemplateId)
def test_both_languages_have_the_same_slots(name: TemplateId) -> None:
    slots = [
        {slot for _, slot, _, _ in Formatter().parse(texts[name]) if slot}
        for texts in TEXTS.values()
    ]

    assert slots[0] == slots[1]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", TemplateId)
def test_no_text_has_a_sign_that_operators_refuse(name: TemplateId, language: Language) -> None:
    assert not set("%#&[]\\<@`") & set(TEXTS[language][name])


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (
            PinReply(language=VI, code=CODE, pin="482913", life_seconds=300),
            (
                "CSDLDC: Ma xac thuc 482913, hieu luc 5 phut. Tra loi: XN 482913. Khong dua ma cho "
                "bat ky ai, ke ca can bo. Neu khong phai ban yeu cau, soan HUY. Ma GD 7F3K92"
            ),
        ),
        (
            WrongReply(language=VI, code=CODE, tries_left=2),
            "CSDLDC: Ma xac thuc khong dung, con 2 lan thu. Soan XN cach ma 6 so. Ma GD 7F3K92",
        ),
        (
            PriceReply(language=VI, price_hundredths=100_000),
            (
                "CSDLDC: Gia moi tin nhan gui di: 1.000 dong. Mot lan tra cuu can 2 tin (DC va "
                "XN): 2.000 dong. Tin tra loi khong mat phi"
            ),
        ),
    ],
)
def test_a_reply_reads_as_published(reply: Reply, text: str) -> None:
    assert render(reply) == text


@pytest.mark.parametrize(
    ("seconds", "vietnamese", "english"),
    [(300, "5 phut.", "5 min."), (90, "90 giay.", "90 sec."), (60, "1 phut.", "1 min.")],
)
def test_a_life_of_whole_minutes_is_told_in_minutes(
    seconds: int, vietnamese: str, english: str
) -> None:
    replies = [
        PinReply(language=language, code=CODE, pin="482913", life_seconds=seconds)
        for language in (VI, EN)
    ]

    assert f"hieu luc {vietnamese}" in render(replies[0])
    assert f"valid {english}" in render(replies[1])


@pytest.mark.parametrize(
    ("hundredths", "vietnamese", "english"),
    [
        (29_050, ("290,50 dong", "581 dong"), ("290.50 VND", "581 VND")),
        (1_500_000, ("15.000 dong", "30.000 dong"), ("15,000 VND", "30,000 VND")),
    ],
)
def test_a_price_is_told_for_a_message_and_for_a_lookup(
    hundredths: int, vietnamese: tuple[str, str], english: tuple[str, str]
) -> None:
    texts = [render(PriceReply(language=each, price_hundredths=hundredths)) for each in (VI, EN)]

    assert all(price in texts[0] for price in vietnamese)
    assert all(price in texts[1] for price in english)


@given(st.integers(0, HIGHEST_PRICE), st.sampled_from(Language))
def test_no_price_passes_for_a_pin_or_needs_two_segments(price: int, language: Language) -> None:
    text = render(PriceReply(language=language, price_hundredths=price))

    assert not SIX_DIGITS.search(text)
    assert measure(text).segments == 1


@given(st.text(max_size=50), st.from_regex(r"[0-9]{5,14}", fullmatch=True), st.text(max_size=50))
def test_no_number_that_was_typed_is_echoed(before: str, number: str, after: str) -> None:
    command = parse(f"{before} {number} 001085123456 {after}")

    if isinstance(command, NotUnderstood):
        for language in Language:
            text = render(SyntaxReply(language=language, hint=command.hint, digits=command.digits))
            assert not re.search(r"[0-9]{5}", text)


@pytest.mark.parametrize("reply", EVERY_REPLY)
def test_a_code_is_given_to_replies_that_carry_one(reply: Reply) -> None:
    coded = with_code(reply, "0A1B2C")

    assert type(coded) is type(reply)
    assert ("0A1B2C" in render(coded)) is (CODE in render(reply))


def test_the_journal_names_text_language_and_version() -> None:
    names = [
        template_name(NoMatchReply(language=VI, code=CODE)),
        template_name(SyntaxReply(language=EN, hint=Hint.PIN_FORM)),
        template_name(PriceReply(language=VI, price_hundredths=None)),
    ]

    assert names == ["nomatch.vi.2", "syntax.pin_form.en.2", "price.usual.vi.2"]


def test_a_reply_printed_shows_neither_pin_nor_record() -> None:
    replies = [
        PinReply(language=VI, code=CODE, pin="482913", life_seconds=300),
        ResultReply(language=VI, code=CODE, fields=THAO, group=Group.DEFAULT),
    ]

    printed = repr(replies)

    assert "482913" not in printed
    assert "Th" not in printed
