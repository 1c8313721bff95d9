"""A PostgreSQL of the benchmark's own, gone without a trace."""

from pathlib import Path

import psycopg
import pytest

from benchmark import postgres, processes
from benchmark.errors import NoPostgresError
from benchmark.machine import scratch


def test_the_server_flushes_and_leaves_nothing_behind() -> None:
    try:
        with postgres.running(scratch()) as server:
            home = Path(str(server.url.query["host"]))
            address = server.url.set(drivername="postgresql").render_as_string()
            with psycopg.connect(address) as connection:
                flushes = connection.execute("SHOW fsync").fetchone()
                waits = connection.execute("SHOW synchronous_commit").fetchone()
            family = processes.tree(server.pid)
    except NoPostgresError as error:
        pytest.skip(f"no PostgreSQL here: {error}")

    assert (flushes, waits) == (("on",), ("on",))
    assert len(family) > 2
    assert not home.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in family)
