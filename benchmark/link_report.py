"""How a run over an SMPP link is told: tables for people, JSON with keys that stay."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark import report as telling
from benchmark.link import WAITING, Finding, Plan, Report
from benchmark.link_bars import verdicts
from benchmark.link_rows import Load, Row, Side, Span
from benchmark.smsc_package import PACKAGE

_MEBIBYTE = 2**20
_LOADS = {Load.INGEST: "ingest", Load.HELP: "HD", Load.LOOKUP: "lookups"}


def method(plan: Plan) -> str:
    """Say in one paragraph what was done, so that the figures can be doubted and repeated."""
    return (
        "The service is set up and started by its own command line on a folder that is thrown "
        "away, with its standard PIN profile, database and journal on disk with flushing on; "
        "beside it Kannel with store-type=file in front of a Flask application of one sentence "
        f"(gunicorn, 2 workers of 8 threads). One SMSC (npm's {PACKAGE}, a process of its own on "
        "the same cores, over the loopback, no TLS) has both bound as transceivers with a window "
        f"of {plan.window} both ways and takes them in turn: HD by us, HD by Kannel, lookups by "
        f"us, ingest by Kannel, ingest by us; {plan.rounds} times, {plan.seconds:g} s each. "
        "Figures are medians over these rounds. HD comes from a new number each time and is "
        "answered with a sentence of 156 characters on either side. A lookup is DC, its PIN, XN "
        f"and its RESULT, that is two round trips, of {plan.citizens} made-up citizens in turn. In "
        f"both {plan.at_once} messages at once wait for their replies, the next being sent when "
        "one has come; a round trip counts if its reply came within the round. Ingest is HD sent "
        f"as fast as the window lets it, until the time is over or {WAITING} wait for their "
        "replies, which all still have to come; what counts is deliver_sm_resp OK, which the "
        "service gives after its commit and Kannel out of its memory. No receipts are sent. CPU "
        "is that of the whole tree of server processes, by the kernel's count, until all that the "
        "round began had ended, divided by its round trips; what processes that are no part of it "
        "took of the machine meanwhile is told beside it (the side that waits is among them)."
    )


def as_json(report: Report) -> dict[str, Any]:
    """Return the whole report with stable keys, its enumerations and times as text."""
    plan = report.plan
    return {
        "benchmark": "link",
        "protocol": "smpp",
        "started_at": report.started_at.isoformat(timespec="seconds"),
        "seed": plan.seed,
        "plan": {
            "at_once": plan.at_once,
            "citizens": plan.citizens,
            "rounds": plan.rounds,
            "seconds": plan.seconds,
            "window": plan.window,
        },
        "method": method(plan),
        "machine": asdict(report.machine),
        "databases": {found.database.value: _finding(found) for found in report.findings},
    }


def show(report: Report, console: Console) -> None:
    """Print the report for people."""
    console.print(Text(telling.hardware(report.machine), style="bold"))
    console.print(f"seed {report.plan.seed}, {report.plan.citizens} citizens\n")
    for found in report.findings:
        console.print(Text(found.version or found.database.value, style="bold underline"))
        if found.left_out:
            console.print(f"left out: {found.left_out}\n")
            continue
        if found.alone:
            console.print(Text(f"KANNEL WAS NOT MEASURED: {found.alone}", style="bold red"))
        console.print(telling.bars(verdicts(found.rows)))
        console.print(_rows(found))
        for one in found.rows:
            console.print(
                telling.most_first(f"CPU a message by thread, ms, {_name(one)}", one.threads)
            )
        for check in found.checks:
            console.print(telling.judged(check.held, f"{check.name}: {check.found}"))
        for one in found.rows:
            if one.faults:
                console.print(
                    telling.judged(held=False, words=f"faults, {_name(one)}: {one.faults}")
                )
        console.print()
    console.print(Text(method(report.plan), style="dim"))


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "version": found.version,
        "left_out": found.left_out or None,
        "without_kannel": found.alone or None,
        "sound": found.sound,
        "bars": [telling.verdict_as_json(verdict) for verdict in verdicts(found.rows)],
        "rows": [asdict(row) for row in found.rows],
        "checks": [asdict(check) for check in found.checks],
    }


def _rows(found: Finding) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for row in found.rows:
        table.add_column(_name(row), justify="right")
    for name, figure in _FIGURES:
        table.add_row(name, *(figure(row) for row in found.rows))
    return table


def _name(row: Row) -> str:
    who = "Kannel" if row.who is Side.KANNEL else "TraDan"
    return f"{who}, {_LOADS[row.load]}"


def _time(span: Span, which: str) -> Callable[[Row], str]:
    def told(row: Row) -> str:
        found = row.spans[span]
        return f"{getattr(found, which):.1f}" if found.count else "-"

    return told


_FIGURES: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("messages/s, median", lambda row: f"{row.per_second:,.0f}"),
    ("  slowest round", lambda row: f"{row.slowest_round:,.0f}"),
    ("  fastest round", lambda row: f"{row.fastest_round:,.0f}"),
    ("lookups/s", lambda row: f"{row.lookups_per_second:,.0f}" if row.lookups_per_second else "-"),
    ("sent → OK, ms     p50", _time(Span.ACCEPT, "p50")),
    ("                  p99", _time(Span.ACCEPT, "p99")),
    ("sent → reply, ms  p50", _time(Span.TRIP, "p50")),
    ("                  p99", _time(Span.TRIP, "p99")),
    ("DC → RESULT, ms   p50", _time(Span.LOOKUP, "p50")),
    ("                  p99", _time(Span.LOOKUP, "p99")),
    ("CPU a message, ms server", lambda row: f"{row.server_cpu:.2f}"),
    ("                database", lambda row: f"{row.database_cpu:.2f}"),
    ("                    SMSC", lambda row: f"{row.smsc_cpu:.2f}"),
    ("one PIN hash, ms of CPU", lambda row: f"{row.yardstick:.2f}"),
    ("taken by others, % of CPU", lambda row: f"{100 * row.others:.0f}"),
    ("memory, MiB", lambda row: f"{row.resident / _MEBIBYTE:.0f}"),
)
