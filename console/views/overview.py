"""The first page: how the service stands, and what the last day was like."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue

from console import charts
from console.access.roles import Right
from console.access.sessions import Login
from console.desk import Desk
from console.guard import Guard
from console.queries import operators, overview
from sms.standing import Reader
from sms.tally import HOUR


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far the overview looks back, and in which steps."""

    word: str
    length: timedelta
    step: timedelta

    def end(self, now: datetime) -> datetime:
        """Return the end of the minute that was last over, or of the hour where steps are hours."""
        minute = now.replace(second=0, microsecond=0)
        return minute if self.step % HOUR else minute.replace(minute=0) + HOUR


STRETCHES = (
    Stretch("1h", timedelta(hours=1), timedelta(minutes=1)),
    Stretch("24h", timedelta(hours=24), timedelta(minutes=15)),
    Stretch("7d", timedelta(days=7), timedelta(hours=2)),
)


class Overview:
    """The overview of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._reader = Reader(desk.settings, desk.database, desk.links, desk.journal, desk.clock)
        guard.page("/", "overview", Right.SEE_OVERVIEW, self.show)

    def show(self, login: Login) -> ResponseReturnValue:
        """Show how the service stands and what it did."""
        desk, now = self._desk, self._desk.clock.now()
        stretch = _stretch()
        until = stretch.end(now)
        links = desk.links.all()
        codes = {link.id: link.code for link in links}
        day = desk.database.read(
            lambda session: overview.load(
                session, codes, since=until - stretch.length, until=until, step=stretch.step
            )
        )
        bars, top = charts.columns(day.by_link, day.labels)
        spans = {"p50": day.p50, "p95": day.p95, "p99": day.p99}
        drawn, slowest = charts.lines(spans)
        return render_template(
            "console/overview.html",
            login=login,
            standing=self._reader.look(),
            expiring=operators.expiring(links, now),
            day=day,
            bars=bars,
            top=top,
            lines=drawn,
            slowest=slowest,
            replies=charts.shares(day.replies),
            stretch=stretch,
            stretches=STRETCHES,
            waited=None if day.waiting_since is None else now - day.waiting_since,
            answered=_percent(day.states.get("answered", 0), day.messages),
        )


def _stretch() -> Stretch:
    asked = request.args.get("since", "24h")
    return next((each for each in STRETCHES if each.word == asked), STRETCHES[1])


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
