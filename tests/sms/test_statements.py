"""What a message runs on its way reads rows by an index, however large the tables grow."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from core.db import Database
from core.prepared import is_prepared

PACKAGES = ("core", "journal", "records", "billing", "sms")
# One row, what is in force, and what waits: none of them grows with what the service has done.
SHORT = frozenset(
    {
        "SCAN tree_state",
        "SCAN stop USING INDEX uq_stop_in_force",
        "SCAN outbound USING INDEX ix_outbound_waiting",
        "SCAN journal_pending",
    }
)


def statements() -> Iterator[tuple[str, str]]:
    """Find what is prepared, wherever it stands, as SQLite is told it."""
    for package in PACKAGES:
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if not isinstance(value, sa.Executable) or not isinstance(value, sa.ClauseElement):
                    continue
                if is_prepared(value):
                    told = str(value.compile(dialect=sqlite.dialect(paramstyle="named")))
                    if "LATERAL" not in told:  # the sealer's, who is no thread of its own on SQLite
                        yield f"{found.name}.{name}", told


@pytest.mark.parametrize("told", [pytest.param(told, id=name) for name, told in statements()])
def test_no_table_that_grows_is_read_whole(sqlite_database: Database, told: str) -> None:
    # A value that is bound later chooses no plan, so nothing stands in its place.
    unbound = re.sub(r":\w+", "NULL", told)

    steps = sqlite_database.read(
        lambda s: s.execute(sa.text(f"EXPLAIN QUERY PLAN {unbound}")).all()
    )

    read_whole = {step.detail for step in steps if step.detail.startswith("SCAN")}
    # How a subquery without a name finds its own rows is told in a step of its own.
    assert {s for s in read_whole if "json_each" not in s and "SCAN anon_" not in s} <= SHORT


def test_there_is_something_to_look_at() -> None:
    assert {"records.embedded._FIND", "records.pins._OPEN_OF", "sms.outbox._CLAIMABLE"} <= {
        name for name, _ in statements()
    }
