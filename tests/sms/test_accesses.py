"""How accesses are told in one segment."""

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.accesses import Access, Accesses
from journal.entries import ToldAs
from journal.openings import Act
from sms import accesses
from sms.accesses import compose
from sms.commands import Language
from sms.segments import measure
from tests.fakes import NOON

VI, EN = Language.VI, Language.EN
CODE = "7F3K92"
DAY = timedelta(days=1)
SIX_DIGITS = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


def own(group: str = "", outcome: str = "RESULT", *, days: int = 1) -> Access:
    payload = json.dumps({"group": group, "outcome": outcome})
    return Access(NOON - days * DAY, Act(b"", payload, None))


def office(receiver: str, act: str = "view", *, days: int = 1) -> Access:
    payload = json.dumps({"receiver": receiver, "act": act})
    return Access(NOON - days * DAY, Act(b"", payload, "officer:binh"))


def told(*newest: Access, count: int = 0, attempts: int = 0, language: Language = VI) -> str:
    found = Accesses(newest, max(count, len(newest)), attempts)
    text = compose(found, NOON, CODE, language)
    label = {VI: "Truy cap: ", EN: "Accessed: "}[language]
    return text.split(label)[1].split(". ")[0] if newest else text


@pytest.mark.parametrize(
    ("access", "vietnamese", "english"),
    [
        (own(), "01/03 12:00 ban, SMS, ho so", "01/03 12:00 you, SMS, record"),
        (own("CT"), "01/03 12:00 ban, SMS, cu tru", "01/03 12:00 you, SMS, residence"),
        (own("TT"), "01/03 12:00 ban, SMS, the", "01/03 12:00 you, SMS, card"),
        (own(outcome="LOG"), "01/03 12:00 ban, SMS, nhat ky", "01/03 12:00 you, SMS, log"),
        (own("XX"), "01/03 12:00 ban, SMS, xem", "01/03 12:00 you, SMS, view"),
        (own(days=90), "02/12/25 12:00 ban, SMS, ho so", "02/12/25 12:00 you, SMS, record"),
        (
            office("Toà án Hà Nội", "journal-extract"),
            "01/03 12:00 Toa an Ha Noi, trich luc nhat ky",
            "01/03 12:00 Toa an Ha Noi, log extract",
        ),
        (office(""), "01/03 12:00 can bo, xem", "01/03 12:00 an official, view"),
    ],
)
def test_an_access_is_told_with_its_time_its_receiver_and_its_reason(
    access: Access, vietnamese: str, english: str
) -> None:
    assert told(access) == vietnamese
    assert told(access, language=EN) == english


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Công an phường Cửa Nam", "CA P. Cua Nam"),
        ("Công an xã Ba Vì", "CA X. Ba Vi"),
        ("Bảo hiểm xã hội Việt Nam", "BHXH Viet Nam"),
        ("Uỷ ban nhân dân thành phố Hải Phòng", "UBND TP Hai Phong"),
        ("Cục Cảnh sát quản lý hành chính về trật tự xã hội", "Cuc Canh sat quan ly hanh"),
        ("X" * 50, "X" * 30),
        ("Phòng 123456", "Phong 123 456"),
    ],
)
def test_an_institution_is_shortened_as_people_do(name: str, short: str) -> None:
    text = compose(Accesses((office(name),), 1), NOON, CODE, VI)

    assert f"01/03 12:00 {short}, xem. " in text


def test_as_many_are_told_as_fit_and_the_rest_is_counted() -> None:
    five = [own(days=each) for each in range(1, 6)]

    assert told(*five[:3]).count("ban, SMS") == 3
    assert told(*five) == (
        "01/03 12:00 ban, SMS, ho so; 28/02 12:00 ban, SMS, ho so; 27/02 12:00 ban, SMS, ho so; +2"
    )
    assert told(*five, count=1_234_567) == (
        "01/03 12:00 ban, SMS, ho so; 28/02 12:00 ban, SMS, ho so; va 1.234.565 lan truoc"
    )
    assert told(*five[:2], count=3).endswith("; va 1 lan truoc")
    assert told(*five, language=EN).endswith("; +2")


def test_that_others_tried_is_told_before_an_older_access() -> None:
    three = [own(days=each) for each in range(1, 4)]

    tried = told(*three, attempts=2)

    assert tried.count("ban, SMS") == 2
    assert tried.endswith("; so khac thu 2 lan/30 ngay")
    assert told(attempts=3).startswith("CSDLDC: Nhat ky chua ghi lan truy cap nao")
    assert "(others tried 3x in 30 days)" in told(attempts=3, language=EN)


RECEIVERS = st.text(max_size=80) | st.sampled_from(["Công an phường " * 9, "1" * 80])


@given(
    st.lists(
        st.one_of(
            st.builds(own, st.sampled_from(["", "CT", "TT"]), days=st.integers(0, 900)),
            st.builds(office, RECEIVERS, st.text(max_size=20), days=st.integers(0, 900)),
        ),
        max_size=5,
    ),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.sampled_from(Language),
)
def test_a_log_is_one_segment_and_shows_no_pin_whatever_it_holds(
    newest: list[Access], more: int, attempts: int, language: Language
) -> None:
    found = Accesses(tuple(newest), len(newest) + more, attempts)

    text = compose(found, NOON, CODE, language)

    measured = measure(text)
    assert (measured.encoding, measured.segments) == ("gsm7", 1)
    assert not SIX_DIGITS.search(text)
    assert text.endswith(CODE)
    if newest:
        assert text.count(":") >= 3, "at least the newest is told, with its time"


@pytest.mark.parametrize(
    ("outcome", "reason", "expected"),
    [
        ("RESULT", "right-pin", ToldAs.ACCESS),
        ("LOG", "right-pin", ToldAs.ACCESS),
        ("NOMATCH", "other-number", ToldAs.ATTEMPT),
        ("NOMATCH", "other-number-owner", ToldAs.ATTEMPT),
        ("NOMATCH", "owner-locked", None),
        ("PIN", "pin", None),
        ("WRONG", "wrong-pin", None),
        ("LOCKED", "right-pin", None),
        ("CASE", "case-opened", None),
    ],
)
def test_only_what_told_something_is_an_access(
    outcome: str, reason: str, expected: ToldAs | None
) -> None:
    assert accesses.told_as(outcome, reason) is expected
