"""What the guards see: budgets, what was spent of them, and which links are to be slowed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from billing import guard_counts, guards, tariffs
from billing.guard_counts import Count, Key, Times
from billing.guards import EVERYBODY, Budgets, Purse, Spent, Window
from billing.tariffs import Tariffs
from billing.usage import Direction

Scoped = tuple[str, Window]


class Party(NamedTuple):
    """Whose a link is, and how many messages a second its contract allows."""

    operator: str
    rate: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands for a day: prices, and the budgets."""

    tariffs: Tariffs
    hard: Budgets
    usual: Mapping[Scoped, int]
    _prices: dict[tuple[str, str, str, date], int] = field(default_factory=dict)

    def budget(self, scope: str, window: Window) -> int:
        """Return a budget: the hard figure for an operator that nothing is known of yet."""
        return self.usual.get((scope, window), self.hard.hard(scope, window))

    def price(self, operator: str, short_code: str, encoding: str, day: date) -> int:
        """Return what a part of a reply costs us; nothing where the operator bills no replies.

        Units: hundredths of a dong. Shape: the dearest price that it ever had where none is in
        force, as a gap among prices must not open the purse.
        """
        wanted = operator, short_code, encoding, day
        known = self._prices.get(wanted)
        if known is None:
            known = self._prices[wanted] = self._find(*wanted)
        return known

    def _find(self, operator: str, short_code: str, encoding: str, day: date) -> int:
        found = self.tariffs.find(operator, short_code, Direction.MT, encoding, day)
        if found is not None:
            return found.price_hundredths
        ever = (
            tariff.price_hundredths
            for tariff in self.tariffs.all
            if tariff.operator == operator and tariff.direction is Direction.MT
        )
        return max(ever, default=0)


@dataclass(slots=True)
class View:
    """What was spent and asked by now, as far as one process knows; it adds what it does itself.

    Shape: *unused*: links whose PINs do not come back; *crowded*: those to which new numbers of
    one block come; *purses*: of each scope one for the hour and one for the day.
    """

    frame: Frame
    times: Times
    parties: Mapping[int, Party]
    unused: frozenset[int]
    crowded: frozenset[int]
    asked: Counter[int] = field(default_factory=Counter)
    _purses: dict[str, dict[Window, Purse]] = field(default_factory=dict)

    def is_of(self, now: datetime) -> bool:
        """Tell whether its windows are those of *now*."""
        return guard_counts.bucket_of(now) == self.times.bucket

    def purse(self, scope: str, window: Window) -> Purse:
        """Return one budget, and what was spent of it."""
        found = self._purses.get(scope)
        if found is None:
            found = {each: Purse(self.frame.budget(scope, each)) for each in Window}
            self._purses[scope] = found
        return found[window]

    def purses(self, operator: str) -> tuple[Purse, Purse, Purse, Purse]:
        """Return the four budgets that a reply to an operator's citizens is taken from."""
        return (
            self.purse(operator, Window.HOUR),
            self.purse(operator, Window.DAY),
            self.purse(EVERYBODY, Window.HOUR),
            self.purse(EVERYBODY, Window.DAY),
        )

    def is_slowed(self, link_id: int) -> bool:
        """Tell whether a link under a signal has had its half of these five minutes."""
        if link_id not in self.unused and link_id not in self.crowded:
            return False
        party, seconds = self.parties.get(link_id), guard_counts.BUCKET.total_seconds()
        return party is None or self.asked[link_id] >= guards.most_asks(party.rate, int(seconds))

    def add_all(self, counts: Mapping[Key, Count]) -> None:
        """Count in what this process has just committed."""
        for key, count in counts.items():
            party = self.parties.get(key.link_id)
            for purse in self.purses(party.operator if party else ""):
                purse.pay(Spent(count.spent, count.beyond, count.words))
            self.asked[key.link_id] += count.asked

    def copy(self) -> "View":
        """Return another to reckon with, which is thrown away."""
        purses = {scope: {w: copy(p) for w, p in of.items()} for scope, of in self._purses.items()}
        return replace(self, asked=Counter(self.asked), _purses=purses)


def frame(session: Session, parties: Mapping[int, Party], hard: Budgets, now: datetime) -> Frame:
    """Read prices, and reckon the budgets of today."""
    earlier = guard_counts.of_the_same_weekdays(session, Times.at(now, timedelta()).day)
    usual: dict[Scoped, int] = {}
    for scope in {EVERYBODY, *(party.operator for party in parties.values())}:
        links = [link for link, party in parties.items() if scope in (party.operator, EVERYBODY)]
        days = _together([earlier[link] for link in links if link in earlier])
        spent = {
            Window.HOUR: [max(day.values(), default=0) for day in days],
            Window.DAY: [sum(day.values()) for day in days],
        }
        for window in Window:
            usual[scope, window] = guards.budget_of(hard.hard(scope, window), spent[window])
    return Frame(tariffs.load(session), hard, usual)


def read(session: Session, stands: Frame, parties: Mapping[int, Party], times: Times) -> View:
    """Read what was spent, and how PINs were used."""
    seen = guard_counts.load(session, times)
    unused = (one.link_id for one in seen if guards.are_unused(one.pins, one.completed))
    crowded = guard_counts.crowded(session, times)
    view = View(stands, times, parties, frozenset(unused), frozenset(crowded))
    for one in seen:
        party = parties.get(one.link_id)
        for scope in (party.operator if party else "", EVERYBODY):
            view.purse(scope, Window.HOUR).pay(one.hour)
            view.purse(scope, Window.DAY).pay(one.day)
        view.asked[one.link_id] += one.asked
    return view


def _together(links: Sequence[Iterable[Mapping[int, int]]]) -> list[Counter[int]]:
    """Add up, day by day and hour by hour, what several links spent."""
    days: list[Counter[int]] = []
    for same_day in zip(*links, strict=True):
        total: Counter[int] = Counter()
        for hours in same_day:
            total.update(hours)
        days.append(total)
    return days
