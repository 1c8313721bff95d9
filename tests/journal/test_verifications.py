"""What is verified when, and what the service says of it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.db import Database
from journal import verifications
from journal.tree import TreeHead
from journal.verifications import Due, Extent, Result, Standing, State

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVENING = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)  # eight in the evening in Viet Nam
THREE = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # three at night
HEAD, LATER = TreeHead(7, b"7" * 32), TreeHead(9, b"9" * 32)
NO_JITTER = timedelta()


def due(database: Database, now: datetime, jitter: timedelta = NO_JITTER) -> Due | None:
    return database.read(lambda session: verifications.due(session, now, jitter))


def standing(database: Database, now: datetime) -> Standing:
    return database.read(lambda session: verifications.standing(session, now))


def past(
    database: Database,
    extent: Extent,
    state: State,
    at: datetime,
    head: TreeHead | None = HEAD,
    findings: int = 0,
) -> None:
    """Have a verification begin and end at one moment."""

    def work(session: Session) -> None:
        number = verifications.begin(session, Due(extent), at)
        verifications.end(session, number, Result(state, head, findings), at)

    database.write(work)


def test_a_new_journal_is_verified_whole_and_counts_until_then(database: Database) -> None:
    assert due(database, EVENING) == Due(Extent.ALL)
    assert standing(database, EVENING) == Standing(is_current=True, at=None, size=None)


def test_each_hour_what_is_new_is_verified(database: Database) -> None:
    past(database, Extent.ALL, State.OK, EVENING)

    early = due(database, EVENING + HOUR - timedelta(seconds=1))
    first = due(database, EVENING + HOUR)
    past(database, Extent.NEW, State.OK, EVENING + HOUR, LATER)
    second = due(database, EVENING + 2 * HOUR)

    assert early is None
    assert first == Due(Extent.NEW, HEAD)
    assert second == Due(Extent.NEW, LATER)
    assert standing(database, EVENING + 2 * HOUR) == Standing(
        is_current=True, at=EVENING + HOUR, size=9
    )


@pytest.mark.parametrize("jitter", [NO_JITTER, timedelta(minutes=17)])
def test_at_three_at_night_everything_is_verified_once(
    database: Database, jitter: timedelta
) -> None:
    past(database, Extent.ALL, State.OK, EVENING)
    past(database, Extent.NEW, State.OK, THREE + jitter - timedelta(minutes=5))

    before = due(database, THREE + jitter - timedelta(seconds=1), jitter)
    at_night = due(database, THREE + jitter, jitter)
    past(database, Extent.ALL, State.OK, THREE + jitter + timedelta(minutes=1), LATER)
    later = due(database, THREE + jitter + timedelta(minutes=62), jitter)

    assert before is None
    assert at_night == Due(Extent.ALL)
    assert later == Due(Extent.NEW, LATER)


def test_after_a_finding_everything_is_verified_each_hour_until_nothing_is_found(
    database: Database,
) -> None:
    past(database, Extent.ALL, State.OK, EVENING)
    past(database, Extent.NEW, State.FOUND, EVENING + HOUR, LATER, 3)

    at_once = due(database, EVENING + HOUR)
    next_hour = due(database, EVENING + 2 * HOUR)
    past(database, Extent.NEW, State.OK, EVENING + 2 * HOUR)
    still = standing(database, EVENING + 2 * HOUR)
    past(database, Extent.ALL, State.OK, EVENING + 3 * HOUR)

    assert (at_once, next_hour) == (None, Due(Extent.ALL))
    assert not still.is_current
    assert standing(database, EVENING + 3 * HOUR).is_current


@pytest.mark.parametrize("state", [State.FAILED, State.INCOMPLETE])
def test_one_that_did_not_come_to_an_end_is_tried_again_in_an_hour(
    database: Database, state: State
) -> None:
    past(database, Extent.ALL, State.OK, EVENING)
    past(database, Extent.NEW, state, EVENING + HOUR, None)

    assert due(database, EVENING + HOUR + timedelta(minutes=59)) is None
    assert due(database, EVENING + 2 * HOUR) == Due(Extent.NEW, HEAD)
    assert standing(database, EVENING + 2 * HOUR).is_current


def test_one_that_died_with_its_process_is_begun_again_at_once(database: Database) -> None:
    past(database, Extent.ALL, State.OK, EVENING)
    started = Due(Extent.NEW, HEAD)
    database.write(lambda session: verifications.begin(session, started, EVENING + HOUR))

    assert due(database, EVENING + HOUR + timedelta(minutes=1)) == started


def test_what_nobody_verified_for_a_day_and_a_morning_does_not_count(database: Database) -> None:
    past(database, Extent.ALL, State.OK, EVENING)
    past(database, Extent.NEW, State.OK, EVENING + 30 * HOUR)

    assert standing(database, EVENING + 33 * HOUR).is_current
    assert not standing(database, EVENING + 34 * HOUR).is_current


def test_a_new_journal_that_is_never_verified_does_not_count_for_ever(database: Database) -> None:
    past(database, Extent.ALL, State.FAILED, EVENING, None)

    assert standing(database, EVENING + DAY).is_current
    assert not standing(database, EVENING + 2 * DAY).is_current
