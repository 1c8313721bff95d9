"""The verb `benchmark journal`: how fast this machine seals, proves and verifies entries."""

import json
import sys
from pathlib import Path

import click

from cli.exits import FAILED
from cli.groups import Verb
from cli.measuring import Numbers, measured

_MOST_CLIENTS = 1024
_FEWEST_ENTRIES, _MOST_ENTRIES = 100, 100_000_000


@click.command(
    "journal",
    cls=Verb,
    short_help="Measure how fast entries are sealed, proved and verified.",
    examples=(
        "python app.py benchmark journal",
        "python app.py benchmark journal --database sqlite --entries 100000,1000000",
        "python app.py benchmark journal --json > journal.json",
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
    "--entries",
    type=Numbers(_FEWEST_ENTRIES, _MOST_ENTRIES),
    default="100000",
    show_default=True,
    help="Sizes of the journal at which to prove and verify.",
)
@click.option(
    "--clients",
    type=Numbers(1, _MOST_CLIENTS),
    default="1,8,64",
    show_default=True,
    help="How many clients wait for entries to be sealed.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Rounds with each number of clients; medians are told.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 600),
    default=4,
    show_default=True,
    help="Length of a round of load.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures as JSON to this file too.",
)
def journal_command(
    *,
    database: str,
    entries: tuple[int, ...],
    clients: tuple[int, ...],
    rounds: int,
    seconds: float,
    as_json: bool,
    report_file: Path | None,
) -> None:
    """Measure the journal, for whoever wants to know what this machine can keep a record of.

    Makes a journal in a folder that is thrown away, fills it, has clients wait for their entries to
    be sealed, proves entries and verifies all of them. Takes some five minutes; a million entries
    take many more. Ends 0 when nothing was found (a bar that is missed is told, and is no failure),
    1 when something was, 69 when the journal could not be made, 130 when interrupted.
    """
    from rich.console import Console

    from benchmark.journal import Plan, measure
    from benchmark.journal_report import as_json as told
    from benchmark.journal_report import show
    from benchmark.lookup import Kind
    from core.clock import SystemClock

    kinds = tuple(Kind) if database == "both" else (Kind(database),)
    plan = Plan(kinds, seconds, rounds, clients, tuple(sorted(entries)))
    report = measured(lambda say: measure(plan, now=SystemClock().now(), say=say))
    written = json.dumps(told(report), indent=2, ensure_ascii=False, sort_keys=True)
    if report_file is not None:
        report_file.write_text(written + "\n", encoding="utf-8")
    if as_json:
        click.echo(written)
    else:
        show(report, Console())
    if not all(found.sound for found in report.findings):
        sys.exit(FAILED)
