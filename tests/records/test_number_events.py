"""What is kept of a number's events: once each, encrypted, and one row that says how it stands."""

import threading
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from core import databases
from core.db import Database
from core.keyring import Keyring
from core.phone import Msisdn
from records import number_events
from records.number_events import Arrival, Taken
from records.numbers import Event, Kind, Standing
from records.tables import NUMBER, NUMBER_EVENT
from tests.fakes import NOON

PHONE = Msisdn("+84912345678")
PREFIXES = {"vina": "091", "mobi": "090"}
DAY = timedelta(days=1)


@pytest.fixture
def arrive(keyring: Keyring) -> "Arrive":
    return Arrive(keyring)


class Arrive:
    """Makes events ready to be kept."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def __call__(
        self, kind: Kind, ago: timedelta = DAY, *, link: int = 1, phone: Msisdn = PHONE,
        **changes: object,
    ) -> Arrival:  # fmt: skip
        event = Event(operator="vina", id="e-1", kind=kind, happened_at=NOON - ago)
        event = replace(event, **changes)  # type: ignore[arg-type]  # fields by name
        return number_events.prepare(self._keyring, link, event, phone)


def take(database: Database, *arrivals: Arrival) -> list[Taken]:
    return database.write(lambda s: number_events.take(s, arrivals, PREFIXES))


def standing(database: Database, arrival: Arrival) -> Standing | None:
    number_id = arrival.number_id
    return database.read(lambda s: number_events.standings(s, [number_id])).get(number_id)


def rows(database: Database, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    return list(database.read(lambda s: s.execute(sa.select(table)).all()))


def test_an_event_is_kept_and_says_how_the_number_stands(
    database: Database, arrive: "Arrive"
) -> None:
    swapped = arrive(Kind.SIM_CHANGED)

    assert take(database, swapped) == [Taken.NEW]
    assert standing(database, swapped) == Standing(sim_changed_at=NOON - DAY)


def test_a_repeat_changes_nothing_and_other_content_is_a_conflict(
    database: Database, arrive: "Arrive"
) -> None:
    take(database, arrive(Kind.SIM_CHANGED))

    assert take(
        database,
        arrive(Kind.SIM_CHANGED),
        arrive(Kind.RELEASED),
        arrive(Kind.SIM_CHANGED, 2 * DAY),
        arrive(Kind.SIM_CHANGED, phone=Msisdn("+84912345679")),
        arrive(Kind.SIM_CHANGED, link=2),
    ) == [Taken.REPEATED, Taken.CONFLICTING, Taken.CONFLICTING, Taken.CONFLICTING, Taken.NEW]
    assert len(rows(database, NUMBER_EVENT)) == 2


def test_one_id_twice_in_a_lot_is_one_event(database: Database, arrive: "Arrive") -> None:
    assert sorted(take(database, arrive(Kind.BARRED), arrive(Kind.BARRED))) == [
        Taken.NEW,
        Taken.REPEATED,
    ]


def test_t12_no_number_can_be_read_in_the_tables(database: Database, arrive: "Arrive") -> None:
    take(database, arrive(Kind.RELEASED))

    kept = repr([rows(database, NUMBER_EVENT), rows(database, NUMBER)])
    assert not any(PHONE[-length:] in kept for length in (9, 7, 5))


def test_g10_late_events_count_by_when_they_happened(database: Database, arrive: "Arrive") -> None:
    late = arrive(Kind.SIM_CHANGED, 5 * DAY, id="e-2")
    take(database, arrive(Kind.SIM_CHANGED, DAY))

    assert take(database, late) == [Taken.NEW]
    assert standing(database, late) == Standing(sim_changed_at=NOON - DAY)


def test_t9_what_another_network_says_has_no_effect(database: Database, arrive: "Arrive") -> None:
    foreign = arrive(Kind.REASSIGNED, operator="mobi", link=2)

    assert take(database, foreign) == [Taken.NOT_SERVED]
    assert standing(database, foreign) == Standing()


def test_it_counts_once_the_network_before_says_that_it_was_ported(
    database: Database, arrive: "Arrive"
) -> None:
    early = arrive(Kind.REASSIGNED, DAY, operator="mobi", link=2)
    ported = arrive(Kind.PORTED, 3 * DAY, to="mobi")

    assert (take(database, early), take(database, ported)) == ([Taken.NOT_SERVED], [Taken.NEW])
    assert standing(database, early) == Standing(
        ported_at=NOON - 3 * DAY, left_at=NOON - DAY, served_by="mobi"
    )


def test_old_events_are_forgotten_but_for_where_numbers_went(
    database: Database, arrive: "Arrive"
) -> None:
    take(database, arrive(Kind.SIM_CHANGED, id="a"), arrive(Kind.PORTED, id="b", to="mobi"))
    (row, _) = rows(database, NUMBER_EVENT)
    made = datetime.fromtimestamp((row.id.int >> 80) / 1000, NOON.tzinfo)

    database.write(lambda s: number_events.forget(s, made + timedelta(days=761)))
    assert len(rows(database, NUMBER_EVENT)) == 2
    database.write(lambda s: number_events.forget(s, made + timedelta(days=763)))

    (kept,) = rows(database, NUMBER_EVENT)
    assert kept.kind == Kind.PORTED


def test_a_number_that_was_given_up_is_never_again_whose_it_was_ported_to(
    database: Database, arrive: "Arrive"
) -> None:
    other = arrive(Kind.RELEASED, 3 * DAY, id="c", phone=Msisdn("+84912345679"))
    ported = arrive(Kind.PORTED, 5 * DAY, id="a", to="mobi")
    take(database, ported, other)
    take(database, arrive(Kind.RELEASED, 3 * DAY, id="b", operator="mobi", link=2))
    made = datetime.fromtimestamp((ported.id.int >> 80) / 1000, NOON.tzinfo)

    database.write(lambda s: number_events.forget(s, made + timedelta(days=763)))
    take(database, arrive(Kind.SIM_CHANGED, id="d"))

    assert sorted(row.event_id for row in rows(database, NUMBER_EVENT)) == ["a", "b", "d"]
    stands = standing(database, ported)
    assert stands is not None
    assert (stands.served_by, stands.sim_changed_at) == (None, NOON - DAY)


def test_two_processes_with_events_of_one_number_lose_none(
    postgres_database: Database, keys_dir: object
) -> None:
    keyring = Keyring.load(keys_dir, postgres_database)  # type: ignore[arg-type]  # a Path
    arrive, count = Arrive(keyring), 12
    arrivals = [
        arrive(Kind.SIM_CHANGED if place % 2 else Kind.RELEASED, place * DAY, id=f"e-{place}")
        for place in range(count)
    ]
    another = databases.open_database(postgres_database.url)
    with closing(another):
        threads = [
            threading.Thread(target=take, args=(database, arrival))
            for database, arrival in zip(
                (postgres_database, another) * (count // 2), arrivals, strict=True
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert standing(postgres_database, arrivals[0]) == Standing(
        sim_changed_at=NOON - DAY, left_at=NOON
    )
