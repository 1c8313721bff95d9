"""The verb `benchmark link`: how fast messages go through an SMPP link, beside Kannel."""

import json
import secrets
import sys
from pathlib import Path

import click

from cli.exits import FAILED
from cli.groups import Verb
from cli.measuring import measured

_SEEDS = 2**32
_MOST_AT_ONCE, _MOST_WINDOW = 4000, 100


@click.command(
    "link",
    cls=Verb,
    short_help="Measure an SMPP link, beside Kannel.",
    examples=(
        "python app.py benchmark link --smpp",
        "python app.py benchmark link --smpp --database sqlite --rounds 1 --citizens 5000",
        "python app.py benchmark link --smpp --json > link.json",
    ),
)
@click.option(
    "--smpp",
    is_flag=True,
    required=True,
    expose_value=False,
    help="The protocol; there is no other yet.",
)
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql", "both"]),
    default="both",
    show_default=True,
    help="On which database. PostgreSQL is started by the benchmark itself.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 600),
    default=5,
    show_default=True,
    help="Length of a round of load.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    help="Rounds of each kind of load; medians are told.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, _MOST_AT_ONCE),
    default=256,
    show_default=True,
    help="Messages that wait for their replies at once.",
)
@click.option(
    "--window",
    type=click.IntRange(1, _MOST_WINDOW),
    default=50,
    show_default=True,
    help="Of both sides and both ways: PDUs without an answer.",
)
@click.option(
    "--citizens",
    type=click.IntRange(100, 10_000_000),
    default=100_000,
    show_default=True,
    help="How many made-up people look themselves up, each once.",
)
@click.option("--alone", is_flag=True, help="Measure no Kannel beside it.")
@click.option(
    "--seed",
    type=click.IntRange(0, _SEEDS - 1),
    help="Repeats the people and the order of an earlier run  [default: a random one, told].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures as JSON to this file too.",
)
def link_command(
    *,
    database: str,
    seconds: float,
    rounds: int,
    at_once: int,
    window: int,
    citizens: int,
    alone: bool,
    seed: int | None,
    as_json: bool,
    report_file: Path | None,
) -> None:
    """Measure an SMPP link, for operators who want to know what it carries.

    Sets a service up that is thrown away, Kannel beside it, and one SMSC for both (which needs
    Node). Takes some five minutes for each database. Ends 0 when every check held (a missed bar is
    no failure), 1 when one did not, 69 when nothing could be measured, 130 when interrupted.
    """
    from rich.console import Console

    from benchmark.link import Plan, measure
    from benchmark.link_report import as_json as told
    from benchmark.link_report import show
    from benchmark.lookup import Kind
    from core.clock import SystemClock

    kinds = tuple(Kind) if database == "both" else (Kind(database),)
    seed = secrets.randbelow(_SEEDS) if seed is None else seed
    plan = Plan(kinds, seconds, rounds, at_once, window, citizens, seed, alone=alone)
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
