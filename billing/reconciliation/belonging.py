"""Whose records a file holds: a sample of them, looked for among everybody's usage."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.reconciliation import engine
from billing.reconciliation.engine import text
from billing.tables import USAGE
from billing.usage import Direction
from core.clock import vietnam_day

_SAMPLE = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def sample(records: Path, folder: Path) -> list[tuple[str, datetime]]:
    """Take messages to us of one time out of a file in its normal form, with their instants."""
    with engine.opened(folder, [records]) as duck:
        found = duck.run(
            f"SELECT id, at_us FROM read_parquet({text(records)}) "
            f"WHERE carried AND direction = {text(Direction.MO)} ORDER BY at_us LIMIT {_SAMPLE}"
        )
    return [(str(ident), _EPOCH + timedelta(microseconds=int(at or 0))) for ident, at in found]


def others(
    session: Session,
    sampled: Iterable[tuple[str, datetime]],
    links: Mapping[int, str],
    operator: str,
) -> str | None:
    """Return the operator that has more of a sample than *operator* has, if one does.

    Shape: *links* names the operator of every link.
    """
    ids, days = set(), set()
    for ident, at in sampled:
        ids.add(ident)
        days |= {vietnam_day(at + beside * _DAY).isoformat() for beside in (-1, 0, 1)}
    wanted = sa.select(USAGE.c.link_id, sa.func.count()).where(
        USAGE.c.link_id.in_(sorted(links)),
        USAGE.c.day.in_(sorted(days)),
        USAGE.c.direction == Direction.MO,
        USAGE.c.operator_message_id.in_(sorted(ids)),
    )
    counts = dict.fromkeys(links.values(), 0)
    for link_id, count in session.execute(wanted.group_by(USAGE.c.link_id)):
        counts[links[link_id]] += count
    most = max(counts, key=lambda name: counts[name], default=operator)
    return most if counts.get(most, 0) > counts.get(operator, 0) else None
