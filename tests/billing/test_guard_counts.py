"""What the guards count: rows that many add to, and the windows that are read from them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import guard_counts, guard_view
from billing.guard_counts import BUCKET, GUARD_COUNT, Count, Key, Seen, Times
from billing.guard_view import Frame, Party
from billing.guards import EVERYBODY, Budgets, Spent, Window
from billing.tariffs import Tariff, Tariffs
from billing.usage import Direction
from core.db import Database
from tests.fakes import NOON

LIFE = timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARTIES = {1: Party("hong-ha", 100), 2: Party("hong-ha", 100), 3: Party("cuu-long", 100)}
BUDGETS = Budgets(operator_hour=1_000, operator_day=10_000, hour=2_000, day=20_000)


def put(database: Database, *counts: tuple[datetime, int, Count], block: int = 0) -> None:
    added = {Key(guard_counts.bucket_of(at), link, block): count for at, link, count in counts}
    database.write(lambda s: guard_counts.add(s, added))


def rows(session: Session) -> list[Any]:
    return list(session.execute(sa.select(GUARD_COUNT)).all())


def seen(database: Database, now: datetime) -> dict[int, Seen]:
    times = Times.at(now, LIFE)
    return {one.link_id: one for one in database.read(lambda s: guard_counts.load(s, times))}


def frame(database: Database, now: datetime = NOON) -> Frame:
    return database.read(lambda s: guard_view.frame(s, PARTIES, BUDGETS, now))


def test_counts_of_one_row_add_up(database: Database) -> None:
    whole = Count(spent=5, beyond=4, words=3, asked=2, pins=6, completed=7, numbers=8)
    put(database, (NOON, 1, whole))
    put(database, (NOON, 2, Count(spent=1)), (NOON + BUCKET, 1, Count(spent=1)))
    put(database, (NOON, 1, whole))

    found = {(row.since, row.link_id): [*row][3:] for row in database.read(rows)}

    assert found == {
        (NOON, 1): [10, 8, 6, 4, 12, 14, 16],
        (NOON, 2): [1, 0, 0, 0, 0, 0, 0],
        (NOON + BUCKET, 1): [1, 0, 0, 0, 0, 0, 0],
    }


def test_nothing_to_count_writes_nothing(sqlite_database: Database) -> None:
    put(sqlite_database)

    assert sqlite_database.read(rows) == []


def test_money_is_summed_by_the_clocks_hour_and_viet_nams_day(database: Database) -> None:
    now = datetime(2026, 3, 2, 17, 20, tzinfo=UTC)  # 00:20 of 3 March in Viet Nam
    put(
        database,
        (now, 1, Count(spent=1, beyond=1, asked=9)),
        (now - timedelta(minutes=15), 1, Count(spent=10, words=10, asked=5)),
        (now - timedelta(minutes=25), 1, Count(spent=100)),
    )

    (one,) = seen(database, now).values()
    later = seen(database, now + 2 * HOUR)[1]

    assert (one.hour, one.day, one.asked) == (Spent(11, 1, 10), Spent(11, 1, 10), 9)
    assert (later.hour, later.day) == (Spent(), Spent(11, 1, 10))


def test_pins_count_for_an_hour_once_their_life_is_over(database: Database) -> None:
    """Links are called by how many minutes ago their PINs were made."""
    for ago in (4, 5, 6, 65, 66):
        put(database, (NOON - timedelta(minutes=ago), ago, Count(pins=60, completed=3)))

    found = seen(database, NOON).items()

    assert {link: (one.pins, one.completed) for link, one in found if one.pins} == {
        6: (60, 3),
        65: (60, 3),
    }


def test_blocks_of_new_numbers_count_for_an_hour(database: Database) -> None:
    for minutes in (10, 30):
        put(database, (NOON - timedelta(minutes=minutes), 1, Count(numbers=15)), block=7)
        put(database, (NOON - timedelta(minutes=minutes), 2, Count(numbers=15)), block=minutes)
    put(database, (NOON, 1, Count(numbers=1)), (NOON, 3, Count(numbers=31)), block=7)
    put(database, (NOON - 2 * HOUR, 2, Count(numbers=90)), block=10)

    def crowded(now: datetime) -> set[int]:
        return database.read(lambda s: guard_counts.crowded(s, Times.at(now, LIFE)))

    assert crowded(NOON) == {1, 3}
    assert crowded(NOON + timedelta(minutes=40)) == {3}


def test_blocks_of_numbers_are_no_money(database: Database) -> None:
    put(database, (NOON, 1, Count(numbers=5)), block=7)

    assert seen(database, NOON) == {}


def test_budgets_follow_what_the_same_weekday_spends(database: Database) -> None:
    """Of two links of one operator; NOON is a Monday's."""
    for weeks in range(1, 6):
        monday = NOON - timedelta(weeks=weeks)
        put(
            database,
            (monday, 1, Count(spent=60)),
            (monday + timedelta(minutes=30), 2, Count(spent=40)),
            (monday + HOUR, 2, Count(spent=80)),
            (monday, 3, Count(spent=20)),
            (monday + DAY, 1, Count(spent=9_999)),  # a Tuesday
        )

    known = frame(database)

    assert known.budget("hong-ha", Window.HOUR) == 300
    assert known.budget("hong-ha", Window.DAY) == 540
    assert known.budget("cuu-long", Window.DAY) == 100, "never less than a hundredth"
    assert known.budget(EVERYBODY, Window.HOUR) == 360
    assert known.budget("added-since", Window.HOUR) == 1_000


def test_without_weeks_to_compare_with_the_hard_figures_hold(database: Database) -> None:
    put(database, (NOON - timedelta(weeks=1), 1, Count(spent=1)))

    known = frame(database)

    assert [known.budget("hong-ha", window) for window in Window] == [1_000, 10_000]
    assert [known.budget(EVERYBODY, window) for window in Window] == [2_000, 20_000]


def test_what_no_window_looks_back_to_is_let_go(database: Database) -> None:
    put(database, (NOON - timedelta(weeks=8), 1, Count(spent=1)))
    put(database, (NOON - timedelta(weeks=8, days=2), 2, Count(spent=1)))
    put(database, (NOON - HOUR, 3, Count(numbers=2)), block=7)
    put(database, (NOON - 3 * HOUR, 4, Count(numbers=2)), block=7)

    database.write(lambda s: guard_counts.forget(s, NOON))

    assert sorted(row.link_id for row in database.read(rows)) == [1, 3]


def priced(*found: Tariff) -> Frame:
    return Frame(Tariffs(found), BUDGETS, {})


def test_a_reply_costs_what_its_operator_charges_us_that_day() -> None:
    rise = date(2026, 3, 1)
    known = priced(
        Tariff(operator="hong-ha", price_hundredths=90_000, valid_from=date(2026, 1, 1)),
        Tariff(operator="hong-ha", direction=Direction.MT, price_hundredths=15_000,
               valid_from=date(2026, 1, 1), valid_to=rise - DAY),
        Tariff(operator="hong-ha", direction=Direction.MT, price_hundredths=20_000,
               valid_from=rise),
    )  # fmt: skip

    prices = [known.price("hong-ha", "12345", "gsm7", day) for day in (rise - DAY, rise)]

    assert prices == [15_000, 20_000]


def test_where_replies_are_not_billed_they_cost_nothing() -> None:
    known = priced(Tariff(operator="hong-ha", price_hundredths=90_000, valid_from=date(2026, 1, 1)))

    assert known.price("hong-ha", "12345", "gsm7", date(2026, 3, 1)) == 0


def test_a_gap_among_prices_opens_no_purse() -> None:
    known = priced(
        Tariff(operator="hong-ha", direction=Direction.MT, price_hundredths=15_000,
               valid_from=date(2026, 1, 1), valid_to=date(2026, 2, 28)),
    )  # fmt: skip

    assert known.price("hong-ha", "12345", "gsm7", date(2026, 3, 1)) == 15_000
