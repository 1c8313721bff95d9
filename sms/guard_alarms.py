"""Tells when budgets run out and when a link shows signs of pumping: in metrics, log and alarms."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import guard_counts, guard_view
from billing.guard_counts import Times
from billing.guard_view import Scoped, View
from billing.guards import EVERYBODY, Budgets, Window
from core import log, metrics
from core.clock import Clock
from core.db import Database
from sms.guards import parties_of
from sms.links.registry import LinkRegistry

_log = log.get_logger(__name__)


class GuardAlarms:
    """What one process has told already; each level is told once in its window."""

    def __init__(
        self,
        database: Database,
        links: LinkRegistry,
        clock: Clock,
        *,
        budgets: Budgets,
        pin_life: timedelta,
    ) -> None:
        self._database = database
        self._links = links
        self._clock = clock
        self._budgets = budgets
        self._pin_life = pin_life
        self._told: dict[Scoped, tuple[datetime, int]] = {}
        self._signals: frozenset[tuple[int, str]] = frozenset()

    def look(self) -> None:
        """Look at every budget and link, and tell what is new."""
        parties, now = parties_of(self._links), self._clock.now()

        def read(session: Session) -> View:
            stands = guard_view.frame(session, parties, self._budgets, now)
            return guard_view.read(session, stands, parties, Times.at(now, self._pin_life))

        view = self._database.read(read)
        for operator in sorted({EVERYBODY, *(party.operator for party in parties.values())}):
            self._tell_budget(view, operator, Window.HOUR, view.times.hour)
            self._tell_budget(view, operator, Window.DAY, view.times.day)
        self._tell_signals(view)

    def forget(self) -> None:
        """Let go of counts that no window looks back to."""
        now = self._clock.now()
        self._database.write(lambda session: guard_counts.forget(session, now))

    def _tell_budget(self, view: View, operator: str, window: Window, since: datetime) -> None:
        purse = view.purse(operator, window)
        metrics.BUDGET_USED.labels(operator, window).set(purse.spent / purse.budget)
        told_since, told = self._told.get((operator, window), (since, 0))
        reached = purse.level
        if reached > (told if told_since == since else 0):
            self._told[operator, window] = since, reached
            _log.warning("guards.budget", name=operator, scope=window, count=reached)
            _raise(reached)

    def _tell_signals(self, view: View) -> None:
        found = frozenset(
            [(link_id, "unused-pins") for link_id in view.unused]
            + [(link_id, "neighbours") for link_id in view.crowded]
        )
        for link in self._links.all():
            signals = {reason for link_id, reason in found if link_id == link.id}
            metrics.LINK_SLOWED.labels(link.code).set(int(bool(signals)))
            for reason in sorted(signals):
                if (link.id, reason) not in self._signals:
                    _log.warning("guards.pumping", link=link.code, reason=reason)
                    metrics.ALARMS.labels("pumping").inc()
        self._signals = found


def _raise(level: int) -> None:
    match level:
        case 70:
            metrics.ALARMS.labels("budget-70").inc()
        case 90:
            metrics.ALARMS.labels("budget-90").inc()
        case _:
            metrics.ALARMS.labels("budget-spent").inc()
