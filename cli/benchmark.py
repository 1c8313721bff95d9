"""The verb `benchmark`: how fast this machine serves whole lookups."""

import json
import secrets
import sys
from pathlib import Path

import click

from cli.exits import FAILED
from cli.measuring import Numbers, measured

_SEEDS = 2**32
_MOST_CLIENTS = 1024


_HELP = """Measure whole lookups, for whoever wants to know what this machine can serve.

Sets a service up in a folder that is thrown away, runs it as `run` does, and lets a made-up
operator post signed messages and be handed the replies over the loopback. Takes about five
minutes. Ends 0 when every check held (a bar that is missed is told, and is no failure), 1 when one
did not, 69 when the service could not be started, 130 when interrupted.

\b
Examples:
  python app.py benchmark
  python app.py benchmark lookup --database sqlite --rounds 1 --citizens 5000
  python app.py benchmark --json > figures.json
"""


@click.command("benchmark", short_help="Measure whole lookups on this machine.", help=_HELP)
@click.argument("what", type=click.Choice(["lookup"]), default="lookup")
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
    "--clients",
    type=Numbers(1, _MOST_CLIENTS),
    default="1,16,64",
    show_default=True,
    help="How many clients ask side by side, each as soon as it was told.",
)
@click.option(
    "--citizens",
    type=click.IntRange(100, 10_000_000),
    default=100_000,
    show_default=True,
    help="How many made-up people ask; each at most three times.",
)
@click.option(
    "--rate",
    type=click.FloatRange(1, 100_000),
    help="Lookups begun each second for the latency  [default: half the top rate].",
)
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
def benchmark_command(
    what: str,  # noqa: ARG001 (the one thing there is to measure)
    *,
    database: str,
    seconds: float,
    rounds: int,
    clients: tuple[int, ...],
    citizens: int,
    rate: float | None,
    seed: int | None,
    as_json: bool,
    report_file: Path | None,
) -> None:
    """Measure whole lookups and tell what was found."""
    from rich.console import Console

    from benchmark.lookup import Kind, Plan, measure
    from benchmark.report import as_json as told
    from benchmark.report import show
    from core.clock import SystemClock

    kinds = tuple(Kind) if database == "both" else (Kind(database),)
    seed = secrets.randbelow(_SEEDS) if seed is None else seed
    plan = Plan(kinds, seconds, rounds, clients, citizens, rate, seed)
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
