from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core.db import Database, Instant
from core.tables import DATA_KEY
from tests.fakes import NOON

COLUMN = Instant()
A_KEY = {"purpose": "x", "month": "y", "kek": 1, "wrapped": b"", "created_at": NOON}
DIALECT = sa.create_engine("sqlite://").dialect


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 (Hypothesis wants its bounds naive)
def test_an_instant_comes_back_to_the_microsecond(instant: datetime) -> None:
    stored = COLUMN.process_bind_param(instant, DIALECT)

    assert COLUMN.process_result_value(stored, DIALECT) == instant


def test_an_instant_is_the_same_whatever_the_zone() -> None:
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=timezone(timedelta(hours=7)))

    assert COLUMN.process_bind_param(noon, DIALECT) == 1772427600 * 10**6
    assert COLUMN.process_bind_param(None, DIALECT) is None


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(TypeError):
        COLUMN.process_bind_param(datetime(2026, 3, 2), DIALECT)  # noqa: DTZ001 (what is refused)


def test_a_reader_changes_nothing(database: Database) -> None:
    def sneak(session: sa.orm.Session) -> None:
        session.execute(sa.insert(DATA_KEY), A_KEY)

    try:
        database.read(sneak)
    except Exception:  # noqa: BLE001 (refused or forgotten: either will do)
        refused = True
    else:
        refused = database.dialect == "postgresql"

    assert refused
    assert database.read(lambda s: s.execute(sa.select(DATA_KEY)).all()) == []


def test_what_a_work_raises_is_raised_to_its_writer_and_undone(database: Database) -> None:
    def work(session: sa.orm.Session) -> None:
        session.execute(sa.insert(DATA_KEY), A_KEY)
        raise LookupError("on second thoughts")

    with pytest.raises(LookupError, match="on second thoughts"):
        database.write(work)

    assert database.read(lambda s: s.execute(sa.select(DATA_KEY)).all()) == []


def test_a_write_within_a_write_is_refused_instead_of_waiting_for_itself(
    database: Database,
) -> None:
    with pytest.raises(RuntimeError, match="within the work"):
        database.write(
            lambda _: database.write(lambda session: session.execute(sa.text("SELECT 1")))
        )
    assert database.write(lambda session: session.execute(sa.text("SELECT 2")).scalar_one()) == 2
