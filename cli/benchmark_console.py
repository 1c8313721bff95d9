"""The verb `benchmark console`: how long the console's pages take over a million messages."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.exits import FAILED
from cli.groups import Verb
from cli.measuring import measured

if TYPE_CHECKING:
    from benchmark.console import Site

_FEWEST_ROWS, _MOST_ROWS = 1000, 100_000_000


@click.command(
    "console",
    cls=Verb,
    short_help="Measure how long the console's pages take.",
    examples=(
        "python app.py benchmark console",
        "python app.py benchmark console --database sqlite --rows 100000",
        "python app.py benchmark console --json > console.json",
    ),
)
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql", "both"]),
    default="both",
    show_default=True,
    help="On which database. PostgreSQL is started by the benchmark itself.",
)
@click.option(
    "--rows",
    type=click.IntRange(_FEWEST_ROWS, _MOST_ROWS),
    default=1_000_000,
    show_default=True,
    help="Messages, and entries, that the database holds.",
)
@click.option(
    "--times",
    type=click.IntRange(1, 10_000),
    default=60,
    show_default=True,
    help="How often each kind of page is opened.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures as JSON to this file too.",
)
def console_command(
    *, database: str, rows: int, times: int, as_json: bool, report_file: Path | None
) -> None:
    """Measure the console, for whoever wants to know how quick it stays.

    Makes a deployment in a folder that is thrown away, fills it with messages and entries, and
    opens pages. Takes minutes for each database, most of them to fill it. Ends 0 when no page
    counts the rows of what grows (a bar that is missed is told, and is no failure), 1 when one
    does, 69 when nothing could be measured, 130 when interrupted.
    """
    from rich.console import Console

    from benchmark.console import Plan, measure
    from benchmark.console_report import as_json as told
    from benchmark.console_report import show
    from benchmark.lookup import Kind
    from core.clock import SystemClock

    kinds = tuple(Kind) if database == "both" else (Kind(database),)
    plan, now = Plan(kinds, rows, times), SystemClock().now()
    report = measured(lambda say: measure(plan, _site, now=now, say=say))
    written = json.dumps(told(report), indent=2, ensure_ascii=False, sort_keys=True)
    if report_file is not None:
        report_file.write_text(written + "\n", encoding="utf-8")
    if as_json:
        click.echo(written)
    else:
        show(report, Console())
    if any(found.counted for found in report.findings):
        sys.exit(FAILED)


@contextmanager
def _site(environ: Mapping[str, str]) -> "Iterator[Site]":
    """Open the web application of a deployment in this process."""
    from cli.context import Service
    from cli.web import make_app
    from cli.wiring import receiver_of
    from core import log
    from sms.signals import Signal

    # What the pages log is no part of what is told here.
    log.configure(json=True)
    service = Service(dict(environ))
    try:
        yield service, make_app(service, receiver_of(service, Signal())).wsgi_app
    finally:
        service.close()
