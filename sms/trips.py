"""The two trips that stop disclosure by themselves: a journal fault, and a register that errs.

A trip is a stop like any other, with an entry and an alarm; it takes two people to resume from.
"""

from sqlalchemy.orm import Session

from core import log, metrics
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from journal.entries import Draft, Kind, Retention
from journal.errors import JournalFault
from journal.journal import Journal
from records import stops
from records.stops import Scope, StopReason

_log = log.get_logger(__name__)


class Trips:
    """Stops disclosure when something is found that must not be."""

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def trip(self, reason: StopReason) -> None:
        """Stop disclosure everywhere, if it is not stopped already."""
        metrics.ALARMS.labels(reason).inc()
        _log.critical("disclosure.stopped", reason=reason)
        try:
            self._stop(reason, with_entry=True)
        except (JournalFault, UnavailableError) as error:
            _log.error("disclosure.stop-without-entry", **log.failure(error))
            self._stop(reason, with_entry=False)

    def _stop(self, reason: StopReason, *, with_entry: bool) -> None:
        now = self._clock.now()
        entries = self._journal.prepare([_draft(reason)]) if with_entry else []

        def work(session: Session) -> None:
            new = stops.stop(session, Scope.DISCLOSURE, "", reason=reason, by="system", now=now)
            if new and entries:
                self._journal.append(session, entries)

        self._database.write(work)


def _draft(reason: StopReason) -> Draft:
    return Draft(
        kind=Kind.CONTROL,
        retention=Retention.ACT,
        actor="system",
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"act": "stop", "scope": Scope.DISCLOSURE, "reason": reason},
    )
