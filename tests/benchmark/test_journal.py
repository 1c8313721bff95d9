"""The journal's benchmark: clients that wait, figures that add up, and a whole small run."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from app import main
from benchmark import journal_process, sealing
from benchmark.bars import Verdict
from benchmark.journal import Plan, measure
from benchmark.journal_bars import verdicts
from benchmark.journal_report import as_json, show
from benchmark.journal_rows import Round, Size, Verification, Verified, summed
from benchmark.lookup import Kind
from benchmark.sealing import Sealing
from benchmark.tally import Percentiles
from core.db import Database
from core.keyring import Keyring
from journal.audit import verify_live
from journal.journal import Journal
from tests.fakes import NOON, FixedClock

QUICK = Percentiles(count=10, p50=1.0, p95=2.0, p99=3.0, longest=4.0)
ROUND = Round(
    entries=4000,
    seconds=2.0,
    cpu=1.0,
    database_cpu=0.5,
    latency=QUICK,
    resident=1000,
    others=0.1,
)
VERIFIED = Verified(seconds=0.8, cpu=1.5, resident=100, findings=0)
SIZE = Size(
    entries=100_000, filled=9000.0, proof=QUICK, verifications={Verification.TREE: VERIFIED}
)


@pytest.fixture
def journal(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path
) -> Iterator[Journal]:
    made = Journal.open(database, keyring, keys_dir, tmp_path, "tradan/bench.example")
    yield made
    made.close()


def test_every_client_waits_until_its_entry_is_sealed(
    database: Database, keyring: Keyring, journal: Journal, keys_dir: Path, tmp_path: Path
) -> None:
    made = sealing.drafts(keyring, 12)

    with Sealing(database, journal).running() as running:
        times = sealing.load(running, made, clients=4, seconds=0.2)

    size = database.read(journal.head).size
    report = verify_live(database, keyring, keys_dir, tmp_path, now=NOON)
    assert len(times) >= 4
    assert size == 2 + len(times)
    assert report.ok


def test_rounds_come_to_medians() -> None:
    slow = replace(ROUND, entries=1000, others=0.5)
    slower = replace(ROUND, entries=500)

    load = summed(64, [ROUND, slow, slower])

    assert (load.per_second, load.slowest_round, load.fastest_round) == (500, 250, 2000)
    assert (load.rounds, load.entries, load.others) == (3, 5500, 0.1)
    assert (load.cpu, load.database_cpu) == (1000, 500)
    assert load.latency == replace(QUICK, count=30)
    with pytest.raises(ValueError, match="no round"):
        summed(1, [])


def test_figures_are_held_against_the_bars() -> None:
    larger = replace(
        SIZE,
        entries=1_000_000,
        verifications={Verification.TREE: replace(VERIFIED, seconds=11.0, resident=110)},
    )

    few = met("sqlite", [SIZE])
    many = met("sqlite", [SIZE, larger])

    assert few == {
        "sealed_per_second": (2000, False),
        "seal_p99": (3, True),
        "proof": (3, True),
        "million_verified": (5.3, True),
        "memory": (None, False),
    }
    assert {name: many[name] for name in ("million_verified", "memory")} == {
        "million_verified": (11, False),
        "memory": (1.1, True),
    }


def met(database: str, sizes: list[Size]) -> dict[str, tuple[float | None, bool]]:
    found: list[Verdict] = verdicts(database, [summed(64, [ROUND])], sizes, start=0.3)
    return {verdict.bar.name: (verdict.measured, verdict.met) for verdict in found}


def test_the_process_with_the_journal_answers_each_order(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path
) -> None:
    environ = {
        "TRADAN_STATE_DIR": str(tmp_path),
        "TRADAN_KEYS_DIR": str(keys_dir),
        "TRADAN_DATABASE_URL": sqlite_database.url.render_as_string(),
    }
    orders = [environ, {"fill": {"size": 40}}, {"prove": {"count": 3}}]
    answers = io.StringIO()

    journal_process.main(io.StringIO("\n".join(map(json.dumps, orders))), answers)

    opened, filled, proved = map(json.loads, answers.getvalue().splitlines())
    assert opened["size"] == 2
    assert opened["key"].startswith("tradan/bench+")
    assert filled["entries"] == 38
    assert proved["latency"]["count"] == 3


@pytest.mark.slow
def test_a_whole_run_tells_what_it_measured(clock: FixedClock) -> None:
    plan = Plan((Kind.SQLITE,), seconds=0.2, rounds=1, clients=(1, 2), entries=(100,))
    said: list[str] = []

    report = measure(plan, now=clock.now(), say=said.append)

    (found,) = report.findings
    told = as_json(report)["databases"]["sqlite"]
    console = Console(record=True, width=100, file=io.StringIO())
    show(report, console)
    assert found.sound
    assert [load["clients"] for load in told["loads"]] == [1, 2]
    assert all(load["per_second"] > 0 for load in told["loads"])
    assert set(told["sizes"][0]["verifications"]) == {"tree", "opened", "all", "export"}
    assert json.dumps(told)
    assert "sealed/s" in console.export_text()
    assert any("findings: 0" in words for words in said)


@pytest.mark.parametrize(
    "words", [["--entries", "1"], ["--clients", "0"], ["--entries", "many"], ["--rounds", "0"]]
)
def test_an_option_that_cannot_be_is_refused(words: list[str]) -> None:
    assert CliRunner().invoke(main, ["benchmark", "journal", *words]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["benchmark", "--help"], "journal"),
        (["benchmark", "--citizens", "many"], "--citizens"),
        (["benchmark", "lookup", "--help"], "--citizens"),
        (["benchmark", "journal", "--help"], "--entries"),
    ],
)
def test_what_is_not_named_is_whole_lookups(words: list[str], told: str) -> None:
    assert told in CliRunner().invoke(main, words).output
