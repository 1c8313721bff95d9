"""How much each officer looks at: counted in rows before it is shown, and stopped at a cap.

What cannot be counted is not shown: a count that fails raises, and the page stays away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from console import dates
from console.access.officers import Officer
from console.acts import Act, Acts
from console.errors import OverCapError
from console.tables import OFFICER_COUNT
from core import log, metrics
from core.clock import Clock, vietnam_day
from core.db import Database, dialect_of, upsert

_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cap:
    """So many of something for each officer, in a day of Viet Nam or in a minute."""

    what: str
    most: int
    alarm_at: int | None = None
    is_daily: bool = True

    def since(self, now: datetime) -> datetime:
        """Return when the day or minute began that is counted now."""
        if self.is_daily:
            return dates.start_of(vietnam_day(now))
        return now.astimezone(UTC).replace(second=0, microsecond=0)


# A page of the log has 50 rows; forty pages a day are work, more is reading for its own sake.
ROWS = Cap("rows", 2000)
DETAILS = Cap("details", 200)
REVEALS = Cap("reveals", 50, alarm_at=20)
GRANTS = Cap("grants", 50, alarm_at=20)
FILES = Cap("files", 50, alarm_at=20)
SEARCHES = Cap("searches", 5, is_daily=False)


def requests(most: int) -> Cap:
    """Cap the pages that an officer opens in a minute."""
    return Cap("requests", most, is_daily=False)


def refreshes(most: int) -> Cap:
    """Cap how often the live parts of an officer's open pages ask for news in a minute."""
    # One asks each second; a few pages may be open.
    return Cap("refreshes", 4 * most, is_daily=False)


class Meter:
    """Counts what officers look at, and says stop."""

    def __init__(self, database: Database, acts: Acts, clock: Clock) -> None:
        self._database = database
        self._acts = acts
        self._clock = clock

    def spend(self, officer: Officer, cap: Cap, amount: int = 1) -> None:
        """Count what an officer is about to see or do.

        Raises: OverCapError if it is too much; the first time there is an entry, and an alarm.
        UnavailableError, JournalError: then nothing may be shown either.
        """
        if not amount:
            return
        since = cap.since(self._clock.now())
        count = self._database.write(_adding(officer.id, cap, since, amount))
        before = count - amount
        if cap.alarm_at is not None and before < cap.alarm_at <= count:
            metrics.ALARMS.labels("console-much-looked-at").inc()
        if count <= cap.most:
            return
        if before <= cap.most:
            metrics.ALARMS.labels("console-much-looked-at").inc()
            _log.warning("console.cap_reached", kind=cap.what, count=cap.most)
            act = Act(name="cap-reached", said={"cap": cap.what, "most": cap.most})
            self._acts.record(officer, act)
        raise OverCapError(cap.what, cap.most, is_daily=cap.is_daily)


def _adding(officer_id: int, cap: Cap, since: datetime, amount: int) -> Callable[[Session], int]:
    def add(session: Session) -> int:
        insert = upsert(dialect_of(session), OFFICER_COUNT).values(
            officer_id=officer_id, what=cap.what, since=since, count=amount
        )
        given = insert.excluded
        # A count of a day or minute that is over begins anew.
        counted = sa.case(
            (OFFICER_COUNT.c.since == given.since, OFFICER_COUNT.c.count + given["count"]),
            else_=given["count"],
        )
        counting = insert.on_conflict_do_update(
            index_elements=["officer_id", "what"], set_={"since": given.since, "count": counted}
        )
        count: int = session.execute(counting.returning(OFFICER_COUNT.c.count)).scalar_one()
        return count

    return add
