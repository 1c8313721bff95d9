"""How a run is told to people and to programs."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from benchmark.checks import Check
from benchmark.lookup import Finding, Kind, Plan, Report
from benchmark.machine import Machine
from benchmark.report import as_json, show
from benchmark.summary import Mode, row
from tests.benchmark.rounds import a_round

MACHINE = Machine(
    cpu="Some CPU",
    cores=2,
    memory=8 * 2**30,
    kernel="Linux 6",
    system="Debian",
    file_system="ext4",
    flush=0.12,
    python="3.11.7",
    sqlite="3.40.1",
)
PLAN = Plan((Kind.SQLITE, Kind.POSTGRESQL), 5, 3, (1, 16), 1000, None, 7)
FOUND = Finding(
    Kind.SQLITE,
    "SQLite 3.40.1",
    (row([a_round(Mode.IDLE, clients=1)]), row([a_round()]), row([a_round(Mode.OPEN)])),
    (Check("journal verifies", held=True, found="12 entries"),),
)
LEFT_OUT = Finding(Kind.POSTGRESQL, "", left_out="no PostgreSQL 15 or newer")
REPORT = Report(PLAN, MACHINE, datetime(2026, 3, 2, 5, 0, tzinfo=UTC), (FOUND, LEFT_OUT))


def _shown(report: Report) -> str:
    console = Console(file=StringIO(), width=200)
    show(report, console)
    told = console.file
    assert isinstance(told, StringIO)
    return told.getvalue()


def test_the_json_of_a_run_has_keys_that_stay() -> None:
    told = json.loads(json.dumps(as_json(REPORT)))

    assert set(told) == {
        "benchmark", "started_at", "seed", "plan", "method", "machine", "databases"
    }  # fmt: skip
    sqlite = told["databases"]["sqlite"]
    assert set(sqlite) == {"version", "left_out", "sound", "bars", "rows", "checks"}
    assert sqlite["bars"][0] == {
        "name": "lookups_per_second",
        "what": "lookups a second",
        "unit": "/s",
        "limit": 300,
        "at_least": True,
        "measured": 100.0,
        "met": False,
    }
    assert [one["mode"] for one in sqlite["rows"]] == ["idle", "closed", "open"]
    assert sqlite["rows"][0]["spans"]["accepted-to-answer"]["p50"] == 50
    assert told["databases"]["postgresql"]["left_out"] == "no PostgreSQL 15 or newer"


def test_the_table_names_hardware_seed_bars_and_what_was_left_out() -> None:
    told = _shown(REPORT)

    assert "Some CPU, 2 cores, 8 GiB, Debian, Linux 6, ext4" in told
    assert "seed 7" in told
    assert "missed" in told
    assert "met" in told
    assert "left out: no PostgreSQL 15 or newer" in told
    assert "journal verifies: 12 entries" in told


def test_a_run_is_sound_only_without_faults_and_with_every_check_held() -> None:
    faulty = replace(FOUND, rows=(row([a_round(fault="no-reply")]),))
    failed = replace(FOUND, checks=(Check("journal verifies", held=False, found="a fault"),))

    assert FOUND.sound
    assert not faulty.sound
    assert not failed.sound
    assert "no-reply" in _shown(replace(REPORT, findings=(faulty,)))
    assert "FAIL" in _shown(replace(REPORT, findings=(failed,)))
