"""The tally: each closed minute once, with what came and how long it took."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core.db import Database
from core.ids import first_uuid7
from sms import tally
from sms.tables import INBOUND, OUTBOUND
from sms.tally import TALLIED, TALLY, TALLY_HOUR
from tests.fakes import FixedClock

CAME = 3


@pytest.fixture
def messages(database: Database, clock: FixedClock) -> Iterator[Database]:
    """Three messages of this minute, one of them answered after a second."""
    now = clock.now()
    first = first_uuid7(now).int

    def add(session: sa.orm.Session) -> None:
        for number in range(CAME):
            session.execute(
                sa.insert(INBOUND),
                {
                    "id": UUID(int=first + number), "link_id": 1,
                    "operator_message_id": f"m{number}",
                    "key_id": 1, "received_at": now, "stored_at": now, "state": "answered",
                    "command": "HD", "attempts": 1,
                },
            )  # fmt: skip
        session.execute(
            sa.insert(OUTBOUND),
            {
                "id": UUID(int=first + 9), "inbound_id": UUID(int=first), "link_id": 1,
                "reply": "HELP", "priority": 1, "discloses": False, "is_test": True, "key_id": 1,
                "encoding": "gsm7", "segments": 1, "state": "accepted", "attempt": 1,
                "unknowns": 0, "created_at": now, "next_at": now, "expires_at": now,
                "accepted_at": now + timedelta(seconds=1),
            },
        )  # fmt: skip

    database.write(add)
    return iter([database])


def test_a_closed_minute_is_counted_once(
    database: Database, clock: FixedClock, messages: Iterator[Database]
) -> None:
    database.write(lambda s: tally.count_up(s, clock.now()))
    clock.advance(timedelta(minutes=4))

    counted = [database.write(lambda s: tally.count_up(s, clock.now())) for _ in range(2)]

    rows = database.read(lambda s: s.execute(sa.select(TALLY).order_by(TALLY.c.reply)).all())
    assert counted == [4, 0]
    assert [(row.command, row.reply, row.messages) for row in rows] == [
        ("HD", "", 2),
        ("HD", "HELP", 1),
    ]
    (busy,) = database.read(
        lambda s: s.execute(sa.select(TALLIED).where(TALLIED.c.handed_over > 0)).all()
    )
    assert (busy.p50_us, busy.p99_us) == (1_000_000, 1_000_000)


def test_an_hour_is_added_up_with_its_last_minute(
    database: Database, clock: FixedClock, messages: Iterator[Database]
) -> None:
    hour = clock.now()
    database.write(lambda s: tally.count_up(s, clock.now()))
    clock.advance(timedelta(minutes=61))

    def rows() -> list[sa.Row[tuple[object, ...]]]:
        while database.write(lambda s: tally.count_up(s, clock.now())):
            pass
        return database.read(lambda s: list(s.execute(sa.select(TALLY_HOUR)).all()))

    before = rows(), database.read(tally.added_up_until)
    clock.advance(timedelta(minutes=1))
    after = rows()

    assert before == ([], None)
    assert sorted((row.hour, row.command, row.reply, row.messages) for row in after) == [
        (hour, "HD", "", 2),
        (hour, "HD", "HELP", 1),
    ]
    assert database.read(tally.added_up_until) == hour + timedelta(hours=1)
    clock.advance(timedelta(hours=2))
    assert rows() == after, "an hour in which nothing came has no rows"


def test_what_nobody_looks_back_to_is_let_go(
    database: Database, clock: FixedClock, messages: Iterator[Database]
) -> None:
    database.write(lambda s: tally.count_up(s, clock.now()))
    clock.advance(timedelta(days=401))

    database.write(lambda s: tally.forget(s, clock.now()))

    assert database.read(lambda s: s.execute(sa.select(TALLIED)).all()) == []


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_percentiles_are_spans_that_were_measured(spans: list[int]) -> None:
    span = tally.span_of(spans)

    assert {span.p50, span.p95, span.p99} <= set(spans)
    assert sum(each <= (span.p50 or 0) for each in spans) * 2 >= len(spans)
    assert (span.p50 or 0) <= (span.p95 or 0) <= (span.p99 or 0) <= max(spans)
