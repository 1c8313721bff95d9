"""Our side: the usage of one operator around a period, out of the database into Parquet."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.carried import PUT_ASIDE
from billing.periods import Period
from billing.reconciliation import engine
from billing.reconciliation.engine import text
from billing.reconciliation.mapping import Tolerance
from billing.tables import USAGE
from core.db import Database, dialect_of

_BATCH = 10_000
_DAY = timedelta(days=1)
# Where the groups of an id begin among its digits, and how long they are.
_GROUPS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
_COLUMNS = {
    "id": "VARCHAR",
    "direction": "VARCHAR",
    "at_us": "BIGINT",
    "day": "VARCHAR",
    "parts": "INTEGER",
    "encoding": "VARCHAR",
    "short_code": "VARCHAR",
    "is_aside": "BOOLEAN",
}


def write(
    database: Database,
    link_ids: Sequence[int],
    period: Period,
    tolerance: Tolerance,
    folder: Path,
    *,
    tell: Callable[[int], None],
) -> Path:
    """Write the usage of a period, and what may be counted in one beside it, to a Parquet file.

    Shape: test traffic is left out; a reply that the operator gave no id has ours. *tell* is told
    how many records are written.
    """
    beside = max(tolerance.late, tolerance.edge) + _DAY
    first = (period.first_day - beside).isoformat()
    last = (period.last_day + beside).isoformat()
    plain, made = folder / "usage.csv", folder / "usage.parquet"

    def work(session: Session) -> None:
        with plain.open("w", encoding="utf-8") as file:
            lines = session.scalars(_lines(dialect_of(session), link_ids, first, last))
            for done, some in enumerate(lines.partitions(_BATCH)):
                tell(done * _BATCH)
                file.write("\n".join(some) + "\n")

    database.read(work)
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS.items())
    with engine.opened(folder) as duck:
        duck.run(
            f"COPY (FROM read_csv({text(plain)}, auto_detect = false, header = false, "
            f"columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"')) "
            f"TO {text(made)} (FORMAT parquet, COMPRESSION snappy)"
        )
    plain.unlink()
    return made


def _lines(dialect: str, link_ids: Sequence[int], first: str, last: str) -> sa.Select[str]:
    """Select each record as a line of CSV: made by the database, in a third of the time."""
    used = USAGE.c
    theirs = sa.func.replace(used.operator_message_id, '"', '""')
    cells = (
        sa.literal('"').concat(sa.func.coalesce(theirs, _ours(dialect))).concat('"'),
        used.direction,
        sa.cast(sa.type_coerce(used.at, sa.BigInteger), sa.String),
        used.day,
        sa.cast(used.segments, sa.String),
        used.encoding,
        sa.literal('"').concat(sa.func.replace(used.short_code, '"', '""')).concat('"'),
        sa.case((used.status == PUT_ASIDE, "true"), else_="false"),
    )
    line: sa.ColumnElement[str] = cells[0]
    for cell in cells[1:]:
        line = line.concat(",").concat(cell)
    wanted = sa.select(line).where(
        used.link_id.in_(link_ids), used.day.between(first, last), ~used.is_test
    )
    return wanted.execution_options(stream_results=True)


def _ours(dialect: str) -> sa.ColumnElement[str]:
    """Return our id as operators are told it, for replies that they gave none."""
    if dialect == "postgresql":
        return sa.cast(USAGE.c.message_id, sa.String)
    digits = sa.type_coerce(USAGE.c.message_id, sa.String)
    first, *rest = (sa.func.substr(digits, at, length) for at, length in _GROUPS)
    written: sa.ColumnElement[str] = first
    for group in rest:
        written = written.concat("-").concat(group)
    return written
