"""Sees to it that witnesses are asked, and tells when too few have answered for too long."""

from datetime import datetime, timedelta

from core import log, metrics
from core.chores import Chore
from core.clock import Clock
from core.db import Database
from core.leadership import Leadership
from journal.journal import Journal
from journal.quorum import Witnessed
from journal.witnessing import Witnessing

ASK_EVERY = timedelta(minutes=1)
_WATCH_EVERY = timedelta(seconds=5)
_log = log.get_logger(__name__)


class Attendance:
    """The chores of one process; of many, one asks and all of them watch."""

    def __init__(
        self, witnessing: Witnessing, journal: Journal, database: Database, clock: Clock
    ) -> None:
        self._witnessing = witnessing
        self._journal = journal
        self._database = database
        self._clock = clock
        self._leadership = None
        if database.dialect == "postgresql":
            self._leadership = Leadership(database.url, "witnessing")
        self._trouble: str | None = None

    def chores(self) -> tuple[Chore, ...]:
        """Return what is to be done, and how often."""
        return Chore(ASK_EVERY, self.ask), Chore(_WATCH_EVERY, self.watch)

    def ask(self) -> None:
        """Have the newest checkpoint cosigned, unless another process does."""
        if self._leadership is None or self._leadership.held():
            self._witnessing.push()

    def watch(self) -> None:
        """Tell when the quorum becomes late or missing, and when it is there again."""
        witnessed = self._database.read(self._journal.witnessed)
        if witnessed is None:
            return
        now = self._clock.now()
        age = (now - witnessed.at).total_seconds()
        metrics.QUORUM_AGE.set(age)
        trouble, before = _trouble(witnessed, now), self._trouble
        self._trouble = trouble
        if trouble == before:
            return
        if trouble is None:
            _log.info("witness.quorum-back", size=witnessed.size)
            return
        _log.error("witness.quorum", reason=trouble, seconds=int(age), size=witnessed.size)
        if witnessed.is_missing(now):
            metrics.ALARMS.labels("witness-quorum-missing").inc()
        else:
            metrics.ALARMS.labels("witness-quorum-late").inc()


def _trouble(witnessed: Witnessed, now: datetime) -> str | None:
    if witnessed.is_missing(now):
        return "missing"
    return "late" if witnessed.is_late(now) else None
