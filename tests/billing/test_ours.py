from datetime import timedelta
from pathlib import Path
from uuid import UUID

from billing import usage
from billing.reconciliation import engine, ours
from billing.reconciliation.engine import text
from billing.reconciliation.mapping import Tolerance
from billing.usage import Direction
from core.db import Database
from core.ids import uuid7
from tests.billing.months import NOON, OCTOBER
from tests.billing.test_usage import carried

REPLY = UUID("0199f3a2-7c3e-7b1a-9d2f-0123456789ab")


def test_usage_of_the_month_and_beside_it_is_written_as_it_is(
    database: Database, tmp_path: Path
) -> None:
    odd = 'a,b"c;d'
    rows = [
        carried(uuid7(), operator_message_id=odd, at=NOON, segments=2),
        carried(REPLY, operator_message_id=None, at=NOON, direction=Direction.MT),
        carried(uuid7(), operator_message_id="aside", at=NOON, status="quarantined"),
        carried(uuid7(), operator_message_id="beside", at=OCTOBER.ends_at),
        carried(uuid7(), operator_message_id="far", at=OCTOBER.ends_at + timedelta(days=9)),
        carried(uuid7(), operator_message_id="test", at=NOON, is_test=True),
        carried(uuid7(), operator_message_id="another", at=NOON, link_id=4),
    ]
    database.write(lambda s: usage.record(s, rows))

    made = ours.write(
        database, [3], OCTOBER, Tolerance(late=timedelta(days=2)), tmp_path, tell=lambda _: None
    )

    with engine.opened(tmp_path) as duck:
        found = duck.run(
            "SELECT id, direction, at_us, day, parts, encoding, is_aside "
            f"FROM read_parquet({text(made)}) ORDER BY id"
        )
    noon = int(NOON.timestamp()) * 1_000_000
    assert found == [
        (str(REPLY), "mt", noon, "2026-10-10", 1, "gsm7", False),
        (odd, "mo", noon, "2026-10-10", 2, "gsm7", False),
        ("aside", "mo", noon, "2026-10-10", 1, "gsm7", True),
        (
            "beside",
            "mo",
            int(OCTOBER.ends_at.timestamp()) * 1_000_000,
            "2026-11-01",
            1,
            "gsm7",
            False,
        ),
    ]
