"""How a number stands: by the set of its events, and by those alone who speak for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import vietnam_day
from core.phone import Msisdn
from records import numbers
from records.numbers import LASTS, NOTHING_HAPPENED, SETTLES, Event, Kind, Standing
from tests.fakes import NOON

NUMBER = Msisdn("+84912345678")
VINA, MOBI, VIETTEL, NEW = "vina", "mobi", "viettel", "new"
PREFIXES = {VINA: "081-085,088,091,094", MOBI: "070,076-079,089,090,093", VIETTEL: "032-039,086"}
TICK, DAY = timedelta(microseconds=1), timedelta(days=1)
LONG_AGO = vietnam_day(NOON) - timedelta(days=200)

events = st.builds(
    Event,
    operator=st.sampled_from((VINA, MOBI, VIETTEL)),
    id=st.sampled_from("abcdef"),
    kind=st.sampled_from(Kind),
    happened_at=st.integers(0, 5).map(lambda days: NOON - days * DAY),
    to=st.none() | st.sampled_from((VINA, MOBI, "nobody")),
    until=st.none() | st.just(NOON),
)


def event(kind: Kind, ago: timedelta = DAY, **changes: object) -> Event:
    made = Event(operator=VINA, id="e-1", kind=kind, happened_at=NOON - ago)
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def judge(*told: Event) -> Standing:
    return numbers.judge(told, NUMBER, PREFIXES).standing


@given(st.lists(events, max_size=6), st.randoms())
def test_g10_any_order_and_any_repeat_lead_to_the_same_standing(
    told: list[Event], chance: object
) -> None:
    shuffled = [*told, *told]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis's own random.Random

    assert numbers.judge(shuffled, NUMBER, PREFIXES) == numbers.judge(told, NUMBER, PREFIXES)


@given(st.lists(events.map(lambda e: replace(e, operator=MOBI)), max_size=6))
def test_t9_who_does_not_speak_for_a_number_changes_nothing(told: list[Event]) -> None:
    assert judge(*told) == NOTHING_HAPPENED


@pytest.mark.parametrize(
    ("number", "who"),
    [
        ("+84912345678", {VINA}),
        ("+84852345678", {VINA}),
        ("+84352345678", {VIETTEL}),
        ("+84562345678", {NEW}),
        ("+84872345678", {NEW}),
    ],
)
def test_prefixes_say_who_speaks_for_a_number(number: str, who: set[str]) -> None:
    assert numbers.speakers(Msisdn(number), PREFIXES | {NEW: ""}) == who


def test_four_digits_are_a_range_too() -> None:
    agreed = {VINA: "0912-0914", MOBI: "0911"}

    assert numbers.speakers(Msisdn("+84913000000"), agreed) == {VINA}
    assert numbers.speakers(Msisdn("+84911000000"), agreed) == {MOBI}
    assert numbers.speakers(Msisdn("+84915000000"), agreed) == set()


def test_a_ported_number_is_spoken_for_by_where_it_went() -> None:
    ported = event(Kind.PORTED, 3 * DAY, to=MOBI)
    swapped = event(Kind.SIM_CHANGED, DAY, operator=MOBI, id="m-1")
    before = event(Kind.SIM_CHANGED, 4 * DAY, operator=MOBI, id="m-2")
    after = event(Kind.REASSIGNED, DAY, id="e-2")

    judged = numbers.judge((swapped, before, after, ported), NUMBER, PREFIXES)

    assert judged.heeded == {ported, swapped}
    assert judged.standing == Standing(
        ported_at=ported.happened_at, sim_changed_at=swapped.happened_at, served_by=MOBI
    )


def test_t9_nobody_takes_a_number_over_by_saying_so() -> None:
    claimed = event(Kind.PORTED, 3 * DAY, operator=MOBI, to=MOBI)
    swapped = event(Kind.SIM_CHANGED, DAY, operator=MOBI, id="m-1")

    assert judge(claimed, swapped) == NOTHING_HAPPENED


def test_a_number_ported_nobody_says_where_is_spoken_for_by_the_others() -> None:
    ported = event(Kind.PORTED, 3 * DAY)
    theirs = event(Kind.RELEASED, DAY, operator=VIETTEL, id="v-1")
    ours = event(Kind.RELEASED, 2 * DAY, id="e-2")

    assert judge(ported, theirs, ours).left_at == theirs.happened_at


def test_a_network_that_nobody_has_is_one_that_was_not_named() -> None:
    ported = event(Kind.PORTED, 3 * DAY, to="mobiphone")
    swapped = event(Kind.SIM_CHANGED, DAY, operator=MOBI, id="m-1")

    judged = numbers.judge((ported, swapped), NUMBER, PREFIXES)

    assert judged.heeded == {ported, swapped}
    assert judged.standing.served_by == numbers.UNTOLD
    assert numbers.servers(NUMBER, judged.standing, PREFIXES) == set()


@pytest.mark.parametrize("wrong", ["mobiphone", None, VIETTEL])
def test_who_gave_a_number_away_may_say_again_to_whom(wrong: str | None) -> None:
    ported = event(Kind.PORTED, 3 * DAY, to=wrong)
    again = event(Kind.PORTED, 2 * DAY, id="e-2", to=MOBI)
    swapped = event(Kind.SIM_CHANGED, DAY, operator=MOBI, id="m-1")
    theirs = event(Kind.SIM_CHANGED, DAY / 2, operator=VIETTEL, id="v-1")

    judged = numbers.judge((theirs, swapped, again, ported), NUMBER, PREFIXES)

    assert judged.heeded == {ported, again, swapped}
    assert judged.standing.served_by == MOBI


@pytest.mark.parametrize("named", [MOBI, "mobiphone", None])
def test_t9_who_gave_a_number_away_gets_it_back_by_no_word_of_its_own(named: str | None) -> None:
    ported = event(Kind.PORTED, 3 * DAY, to=named)
    told = [
        event(Kind.PORTED, 2 * DAY, id="e-2", to=VINA),
        event(Kind.RELEASED, 2 * DAY, id="e-3"),
        event(Kind.REASSIGNED, DAY, id="e-4"),
    ]

    assert numbers.judge((ported, *told), NUMBER, PREFIXES).heeded == {ported}


def test_who_gave_a_number_away_says_nothing_once_it_went_on() -> None:
    ported = event(Kind.PORTED, 3 * DAY, to=MOBI)
    onward = event(Kind.PORTED, 2 * DAY, operator=MOBI, id="m-1", to=VIETTEL)
    again = event(Kind.PORTED, DAY, id="e-2", to=MOBI)

    assert judge(ported, onward, again).served_by == VIETTEL


@pytest.mark.parametrize("unnamed", [None, "mobiphone"])
@pytest.mark.parametrize("to", [None, VINA, MOBI])
def test_t9_a_number_that_went_nobody_says_where_is_taken_over_by_nobody(
    unnamed: str | None, to: str | None
) -> None:
    """All others may say what happened to it; whom it belongs to they do not know."""
    own = event(Kind.PORTED, 2 * DAY, operator=VIETTEL, id="v-2", to=VIETTEL)
    ported = event(Kind.PORTED, 4 * DAY, to=unnamed)
    claimed = event(Kind.PORTED, 3 * DAY, operator=VIETTEL, id="v-1", to=to)
    swapped = event(Kind.SIM_CHANGED, DAY, operator=MOBI, id="m-1")

    judged = numbers.judge((ported, claimed, own, swapped), NUMBER, PREFIXES)

    assert judged.heeded == {ported, claimed, swapped}
    assert numbers.servers(NUMBER, judged.standing, PREFIXES) == set()


def test_a_released_number_goes_back_to_whose_range_it_is() -> None:
    ported = event(Kind.PORTED, 4 * DAY, to=MOBI)
    released = event(Kind.RELEASED, 3 * DAY, operator=MOBI, id="m-1")
    reassigned = event(Kind.REASSIGNED, 2 * DAY, id="e-2")

    assert judge(reassigned, ported, released).left_at == reassigned.happened_at


def test_the_last_bar_is_the_one_that_counts() -> None:
    barred = event(Kind.BARRED, 3 * DAY)
    lifted = event(Kind.BARRED, DAY, id="e-2", until=NOON - DAY)

    for told in ((barred, lifted), (lifted, barred)):
        assert numbers.bars(judge(*told), LONG_AGO, NOON) is None
    assert numbers.bars(judge(barred), LONG_AGO, NOON) == "number-barred"


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing(), None),
        (Standing(sim_changed_at=NOON - SETTLES + TICK), "sim-changed"),
        (Standing(sim_changed_at=NOON - SETTLES), None),
        (Standing(sim_changed_at=NOON + timedelta(minutes=9)), "sim-changed"),
        (Standing(ported_at=NOON - SETTLES + TICK), "number-ported"),
        (Standing(ported_at=NOON - SETTLES), None),
        (Standing(left_at=NOON - 100 * DAY), "number-left"),
        (Standing(left_at=NOON - 201 * DAY), None),
        (Standing(barred_at=NOON - DAY), "number-barred"),
        (Standing(barred_at=NOON - DAY, barred_until=NOON + TICK), "number-barred"),
        (Standing(barred_at=NOON - DAY, barred_until=NOON), None),
        (Standing(barred_at=NOON - 201 * DAY), None),
    ],
)
def test_what_happened_to_a_number_bars_it(standing: Standing, reason: str | None) -> None:
    assert numbers.bars(standing, LONG_AGO, NOON) == reason


@pytest.mark.parametrize(
    ("days", "reason"),
    [(2, "number-too-new"), (3, None), (731, None), (732, "number-verified-long-ago")],
)
def test_a_verification_settles_and_grows_old(days: int, reason: str | None) -> None:
    verified_on = vietnam_day(NOON) - timedelta(days=days)

    assert numbers.bars(NOTHING_HAPPENED, verified_on, NOON) == reason
    assert timedelta(days=366 + 365) <= LASTS, "24 months are never cut short"


def test_an_unverified_number_is_told_nothing() -> None:
    assert numbers.bars(NOTHING_HAPPENED, None, NOON) == "number-not-verified"


def test_the_day_of_verification_itself_counts_against_it() -> None:
    """Whether the number left before or after it was verified that day is not known."""
    morning = datetime(2025, 8, 13, 17, 0, tzinfo=UTC)  # midnight of the 14th in Viet Nam
    on = vietnam_day(morning)

    assert numbers.trusted_since(on) == morning
    assert numbers.bars(Standing(left_at=morning), on, NOON) == "number-left"
    assert numbers.bars(Standing(left_at=morning - TICK), on, NOON) is None
