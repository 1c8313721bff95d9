"""What guards the money that replies cost: pure rules over what was spent and how PINs are used.

Amounts are hundredths of a dong, as operators charge us for replies. Source: ADR 0024.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import NamedTuple

EVERYBODY = "*"
LEVELS = (70, 90, 100)
_PERCENT = 100
_TENTH = 10
_TIMES_USUAL = 3
_FEWEST_DAYS = 4
_LEAST_SHARE = 100
_FEWEST_PINS = 50
_FIFTH = 5
_MOST_NEIGHBOURS = 30
_HALF = 2


class Window(StrEnum):
    """The time that a budget is for: an hour of the clock, or a day in Viet Nam."""

    HOUR = "hour"
    DAY = "day"


class Spent(NamedTuple):
    """What replies cost.

    Shape: *beyond* is the part of it that went to KHOA and MO once a budget was used up, *words*
    the part that went to saying no.
    """

    total: int = 0
    beyond: int = 0
    words: int = 0


@dataclass(slots=True)
class Purse:
    """One budget, and what was spent of it."""

    budget: int
    spent: int = 0
    beyond: int = 0
    words: int = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether the budget is used up."""
        return self.spent >= self.budget

    @property
    def level(self) -> int:
        """Return the highest level that was reached, 0 if none was.

        Units: percent of the budget.
        """
        reached = (each for each in LEVELS if self.spent * _PERCENT >= self.budget * each)
        return max(reached, default=0)

    def pay(self, cost: Spent) -> None:
        """Take from it what was spent."""
        self.spent += cost.total
        self.beyond += cost.beyond
        self.words += cost.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The hard figures that billing has set: for each operator, and for all of them."""

    operator_hour: int = 3_000_000_000
    operator_day: int = 30_000_000_000
    hour: int = 5_000_000_000
    day: int = 50_000_000_000

    def hard(self, scope: str, window: Window) -> int:
        """Return the figure for an operator, or for EVERYBODY."""
        match window:
            case Window.HOUR:
                return self.hour if scope == EVERYBODY else self.operator_hour
            case Window.DAY:
                return self.day if scope == EVERYBODY else self.operator_day


class Verdict(Enum):
    """What becomes of a request for a PIN."""

    GO = auto()
    BEYOND = auto()  # goes on, from the tenth that is kept for owners
    TOLD = auto()  # refused, with a word on it
    SILENT = auto()  # refused: more words would cost what was to be saved
    UNKNOWN = auto()  # refused: nobody can tell what was spent


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict, and why."""

    verdict: Verdict
    reason: str = ""

    @property
    def lets(self) -> bool:
        """Tell whether the request is worked on."""
        return self.verdict in (Verdict.GO, Verdict.BEYOND)


GO = Ruling(Verdict.GO)
BEYOND = Ruling(Verdict.BEYOND)
UNKNOWN = Ruling(Verdict.UNKNOWN, "guards-unreadable")


def rule(purses: Sequence[Purse], *, price: int, is_owners: bool, is_slowed: bool) -> Ruling:
    """Say whether a request for a PIN is worked on.

    *price*: of one reply; *is_owners*: it locks or unlocks; *is_slowed*: its link had its share.
    """
    if price and (empty := [purse for purse in purses if purse.is_empty]):
        if is_owners and all(_is_within(p.beyond, p.budget) for p in empty):
            return BEYOND
        return _refusal(purses, price, "budget")
    if is_slowed and not is_owners:
        return _refusal(purses, price, "pumping")
    return GO


def budget_of(hard: int, earlier: Iterable[int]) -> int:
    """Return the budget of a window: the hard figure, or less where far less is usual.

    *earlier*: what the same weekdays before spent. Three times their median counts, if enough of
    them spent anything; never less than a hundredth of the hard figure.
    """
    busy = sorted(each for each in earlier if each > 0)
    if len(busy) < _FEWEST_DAYS:
        return hard
    middle = len(busy) // 2
    twice = busy[middle] + busy[~middle]
    return min(hard, max(_TIMES_USUAL * twice // 2, hard // _LEAST_SHARE))


def are_unused(pins: int, completed: int) -> bool:
    """Tell whether too few of an hour's PINs came back, as where nobody wants what they open."""
    return pins >= _FEWEST_PINS and completed * _FIFTH < pins


def are_neighbours(numbers: int) -> bool:
    """Tell whether more new numbers share their first digits than come by chance in an hour."""
    return numbers > _MOST_NEIGHBOURS


def most_asks(rate: int, seconds: int) -> int:
    """Return how many requests a slowed link may make in so many seconds: half its rate."""
    return rate * seconds // _HALF


def _refusal(purses: Sequence[Purse], price: int, reason: str) -> Ruling:
    may_tell = price == 0 or all(_is_within(p.words, p.budget) for p in purses)
    return Ruling(Verdict.TOLD if may_tell else Verdict.SILENT, reason)


def _is_within(spent: int, budget: int) -> bool:
    return spent * _TENTH < budget
