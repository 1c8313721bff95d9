from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from billing import usage
from billing.tables import USAGE
from billing.usage import Direction, Usage
from core.db import Database
from core.ids import uuid7

# 00:30 on the first of March in Hanoi, still February in Greenwich.
NIGHT = datetime(2026, 2, 28, 17, 30, tzinfo=UTC)


def carried(message_id: UUID, **changes: object) -> Usage:
    made = Usage(
        message_id=message_id,
        link_id=3,
        direction=Direction.MO,
        operator_message_id="op-1",
        segments=1,
        encoding="gsm7",
        at=NIGHT,
        status="received",
        reply_class=None,
        is_test=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test names what it changes


def test_usage_is_kept_under_its_day_in_viet_nam(database: Database) -> None:
    message_id = uuid7()

    database.write(lambda s: usage.record(s, [carried(message_id)]))

    row = database.read(lambda s: s.execute(sa.select(USAGE)).one())
    assert (row.message_id, row.at, row.day) == (message_id, NIGHT, "2026-03-01")


def test_a_message_is_counted_once_however_often_it_is_recorded(database: Database) -> None:
    message_id = uuid7()
    both = [
        carried(message_id),
        carried(message_id, direction=Direction.MT, reply_class="PIN"),
    ]

    database.write(lambda s: usage.record(s, both))
    database.write(lambda s: usage.record(s, [*both, carried(uuid7())]))

    count = database.read(
        lambda s: s.execute(
            sa.select(sa.func.count(), USAGE.c.direction)
            .group_by(USAGE.c.direction)
            .order_by(USAGE.c.direction)
        ).all()
    )
    assert [tuple(row) for row in count] == [(2, "mo"), (1, "mt")]


@pytest.mark.parametrize("changed", ["UPDATE usage SET segments = 2", "DELETE FROM usage"])
def test_t19_what_was_counted_does_not_change(database: Database, changed: str) -> None:
    database.write(lambda s: usage.record(s, [carried(uuid7())]))

    with pytest.raises(sa.exc.IntegrityError, match="what was counted does not change"):
        database.write(lambda s: s.execute(sa.text(changed)))

    assert len(database.read(lambda s: s.execute(sa.select(USAGE)).all())) == 1


def test_t19_usage_is_not_emptied(postgres_database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="what was counted does not change"):
        postgres_database.write(lambda s: s.execute(sa.text("TRUNCATE usage")))


def test_nothing_to_record_is_nothing(database: Database) -> None:
    database.write(lambda s: usage.record(s, []))

    assert database.read(lambda s: s.execute(sa.select(USAGE)).all()) == []


@pytest.mark.parametrize("wrong", [{"segments": 0}, {"direction": "xx"}])
def test_the_table_takes_no_impossible_usage(database: Database, wrong: dict[str, object]) -> None:
    values = {
        "message_id": uuid7(), "link_id": 1, "direction": "mo", "segments": 1, "encoding": "gsm7",
        "at": NIGHT, "day": "2026-03-01", "status": "received", "is_test": False,
    } | wrong  # fmt: skip

    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda s: s.execute(sa.insert(USAGE).values(**values)))


def test_a_reply_is_counted_with_the_message_it_answers(database: Database) -> None:
    asked, reply = uuid7(), uuid7()
    late = datetime(2026, 3, 1, 17, 0, 1, tzinfo=UTC)
    database.write(lambda s: usage.record(s, [carried(asked, short_code="1900")]))

    database.write(
        lambda s: usage.record(s, [carried(reply, direction=Direction.MT, at=late, answers=asked)])
    )

    row = database.read(
        lambda s: s.execute(sa.select(USAGE).where(USAGE.c.message_id == reply)).one()
    )
    assert (row.short_code, row.day, row.at) == ("1900", "2026-03-01", late)
