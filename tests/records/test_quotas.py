from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import quotas
from records.quotas import Ask, History, SenderLimits, Verdict
from tests.fakes import NOON

LIMITS = SenderLimits()
DAY = date(2026, 3, 2)
ME = 7
TICK = timedelta(microseconds=1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def history(*ago: timedelta, citizen: int = ME, **counts: object) -> History:
    asks = tuple(Ask(NOON - each, citizen) for each in sorted(ago, reverse=True))
    return History(day=DAY, asks=asks, **counts)  # type: ignore[arg-type]  # counts by name


def judge(known: History, citizen: int = ME) -> Verdict:
    return quotas.judge_ask(known, citizen, LIMITS, NOON)


def test_whoever_asks_for_the_first_time_may() -> None:
    assert judge(history()) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("ago", "verdict"),
    [
        (timedelta(), Verdict.TOO_SOON),
        (MINUTE - TICK, Verdict.TOO_SOON),
        (MINUTE, Verdict.ALLOWED),
        (-MINUTE, Verdict.TOO_SOON),  # the clock was set back: closed until it has caught up
    ],
)
def test_asks_are_a_minute_apart(ago: timedelta, verdict: Verdict) -> None:
    assert judge(history(ago)) is verdict


def test_spacing_can_be_off() -> None:
    limits = replace(LIMITS, spacing=timedelta())

    assert quotas.judge_ask(history(timedelta()), ME, limits, NOON) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("count", "oldest", "verdict"),
    [
        (5, HOUR - TICK, Verdict.ALLOWED),
        (6, HOUR - TICK, Verdict.QUOTA),
        (6, HOUR, Verdict.ALLOWED),
    ],
)
def test_six_asks_an_hour(count: int, oldest: timedelta, verdict: Verdict) -> None:
    ago = [oldest, *(MINUTE * (2 + place) for place in range(count - 1))]

    assert judge(history(*ago)) is verdict


@pytest.mark.parametrize(("count", "verdict"), [(9, Verdict.ALLOWED), (10, Verdict.QUOTA)])
def test_ten_asks_a_day(count: int, verdict: Verdict) -> None:
    assert judge(history(*(HOUR * (2 + place) for place in range(count)))) is verdict


def test_the_eleventh_ask_is_taken_when_the_first_is_a_day_old() -> None:
    ago = [timedelta(days=1), *(HOUR * (2 + place) for place in range(9))]

    assert judge(history(*ago).on(NOON)) is Verdict.ALLOWED


@pytest.mark.parametrize(("people", "verdict"), [(4, Verdict.ALLOWED), (5, Verdict.QUOTA)])
def test_five_people_a_day(people: int, verdict: Verdict) -> None:
    asks = tuple(Ask(NOON - HOUR * (9 - place), 100 + place) for place in range(people))

    assert judge(History(day=DAY, asks=asks)) is verdict


def test_asking_about_one_of_the_five_again_is_taken() -> None:
    asks = tuple(Ask(NOON - HOUR * (9 - place), 100 + place) for place in range(5))

    assert judge(History(day=DAY, asks=asks), citizen=102) is Verdict.ALLOWED


@pytest.mark.parametrize(("replies", "verdict"), [(8, Verdict.ALLOWED), (9, Verdict.QUOTA)])
def test_no_pin_is_made_whose_answer_could_not_be_sent(replies: int, verdict: Verdict) -> None:
    assert judge(history(replies=replies)) is verdict


def test_too_soon_and_out_of_replies_is_told_once() -> None:
    spent = history(timedelta(), replies=10)

    assert judge(spent) is Verdict.QUOTA
    assert judge(quotas.told(spent)) is Verdict.SILENT


def test_over_a_limit_is_told_once_and_then_silent() -> None:
    over = history(*(HOUR * (2 + place) for place in range(10)))

    assert judge(over) is Verdict.QUOTA
    assert judge(quotas.told(over)) is Verdict.SILENT


@pytest.mark.parametrize(
    ("mistakes", "replies", "verdict"),
    [(4, 9, Verdict.ALLOWED), (5, 0, Verdict.QUOTA), (0, 10, Verdict.QUOTA)],
)
def test_help_is_given_five_times_a_day(mistakes: int, replies: int, verdict: Verdict) -> None:
    known = history(mistakes=mistakes, replies=replies)

    assert quotas.judge_mistake(known, LIMITS) is verdict


@pytest.mark.parametrize(("replies", "verdict"), [(9, Verdict.ALLOWED), (10, Verdict.QUOTA)])
def test_ten_replies_a_day(replies: int, verdict: Verdict) -> None:
    assert quotas.judge_reply(history(replies=replies), LIMITS) is verdict
    assert quotas.judge_reply(history(replies=10, told=True), LIMITS) is Verdict.SILENT


def test_a_new_day_in_viet_nam_counts_anew() -> None:
    midnight = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    known = history(timedelta(), replies=10, mistakes=5, told=True)

    before, after = known.on(midnight - TICK), known.on(midnight)

    assert (before.replies, before.mistakes, before.told) == (10, 5, True)
    assert (after.replies, after.mistakes, after.told) == (0, 0, False)
    assert after.asks == known.asks, "asks are counted by hours, whatever the calendar says"


def test_asks_are_forgotten_after_a_day() -> None:
    known = history(timedelta(), MINUTE * 5)

    assert len(known.on(NOON + timedelta(days=1) - TICK - MINUTE * 5).asks) == 2
    assert len(known.on(NOON + timedelta(days=1) - TICK).asks) == 1
    assert known.on(NOON + timedelta(days=1)).asks == ()


ASKS = st.lists(
    st.builds(
        Ask,
        st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 (Hypothesis wants its bounds naive)
        st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=12,
)
HISTORIES = st.builds(
    History,
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    asks=ASKS.map(tuple),
    replies=st.integers(0, 20),
    mistakes=st.integers(0, 20),
    told=st.booleans(),
)


@given(HISTORIES)
def test_a_history_comes_back_as_it_was_written(known: History) -> None:
    assert quotas.load(quotas.dump(known)) == known


@given(HISTORIES, st.integers(0, 9))
def test_whoever_was_told_is_not_told_again(known: History, citizen: int) -> None:
    told = quotas.told(known)

    assert quotas.judge_ask(told, citizen, LIMITS, NOON) is not Verdict.QUOTA
    assert quotas.judge_mistake(told, LIMITS) is not Verdict.QUOTA
    assert quotas.judge_reply(told, LIMITS) is not Verdict.QUOTA


@given(HISTORIES, st.integers(0, 9))
def test_one_more_ask_never_opens_a_door(known: History, citizen: int) -> None:
    if quotas.judge_ask(known, citizen, LIMITS, NOON) is not Verdict.ALLOWED:
        more = quotas.asked(known, citizen, NOON).answered()

        assert quotas.judge_ask(more, citizen, LIMITS, NOON) is not Verdict.ALLOWED
