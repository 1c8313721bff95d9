"""A whole measurement, as small as can be: a service of its own, load on it, and what it left."""

import pytest

from benchmark.bars import top
from benchmark.lookup import Kind, Plan, measure
from benchmark.machine import scratch
from benchmark.summary import Mode
from tests.fakes import NOON

_OURS = ("tradan-bench-", "tradan-postgres-")


@pytest.mark.parametrize(
    "kind", [Kind.SQLITE, pytest.param(Kind.POSTGRESQL, marks=pytest.mark.slow)]
)
def test_a_service_is_set_up_put_under_load_and_leaves_nothing_undone(kind: Kind) -> None:
    before = set(scratch().iterdir())
    plan = Plan((kind,), seconds=1.0, rounds=1, clients=(2,), citizens=300, rate=5.0, seed=7)
    said: list[str] = []

    report = measure(plan, now=NOON, say=said.append)

    (found,) = report.findings
    if found.left_out:
        pytest.skip(f"no PostgreSQL here: {found.left_out}")
    assert [check.name for check in found.checks if not check.held] == []
    assert found.faults == {}
    assert [row.mode for row in found.rows] == [Mode.IDLE, Mode.CLOSED, Mode.OPEN]
    best = top(found.rows)
    assert best is not None
    assert best.lookups > 0
    assert best.server_cpu > 0
    assert (best.database_cpu > 0) == (kind is Kind.POSTGRESQL)
    assert any(words.startswith(f"{kind}: round 3 of 3") for words in said)
    assert not [path for path in set(scratch().iterdir()) - before if path.name.startswith(_OURS)]
