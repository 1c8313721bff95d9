"""The benchmark of an SMPP link: a whole small run on each database, and what it tells."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmark import peer
from benchmark.checks import Check
from benchmark.errors import NoSmscError
from benchmark.link import Finding, Plan, Report, measure
from benchmark.link_bars import BARS, verdicts
from benchmark.link_report import as_json, show
from benchmark.link_rows import Load, Order, Outcome, Round, Row, Side, Span, row
from benchmark.lookup import Kind
from benchmark.meter import Used
from benchmark.tally import percentiles
from cli.benchmark_link import link_command
from tests.benchmark.test_report import MACHINE
from tests.fakes import NOON

PLAN = Plan((Kind.SQLITE,), 0.5, 1, at_once=16, window=8, citizens=300, seed=7)


def a_round(
    who: Side = Side.OURS,
    load: Load = Load.HELP,
    *,
    per_second: int = 100,
    cpu: float = 0.2,
    faults: Mapping[str, int] | None = None,
) -> Round:
    """A second of load, after which nothing was open."""
    outcome = Outcome(
        seconds=1.0,
        accepted=per_second,
        accepted_in_time=per_second,
        in_time=per_second,
        lookups_in_time=per_second // 2 if load is Load.LOOKUP else 0,
        replies={"reply": per_second},
        faults=dict(faults or {}),
        spans={Span.ACCEPT: percentiles([0.002]), Span.TRIP: percentiles([0.02] * per_second)},
        cpu=0.01,
        used_up=False,
    )
    used = Used(cpu, 0.1, {"handle": 0.1, "never": 0.0}, 0.5, (0.5, 2.0), 2**20)
    return Round(Order(who, load, 1.0, 256, 50), outcome, used)


def _rows(**speeds: int) -> list[Row]:
    return [
        row([a_round(per_second=speeds.get("help", 300))]),
        row([a_round(Side.KANNEL, per_second=speeds.get("kannel", 200))]),
        row([a_round(load=Load.LOOKUP, per_second=speeds.get("lookup", 200))]),
        row([a_round(load=Load.INGEST, per_second=speeds.get("ingest", 4000))]),
    ]


def test_a_row_is_the_medians_of_its_rounds() -> None:
    found = row([a_round(per_second=speed) for speed in (100, 400, 200)])

    assert (found.per_second, found.slowest_round, found.fastest_round) == (200, 100, 400)
    assert found.trips == 700
    assert found.server_cpu == 1.0  # 0.2 s for 200 messages
    assert found.threads == {"handle": 0.5}
    assert found.others == 0.095  # half a second at work, of which 0.31 were ours
    assert found.spans[Span.TRIP].p50 == 20
    assert found.spans[Span.LOOKUP].count == 0


def test_ingest_counts_what_was_answered_ok_and_the_rest_what_came_back() -> None:
    ingest = a_round(load=Load.INGEST)
    late = replace(ingest, outcome=replace(ingest.outcome, in_time=0))

    assert late.per_second == 100
    assert replace(late, order=a_round().order).per_second == 0


@pytest.mark.parametrize(
    ("speeds", "missed"),
    [
        ({}, set()),
        ({"help": 299}, {"help_ratio"}),
        ({"lookup": 199}, {"lookup_ratio"}),
        ({"ingest": 3999}, {"ingest"}),
    ],
)
def test_a_bar_is_met_on_its_good_side(speeds: dict[str, int], missed: set[str]) -> None:
    found = verdicts(_rows(**speeds))

    assert {verdict.bar.name for verdict in found if not verdict.met} == missed


def test_without_a_peer_nothing_is_compared() -> None:
    alone = [found for found in _rows() if found.who is Side.OURS]

    measured = {verdict.bar.name: verdict.measured for verdict in verdicts(alone)}

    assert measured == {"help_ratio": None, "lookup_ratio": None, "ingest": 4000}
    assert [verdict.measured for verdict in verdicts([])] == [None] * len(BARS)


def _shown(*findings: Finding) -> str:
    console = Console(file=StringIO(), width=200)
    show(Report(PLAN, MACHINE, NOON, findings), console)
    told = console.file
    assert isinstance(told, StringIO)
    return told.getvalue()


def test_the_report_tells_programs_and_people_the_same() -> None:
    check = Check("journal verifies", held=True, found="12 entries")
    found = Finding(Kind.SQLITE, "SQLite 3.40.1", tuple(_rows()), (check,))

    told = json.loads(json.dumps(as_json(Report(PLAN, MACHINE, NOON, (found,)))))
    text = _shown(found)

    sqlite = told["databases"]["sqlite"]
    assert sqlite["sound"]
    assert [bar["measured"] for bar in sqlite["bars"]] == [1.5, 1.0, 4000]
    assert {one["who"] for one in sqlite["rows"]} == {"tradan", "kannel"}
    assert "1.5 ×" in text
    assert "Kannel, HD" in text
    assert "12 entries" in text
    assert "WAS NOT MEASURED" not in text


def test_a_peer_that_could_not_be_had_is_said_loudly_and_a_fault_of_ours_is_told() -> None:
    broken = row([a_round(faults={"status-58": 3})])
    theirs = row([a_round(Side.KANNEL, faults={"given-up": 1})])

    text = _shown(Finding(Kind.SQLITE, "SQLite", (broken,), alone="no Kannel here"))

    assert "KANNEL WAS NOT MEASURED: no Kannel here" in text
    assert "status-58" in text
    assert not Finding(Kind.SQLITE, "SQLite", (broken,)).sound
    assert Finding(Kind.SQLITE, "SQLite", (theirs,)).sound


def test_a_kannel_that_is_not_there_is_named(tmp_path: Path) -> None:
    dirname = shutil.which("dirname")
    assert dirname is not None
    (tmp_path / "dirname").symlink_to(dirname)

    ended = subprocess.run(
        ["/bin/sh", str(peer.SCRIPT), "2775", str(tmp_path)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 69
    assert "no Kannel here: `make kannel` installs it" in ended.stderr


def test_the_protocol_must_be_named() -> None:
    told = CliRunner().invoke(link_command, [])

    assert told.exit_code == 2
    assert "--smpp" in told.output


@pytest.mark.slow
@pytest.mark.parametrize("kind", Kind)
def test_a_small_run_leaves_nothing_undone(kind: Kind, tmp_path: Path) -> None:
    said: list[str] = []
    try:
        report = measure(replace(PLAN, databases=(kind,)), now=NOON, say=said.append)
    except NoSmscError as error:
        pytest.skip(f"no SMSC here: {error}")

    (found,) = report.findings
    if found.left_out:
        pytest.skip(f"no PostgreSQL here: {found.left_out}")
    assert [check for check in found.checks if not check.held] == []
    assert found.faults == {}
    ours = {one.load: one for one in found.rows if one.who is Side.OURS}
    assert set(ours) == set(Load)
    assert all(one.trips > 0 and one.server_cpu > 0 for one in ours.values())
    assert all((one.database_cpu > 0) == (kind is Kind.POSTGRESQL) for one in ours.values())
    if not shutil.which("bearerbox", path=f"{os.defpath}:/usr/sbin"):
        assert "no Kannel here" in found.alone
        pytest.skip(f"Kannel was not measured: {found.alone}")
    assert found.alone == ""
    theirs = [one for one in found.rows if one.who is Side.KANNEL]
    assert {one.load for one in theirs} == {Load.HELP, Load.INGEST}
    assert [one.faults for one in theirs] == [{}, {}]
