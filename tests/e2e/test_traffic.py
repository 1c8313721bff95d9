"""`simulate traffic`, as it is typed: at a service that runs, and never at one of real citizens."""

import json
from pathlib import Path

import pytest

from benchmark.tally import Span
from cli import exits
from core.db import Database
from tests.cli.deployment import deployment_on
from tests.e2e.harness import Deployment

PEOPLE = 40
RATE, SECONDS = 20, 1


@pytest.fixture
def gateway(service_on_sqlite: Deployment) -> Deployment:
    """The shared service, with people who are marked as made up."""
    people = service_on_sqlite.people.make_many(PEOPLE)
    service_on_sqlite.import_people(*people, options=("--test",))
    return service_on_sqlite


def test_an_operators_subscribers_look_themselves_up(gateway: Deployment) -> None:
    before = gateway.journal_size()
    words = ("--rate", str(RATE), "--for", str(SECONDS), "--seed", "7")
    url = f"http://127.0.0.1:{gateway.port}"

    seen = json.loads(gateway.do("simulate", "traffic", *words, "--url", url, "--json"))

    assert seen["faults"] == {}
    assert seen["people"] >= PEOPLE, "other tests may have brought some too"
    assert seen["lookups"] == seen["replies"]["RESULT"] > 0
    assert seen["messages"] >= 2 * seen["lookups"]
    assert seen["milliseconds"][Span.ANSWER]["count"] > 0
    assert gateway.journal_size() > before + seen["lookups"]


def test_nobody_real_is_played(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs = deployment_on(sqlite_database, keys_dir, tmp_path)
    monkeypatch.chdir(tmp_path)

    said = verbs.refused("simulate", "traffic", code=exits.NOT_ALLOWED)

    assert "demonstration only" in said
