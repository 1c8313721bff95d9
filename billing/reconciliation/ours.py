"""Our side: the usage of one operator around a period, out of the database into Parquet."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.carried import PUT_ASIDE
from billing.periods import Period
from billing.reconciliation import engine
from billing.reconciliation.engine import text
from billing.reconciliation.mapping import Tolerance
from billing.tables import USAGE
from core.db import Database

_BATCH = 10_000
_DAY = timedelta(days=1)
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
        with plain.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for done, rows in enumerate(_read(session, link_ids, first, last)):
                tell(done * _BATCH)
                writer.writerows(rows)

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


def _read(
    session: Session, link_ids: Sequence[int], first: str, last: str
) -> Iterator[list[tuple[object, ...]]]:
    used = USAGE.c
    wanted = sa.select(
        used.operator_message_id,
        # As the database has it: an object for every row would take as long as the row.
        sa.type_coerce(used.message_id, sa.String),
        used.direction,
        sa.type_coerce(used.at, sa.BigInteger),
        used.day,
        used.segments,
        used.encoding,
        used.short_code,
        used.status == PUT_ASIDE,
    ).where(used.link_id.in_(link_ids), used.day.between(first, last), ~used.is_test)
    streamed = wanted.execution_options(stream_results=True)
    for rows in session.execute(streamed).partitions(_BATCH):
        yield [(theirs or _ours(ours), *rest) for theirs, ours, *rest in rows]


def _ours(message_id: str | UUID) -> str:
    return str(message_id if isinstance(message_id, UUID) else UUID(message_id))
