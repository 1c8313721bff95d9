"""The console's benchmark: a whole small run on each database, and what it tells."""

import io
import json
from collections.abc import Sequence

import pytest
from click.testing import CliRunner
from rich.console import Console

from app import main
from benchmark.console import Page, Plan, Report, measure
from benchmark.console_report import as_json, show
from benchmark.console_visits import Visit
from benchmark.lookup import Kind
from cli.benchmark_console import _site
from tests.fakes import NOON

FEWEST = Plan((Kind.SQLITE, Kind.POSTGRESQL), rows=1000, times=1)


@pytest.fixture(scope="module")
def report(request: pytest.FixtureRequest) -> Report:
    request.getfixturevalue("postgres_server")  # where there is none, this skips and says so
    said: list[str] = []
    return measure(FEWEST, _site, now=NOON, say=said.append)


@pytest.mark.slow
def test_a_small_run_opens_every_kind_of_page(report: Report) -> None:
    for found in report.findings:
        assert found.left_out == ""
        assert {"overview", "log: newest", "log: rare, deep", "message", "acts"} <= set(found.pages)
        assert all(page.latency.count == 1 for page in found.pages.values())
        assert found.listing is not None
        assert found.listing.latency.count == sum(name.startswith("log") for name in found.pages)


@pytest.mark.slow
def test_no_page_counts_rows_of_what_grows(report: Report) -> None:
    assert [found.counted for found in report.findings] == [(), ()]


@pytest.mark.slow
def test_the_report_reads_the_same_to_programs_and_people(report: Report) -> None:
    told, shown = json.loads(json.dumps(as_json(report))), Console(file=io.StringIO(), width=100)

    show(report, shown)

    assert told["plan"] == {"rows": 1000, "times": 1}
    (bar,) = told["databases"]["postgresql"]["bars"]
    assert (bar["limit"], bar["unit"]) == (200, "ms")
    text = shown.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "log: rare, deep" in text
    assert "rows counted in: no table" in text


def test_visits_are_summed_up() -> None:
    page = Page.of([Visit(0.1, 0.02), Visit(0.3, 0.04), Visit(0.2, 0.03)])

    assert (page.latency.p50, page.latency.longest, page.cpu) == (200.0, 300.0, 30.0)


@pytest.mark.parametrize("words", [("--rows", "10"), ("--database", "oracle"), ("--times", "0")])
def test_what_cannot_be_measured_is_refused(words: Sequence[str]) -> None:
    assert CliRunner().invoke(main, ["benchmark", "console", *words]).exit_code == 2
