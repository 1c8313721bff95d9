"""How a run of the console's benchmark is told: tables for people, JSON with keys that stay."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark import report as telling
from benchmark.console import Finding, Page, Plan, Report


def method(plan: Plan) -> str:
    """Say in one paragraph what was done, so that the figures can be doubted and repeated."""
    return (
        f"A deployment on a folder that is thrown away is filled with {plan.rows:,} entries and as "
        "many messages over 30 days, most of them with a reply: the entries through the journal, "
        "copies of a thousand that were prepared, one in 128 an act of an officer; the messages "
        "by statements over whole sets, their texts random bytes, which pages try to decrypt and "
        "cannot. Officers then open pages in the process of the application, by its WSGI "
        f"interface, one at a time, each kind of page {plan.times} times and in turn: the figures "
        "are what a page takes there, from the request to the last byte, its own entry committed "
        "and sealed before (on PostgreSQL by a sealer beside it), without server, proxy and "
        "network. CPU is the median of the process's own, without that of PostgreSQL. Counts for "
        "the caps of officers are emptied between pages. Every SELECT that Core ran is asked for "
        "its plan."
    )


def as_json(report: Report) -> dict[str, Any]:
    """Return the whole report with stable keys, its enumerations and times as text."""
    return {
        "benchmark": "console",
        "started_at": report.started_at.isoformat(timespec="seconds"),
        "plan": {"rows": report.plan.rows, "times": report.plan.times},
        "method": method(report.plan),
        "machine": asdict(report.machine),
        "databases": {found.database.value: _finding(found) for found in report.findings},
    }


def show(report: Report, console: Console) -> None:
    """Print the report for people."""
    console.print(Text(telling.hardware(report.machine), style="bold"))
    for found in report.findings:
        console.print(Text(found.version or found.database.value, style="bold underline"))
        if found.left_out:
            console.print(f"left out: {found.left_out}\n")
            continue
        console.print(telling.bars(list(found.verdicts)))
        console.print(_pages(found.pages))
        console.print(f"rows counted in: {', '.join(found.counted) or 'no table'}")
        console.print(f"read from end to end: {', '.join(found.scanned) or 'no table'}\n")
    console.print(Text(method(report.plan), style="dim"))


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "version": found.version,
        "left_out": found.left_out or None,
        "bars": [telling.verdict_as_json(verdict) for verdict in found.verdicts],
        "pages": {name: asdict(measured) for name, measured in found.pages.items()},
        "list": None if found.listing is None else asdict(found.listing),
        "counted": list(found.counted),
        "scanned": list(found.scanned),
    }


def _pages(pages: Mapping[str, Page]) -> Table:
    table = Table("page", box=SIMPLE_HEAD, pad_edge=False)
    for head in ("p50 ms", "p95 ms", "p99 ms", "longest ms", "CPU ms"):
        table.add_column(head, justify="right")
    for name, page in pages.items():
        took = page.latency
        figures = (took.p50, took.p95, took.p99, took.longest, page.cpu)
        table.add_row(name, *(f"{each:.0f}" for each in figures))
    return table
