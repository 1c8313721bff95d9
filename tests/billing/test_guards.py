"""The rules that guard money, over plain values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import guards
from billing.guards import BEYOND, EVERYBODY, GO, Budgets, Purse, Ruling, Spent, Verdict, Window

PRICE = 15_000
BUDGET = 40 * PRICE
TOLD, SILENT = Ruling(Verdict.TOLD, "budget"), Ruling(Verdict.SILENT, "budget")
AMOUNTS = st.integers(0, 2 * BUDGET)
PURSES = st.builds(Purse, st.integers(1, BUDGET), AMOUNTS, AMOUNTS, AMOUNTS)


def purse(replies: float, beyond: float = 0, words: float = 0) -> Purse:
    return Purse(BUDGET, *(int(each * PRICE) for each in (replies, beyond, words)))


def rule(*purses: Purse, price: int = PRICE, owners: bool = False, slow: bool = False) -> Ruling:
    return guards.rule(purses, price=price, is_owners=owners, is_slowed=slow)


@pytest.mark.parametrize(("replies", "ruling"), [(0, GO), (39.9, GO), (40, TOLD), (80, TOLD)])
def test_a_request_is_worked_on_until_a_budget_is_used_up(replies: float, ruling: Ruling) -> None:
    assert rule(purse(0), purse(replies)) == ruling


@pytest.mark.parametrize(("beyond", "ruling"), [(0, BEYOND), (3.9, BEYOND), (4, TOLD)])
def test_owners_go_on_within_a_tenth(beyond: float, ruling: Ruling) -> None:
    assert rule(purse(90, beyond=beyond), owners=True) == ruling


def test_the_tenth_of_a_budget_that_is_not_used_up_does_not_count() -> None:
    assert rule(purse(10, beyond=4), purse(50), owners=True) == BEYOND


@pytest.mark.parametrize(("words", "ruling"), [(0, TOLD), (3.9, TOLD), (4, SILENT)])
def test_saying_no_costs_no_more_than_a_tenth(words: float, ruling: Ruling) -> None:
    assert rule(purse(0), purse(44, words=words)) == ruling


def test_what_costs_nothing_is_not_held_up() -> None:
    assert rule(purse(99, words=99), price=0) == GO


@pytest.mark.parametrize(("owners", "price"), [(False, PRICE), (False, 0), (True, PRICE)])
def test_a_slowed_link_makes_no_pins_but_for_owners(owners: bool, price: int) -> None:
    found = rule(purse(0), price=price, owners=owners, slow=True)

    assert found == (GO if owners else Ruling(Verdict.TOLD, "pumping"))


@given(st.lists(PURSES, min_size=1, max_size=4), st.booleans(), st.booleans(), AMOUNTS)
def test_spending_more_never_lets_a_request_through(
    purses: list[Purse], owners: bool, slow: bool, more: int
) -> None:
    before = rule(*purses, owners=owners, slow=slow)
    for each in purses:
        each.pay(Spent(more, more, more))
    after = rule(*purses, owners=owners, slow=slow)

    assert before.lets or not after.lets
    assert before.verdict is not Verdict.SILENT or after.verdict is Verdict.SILENT


@given(st.lists(st.sampled_from(["DC", "KHOA", "XN"]), max_size=300))
def test_whatever_is_asked_an_hour_costs_no_more_than_its_budget_and_two_tenths(
    asked: list[str],
) -> None:
    hour, always = Purse(BUDGET), 0
    for word in asked:
        if word == "XN":  # answered whatever it costs
            always += PRICE
            hour.pay(Spent(PRICE))
            continue
        match rule(hour, owners=word == "KHOA").verdict:
            case Verdict.GO:
                hour.pay(Spent(PRICE))
            case Verdict.BEYOND:
                hour.pay(Spent(PRICE, beyond=PRICE))
            case Verdict.TOLD:
                hour.pay(Spent(PRICE, words=PRICE))
            case Verdict.SILENT | Verdict.UNKNOWN:
                pass

    assert hour.beyond <= BUDGET // 10
    assert hour.words <= BUDGET // 10
    assert hour.spent - always <= BUDGET + BUDGET // 10 + BUDGET // 10


@pytest.mark.parametrize(
    ("replies", "level"),
    [(27.9, 0), (28, 70), (35.9, 70), (36, 90), (39.9, 90), (40, 100), (90, 100)],
)
def test_alerts_are_at_70_90_and_100_percent(replies: float, level: int) -> None:
    assert purse(replies).level == level
    assert purse(replies).is_empty is (level == 100)


@pytest.mark.parametrize(
    ("earlier", "budget"),
    [
        ([], 1000),  # nothing to compare with
        ([90, 90, 90, 0, 0], 1000),
        ([90, 90, 90, 90], 270),
        ([10, 80, 100, 900], 270),
        ([90, 90, 90, 90, 0, 0, 0, 0], 270),  # days without any are no measure
        ([900] * 8, 1000),
        ([1] * 8, 10),
    ],
)
def test_a_budget_is_three_times_what_is_usual(earlier: list[int], budget: int) -> None:
    assert guards.budget_of(1000, earlier) == budget


@given(st.integers(1, 10**15), st.lists(st.integers(0, 10**15), max_size=8))
def test_a_budget_lies_between_a_hundredth_and_the_hard_figure(
    hard: int, earlier: list[int]
) -> None:
    found = guards.budget_of(hard, earlier)

    assert hard // 100 <= found <= hard
    assert found == guards.budget_of(hard, reversed(earlier))


@pytest.mark.parametrize(
    ("pins", "completed", "unused"),
    [(49, 0, False), (50, 9, True), (50, 10, False), (1000, 199, True), (1000, 200, False)],
)
def test_under_a_fifth_of_fifty_pins_is_a_signal(pins: int, completed: int, unused: bool) -> None:
    assert guards.are_unused(pins, completed) is unused


@pytest.mark.parametrize(("numbers", "signal"), [(30, False), (31, True)])
def test_more_than_thirty_neighbours_are_a_signal(numbers: int, signal: bool) -> None:
    assert guards.are_neighbours(numbers) is signal


@given(st.integers(0, 10_000))
def test_half_a_rate_carries_honest_lookups(rate: int) -> None:
    """A lookup is two messages, one of which asks for a PIN."""
    assert guards.most_asks(rate, 300) * 2 == rate * 300


def test_the_hard_figures_are_an_operators_or_everybodys() -> None:
    budgets = Budgets(operator_hour=1, operator_day=2, hour=3, day=4)

    assert [budgets.hard(scope, window) for scope in ("a", EVERYBODY) for window in Window] == [
        1, 2, 3, 4,
    ]  # fmt: skip
