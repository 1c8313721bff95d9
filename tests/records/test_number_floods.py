"""What a flood of events about one number costs, and what it can outdo."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database
from core.keyring import Keyring
from core.phone import Msisdn
from records import kept_events, number_events
from records.kept_events import MOST_DROPPED, MOST_KEPT
from records.number_events import Arrival, Taken
from records.numbers import Kind, Standing
from records.tables import NUMBER_EVENT
from tests.fakes import NOON
from tests.records.test_number_events import DAY, PREFIXES, Arrive, rows, standing, take


@pytest.fixture
def arrive(keyring: Keyring) -> Arrive:
    return Arrive(keyring)


def flood(
    arrive: Arrive, count: int, kind: Kind = Kind.SIM_CHANGED, **more: object
) -> list[Arrival]:
    """Make so many events, a second after one another, the last of them just before NOON."""
    return [
        arrive(kind, timedelta(seconds=place + 1), id=f"f-{place:05}", **more)  # type: ignore[arg-type]  # Arrive's own, by name
        for place in range(count)
    ]


@pytest.mark.parametrize("operator", ["vina", "mobi"])
def test_t15_one_event_costs_the_same_whatever_lies_there(
    sqlite_database: Database, keys_dir: Path, operator: str
) -> None:
    arrive = Arrive(Keyring.load(keys_dir, sqlite_database))

    def steps(number: int, lying: int) -> int:
        """Count the steps that SQLite takes for one event more."""
        changes: dict[str, Any] = {
            "phone": Msisdn(f"+8491234567{number}"),
            "operator": operator,
            "link": number,
        }
        lot = flood(arrive, lying, **changes)
        sqlite_database.write(lambda s: [number_events._keep(s, each) for each in lot])
        one, counted = arrive(Kind.SIM_CHANGED, timedelta(0), **changes), [0]

        def count() -> None:
            counted[0] += 1

        def work(session: Session) -> None:
            driven = session.connection().connection.dbapi_connection
            assert driven is not None
            driven.set_progress_handler(count, 1)
            number_events.take(session, [one], PREFIXES)
            driven.set_progress_handler(None, 0)

        sqlite_database.write(work)
        return counted[0]

    most = steps(1, MOST_KEPT + MOST_DROPPED)

    assert steps(2, 4 * MOST_DROPPED) < 1.1 * most


def test_t15_no_more_is_kept_than_can_matter(database: Database, arrive: Arrive) -> None:
    told = [
        arrive(Kind.SIM_CHANGED, place * DAY, id=f"e-{place}") for place in range(MOST_KEPT + 2)
    ]

    came_to = [take(database, each) for each in reversed(told)]

    assert came_to == [[Taken.NEW]] * MOST_KEPT + [[Taken.TOO_MANY]] * 2
    kept = {row.event_id for row in rows(database, NUMBER_EVENT)}
    assert kept == {f"e-{place}" for place in range(MOST_KEPT)}


def test_t15_a_flood_of_others_outdoes_nothing(database: Database, arrive: Arrive) -> None:
    heeded = arrive(Kind.SIM_CHANGED, 2 * DAY)
    take(database, heeded)

    taken = take(database, *flood(arrive, MOST_KEPT + 1, operator="mobi", link=2))
    take(database, arrive(Kind.BARRED, id="e-2"))

    assert set(taken) == {Taken.TOO_MANY}
    assert standing(database, heeded) == Standing(
        sim_changed_at=NOON - 2 * DAY, barred_at=NOON - DAY
    )


def test_t15_postgresql_reads_by_the_index_alone(postgres_database: Database) -> None:
    wanted = kept_events._EVENTS.params(number=1, operator="vina")

    def plan(session: Session) -> str:
        """Ask how it would be done where the table is large."""
        dialect = session.connection().dialect
        for way in ("seqscan", "bitmapscan", "sort"):
            session.execute(sa.text(f"SET LOCAL enable_{way} = off"))
        written = wanted.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        return "\n".join(session.execute(sa.text(f"EXPLAIN {written}")).scalars())

    said = postgres_database.read(plan)
    assert said.count("ix_number_event_newest") == len(Kind)
    assert "Sort" not in said


def test_g10_what_is_kept_of_a_flood_hangs_on_no_order(
    sqlite_database: Database, keys_dir: Path
) -> None:
    """Of two numbers of which the same is told the other way round, the same is true."""
    arrive = Arrive(Keyring.load(keys_dir, sqlite_database))

    def told(phone: Msisdn, link: int) -> list[Arrival]:
        theirs: dict[str, Any] = {"phone": phone, "operator": "mobi", "link": 9 + link}
        return [
            arrive(Kind.PORTED, 3 * DAY, to="mobi", id="first", phone=phone, link=link),
            *flood(arrive, MOST_KEPT + 5, Kind.PORTED, to="mobi", phone=phone, link=link),
            *flood(arrive, MOST_KEPT + 5, Kind.RELEASED, **theirs),
        ]

    one, other = told(Msisdn("+84912345678"), 1), told(Msisdn("+84912345679"), 2)
    for each in one:
        take(sqlite_database, each)
    for each in reversed(other):
        take(sqlite_database, each)

    assert standing(sqlite_database, one[0]) == standing(sqlite_database, other[0])
    kept: dict[object, set[tuple[object, object]]] = {}
    for row in rows(sqlite_database, NUMBER_EVENT):
        kept.setdefault(row.number_id, set()).add((row.kind, row.event_id))
    of_one, of_other = kept.values()
    assert of_one == of_other
    assert len(of_one) == 2 * MOST_KEPT


def test_a_repeat_of_what_was_outdone_is_acknowledged(database: Database, arrive: Arrive) -> None:
    oldest = arrive(Kind.SIM_CHANGED, DAY)
    take(database, oldest)
    again = arrive(Kind.SIM_CHANGED, DAY)

    assert take(database, *flood(arrive, MOST_KEPT), again)[-1] == Taken.REPEATED
    assert take(database, arrive(Kind.SIM_CHANGED, DAY)) == [Taken.TOO_MANY]
