"""The verb `benchmark billing`: how fast a month is reconciled here, and whether it is right."""

import json
import sys
from pathlib import Path

import click

from cli.exits import FAILED
from cli.groups import Verb
from cli.measuring import measured

_FEWEST, _MOST = 10_000, 12_000_000


@click.command(
    "billing",
    cls=Verb,
    short_help="Measure how fast a month is reconciled.",
    examples=(
        "python app.py benchmark billing --records 1000000",
        "python app.py benchmark billing --json > billing.json",
    ),
)
@click.option(
    "--records",
    type=click.IntRange(_FEWEST, _MOST),
    default=10_000_000,
    show_default=True,
    help="How many records each side has.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures as JSON to this file too.",
)
def billing_command(*, records: int, as_json: bool, report_file: Path | None) -> None:
    """Reconcile a month made up with faults of every class, and one without, for who plans for it.

    Ends 0 when exactly what was planted was found and the totals are right (a bar that is missed is
    told, and is no failure), 1 when not, 69 when it could not be run, 130 when interrupted.
    """
    from rich.console import Console

    from benchmark.billing import measure
    from benchmark.billing_report import as_json as told
    from benchmark.billing_report import show
    from core.clock import SystemClock

    report = measured(lambda say: measure(records, now=SystemClock().now(), say=say))
    written = json.dumps(told(report), indent=2, ensure_ascii=False, sort_keys=True)
    if report_file is not None:
        report_file.write_text(written + "\n", encoding="utf-8")
    if as_json:
        click.echo(written)
    else:
        show(report, Console())
    if not all(run.sound for run in report.runs):
        sys.exit(FAILED)
