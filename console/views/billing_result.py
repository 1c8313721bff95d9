"""What comparing a month with the operator's records came to: classes, days, records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import render_template, request
from flask.typing import ResponseReturnValue

from billing.reconciliation import results
from billing.reconciliation.results import Result
from billing.reconciliation.summary import Count, Difference, Kind
from console import charts, months
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.charts import Bar, Share
from console.desk import Desk
from console.guard import Guard
from console.months import Month

_LONGEST_PLACE = 15  # digits
_MEASURES: dict[str, Callable[[Count], int]] = {
    "records": lambda count: count.records,
    "parts": lambda count: count.parts,
    "amount": lambda count: count.amount,
}


@dataclass(frozen=True, slots=True)
class Daily:
    """What both sides have on one day, whichever way the messages went."""

    day: str
    ours: Count
    theirs: Count

    @property
    def more(self) -> Count:
        """What the operator has more than we."""
        return self.theirs - self.ours


@dataclass(frozen=True, slots=True)
class Class:
    """A class of difference with all that is in it."""

    kind: Kind
    found: Sequence[Difference]

    @property
    def records(self) -> int:
        """How many records are in it."""
        return sum(each.records for each in self.found)

    @property
    def more(self) -> Count:
        """What the operator has more than we, of these."""
        return sum((each.theirs - each.ours for each in self.found), Count())


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Both sides day by day, in one measure."""

    measure: str
    bars: Sequence[Bar]
    top: int
    swings: Sequence[Bar]
    most: int
    shares: Sequence[Share]


class BillingResult:
    """The pages of comparisons of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        one = "/billing/<operator>/<period>/result"
        guard.page(one, "result", Right.SEE_BILLING, self.show)
        guard.page(f"{one}/<kind>", "differences", Right.SEE_BILLING, self.records)

    def show(self, login: Login, operator: str, period: str) -> ResponseReturnValue:
        """Show what differs, by class and by day."""
        month, result = self._found(operator, period)
        if month is None or result is None:
            return self._unknown(login)
        days = _days(result)
        return render_template(
            "console/billing_result.html",
            login=login,
            month=month,
            result=result,
            days=days,
            classes=[Class(kind, result.of(kind)) for kind in Kind],
            drawn=_drawn(result, days),
            measures=_measures(result),
        )

    def records(self, login: Login, operator: str, period: str, kind: str) -> ResponseReturnValue:
        """Show some records of a class; that they are seen is in the journal before."""
        month, result = self._found(operator, period)
        if month is None or result is None or kind not in set(Kind):
            return self._unknown(login)
        first = result.places.get(Kind(kind))
        at = _place(request.args.get("at"), first)
        text = results.lists(month.store, month.period).text
        page = None if at is None else results.page(text, Kind(kind), at)
        if page is None and first is not None:
            return self._unknown(login)
        said = {"operator": operator, "period": str(month.period), "class": kind}
        self._desk.acts.record(login.officer, Act(name="see-differences", said=said))
        return render_template(
            "console/billing_records.html",
            login=login,
            month=month,
            kind=Kind(kind),
            classes=[Class(each, result.of(each)) for each in Kind],
            page=page,
            is_first=at == first,
        )

    def _found(self, operator: str, period: str) -> tuple[Month | None, Result | None]:
        month = months.find(self._desk, operator, period)
        return month, None if month is None else results.load(month.store, month.period)

    def _unknown(self, login: Login) -> ResponseReturnValue:
        return self._guard.refuse(HTTPStatus.NOT_FOUND, "unknown", login)


def _measures(result: Result) -> tuple[str, ...]:
    """Return what both sides can be told in: money only where the operator's file has some."""
    return tuple(name for name in _MEASURES if name != "amount" or result.has_amounts)


def _drawn(result: Result, days: Sequence[Daily]) -> Drawn:
    asked = request.args.get("measure", "")
    measure = asked if asked in _measures(result) else "records"
    of, labels = _MEASURES[measure], [each.day for each in days]
    bars, top = charts.pairs(
        [[of(each.ours) for each in days], [of(each.theirs) for each in days]], labels
    )
    swings, most = charts.swings([of(each.more) for each in days], labels)
    counts = {kind.value: Class(kind, result.of(kind)).records for kind in Kind}
    return Drawn(
        measure=measure, bars=bars, top=top, swings=swings, most=most, shares=charts.shares(counts)
    )


def _days(result: Result) -> list[Daily]:
    found: dict[str, Daily] = {}
    for each in sorted(result.days, key=lambda day: day.day):
        day = f"{each.day:%d/%m}"
        there = found.get(day, Daily(day, Count(), Count()))
        found[day] = Daily(day, there.ours + each.ours, there.theirs + each.theirs)
    return list(found.values())


def _place(text: str | None, first: int | None) -> int | None:
    """Return where a page begins: where the class does, unless another place is asked for."""
    if text is None or first is None:
        return first
    is_place = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_PLACE
    return int(text) if is_place else 0
