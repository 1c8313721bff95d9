"""How a run is told: a table for people, and JSON with keys that stay."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmark.bars import Verdict, top, verdicts
from benchmark.lookup import IDLE_RATE, Finding, Plan, Report
from benchmark.machine import Machine
from benchmark.people import MIX
from benchmark.summary import Mode, Row
from benchmark.tally import Span

_GIBIBYTE = 2**30
_MEBIBYTE = 2**20


def method(plan: Plan) -> str:
    """Say in one paragraph what was done, so that the figures can be doubted and repeated."""
    mix = ", ".join(f"{share} % {kind}" for kind, share in MIX.items())
    return (
        "The service is set up and started by its own command line on a folder that is thrown "
        "away, with its standard PIN profile, database and journal on disk with flushing on. A "
        "made-up operator, a process of its own on the same cores, posts signed messages over "
        "kept-alive loopback connections, is handed the signed replies, reads the PIN and texts "
        f"it back: {mix}. {plan.citizens} made-up citizens ask in turn, in an order that the seed "
        f"decides. Each kind of load has {plan.rounds} rounds of {plan.seconds:g} s, taken in "
        "turn; figures are medians over the rounds. A lookup counts if its RESULT came within the "
        "round and was that of the right person. Latency runs from the 202 read by the operator "
        "to the reply read by the operator, for PIN and RESULT alike. CPU is that of the whole "
        "tree of server processes, by the kernel's count, until all that the round began had "
        "ended, divided by its lookups; everything else in the mix is charged to them too, and "
        "what processes that are no part of this took of the machine meanwhile is told beside it, "
        "as is the CPU time of one PIN hash just before, by which the speed of the cores is seen. "
        f"The idle client begins {IDLE_RATE:g} lookups a second; the fixed rate is half the top "
        "rate unless it was given."
    )


def as_json(report: Report) -> dict[str, Any]:
    """Return the whole report with stable keys, its enumerations and times as text."""
    plan = report.plan
    return {
        "benchmark": "lookup",
        "started_at": report.started_at.isoformat(timespec="seconds"),
        "seed": plan.seed,
        "plan": {
            "citizens": plan.citizens,
            "clients": list(plan.clients),
            "rate": plan.rate,
            "rounds": plan.rounds,
            "seconds": plan.seconds,
        },
        "method": method(plan),
        "machine": asdict(report.machine),
        "databases": {found.database.value: _finding(found) for found in report.findings},
    }


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "version": found.version,
        "left_out": found.left_out or None,
        "sound": found.sound,
        "bars": [verdict_as_json(verdict) for verdict in verdicts(found.database, found.rows)],
        "rows": [asdict(row) for row in found.rows],
        "checks": [asdict(check) for check in found.checks],
    }


def verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    """Shape a verdict for programs."""
    return {
        "name": verdict.bar.name,
        "what": verdict.bar.what,
        "unit": verdict.bar.unit,
        "limit": verdict.bar.limit,
        "at_least": verdict.bar.at_least,
        "measured": verdict.measured,
        "met": verdict.met,
    }


def show(report: Report, console: Console) -> None:
    """Print the report for people."""
    console.print(Text(hardware(report.machine), style="bold"))
    console.print(f"seed {report.plan.seed}, {report.plan.citizens} citizens\n")
    for found in report.findings:
        console.print(Text(found.version or found.database.value, style="bold underline"))
        if found.left_out:
            console.print(f"left out: {found.left_out}\n")
            continue
        console.print(_told(found))
    console.print(Text(method(report.plan), style="dim"))


def hardware(machine: Machine) -> str:
    """Name the machine in one line."""
    return (
        f"{machine.cpu}, {machine.cores} cores, {machine.memory / _GIBIBYTE:.0f} GiB, "
        f"{machine.system}, {machine.kernel}, {machine.file_system} (a page flushed in "
        f"{machine.flush:g} ms), Python {machine.python}"
    )


def _told(found: Finding) -> RenderableType:
    parts: list[RenderableType] = [bars(verdicts(found.database, found.rows)), _rows(found)]
    if best := top(found.rows):
        parts.append(most_first("CPU a lookup by thread, ms", best.threads))
        parts.append(most_first("time a lookup by stage, ms", best.stages))
    parts.extend(judged(check.held, f"{check.name}: {check.found}") for check in found.checks)
    parts.append(judged(not found.faults, f"faults of the rounds: {found.faults or 'none'}"))
    return Group(*parts, "")


def bars(found: list[Verdict]) -> Table:
    """Lay the bars beside what was measured."""
    table = Table("", "bar", "measured", "", box=SIMPLE_HEAD, pad_edge=False)
    for verdict in found:
        bar = verdict.bar
        sign = "≥" if bar.at_least else "≤"
        measured = (
            "not measured" if verdict.measured is None else f"{verdict.measured:g} {bar.unit}"
        )
        table.add_row(
            bar.what, f"{sign} {bar.limit:g} {bar.unit}", measured, judged(verdict.met, "")
        )
    return table


def _rows(found: Finding) -> Table:
    """Lay the loads side by side, so that the table fits a terminal."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for row in found.rows:
        table.add_column(_load(row), justify="right")
    for name, figure in _FIGURES:
        table.add_row(name, *(figure(row) for row in found.rows))
    return table


def _load(row: Row) -> str:
    match row.mode:
        case Mode.IDLE:
            return "idle"
        case Mode.OPEN:
            return f"at {row.rate:g}/s"
        case Mode.CLOSED:
            return f"{row.clients} client{'s' if row.clients > 1 else ''}"


def _time(span: Span, which: str) -> Callable[[Row], str]:
    def told(row: Row) -> str:
        found = row.spans[span]
        return f"{getattr(found, which):.1f}" if found.count else "-"

    return told


_FIGURES: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("lookups/s, median", lambda row: f"{row.lookups_per_second:.1f}"),
    ("  slowest round", lambda row: f"{row.slowest_round:.1f}"),
    ("  fastest round", lambda row: f"{row.fastest_round:.1f}"),
    ("accepted → PIN, ms    p50", _time(Span.PIN, "p50")),
    ("                      p95", _time(Span.PIN, "p95")),
    ("                      p99", _time(Span.PIN, "p99")),
    ("accepted → RESULT, ms p50", _time(Span.RESULT, "p50")),
    ("                      p95", _time(Span.RESULT, "p95")),
    ("                      p99", _time(Span.RESULT, "p99")),
    ("posted → accepted, ms p50", _time(Span.ACCEPT, "p50")),
    ("                      p99", _time(Span.ACCEPT, "p99")),
    ("CPU a lookup, ms   server", lambda row: f"{row.server_cpu:.2f}"),
    ("                 database", lambda row: f"{row.database_cpu:.2f}"),
    ("         made-up operator", lambda row: f"{row.operator_cpu:.2f}"),
    ("one PIN hash, ms of CPU", lambda row: f"{row.yardstick:.2f}"),
    ("taken by others, % of CPU", lambda row: f"{100 * row.others:.0f}"),
    ("memory of `run`, MiB", lambda row: f"{row.resident / _MEBIBYTE:.0f}"),
)


def most_first(title: str, parts: dict[str, float]) -> str:
    """Write in one line what something is made of."""
    ordered = sorted(parts.items(), key=lambda part: part[1], reverse=True)
    return f"{title}: " + (", ".join(f"{name} {cost:.2f}" for name, cost in ordered) or "none")


def judged(held: bool, words: str) -> Text:  # noqa: FBT001 (the verdict is what is told)
    """Write whether something held; without *words*, whether a bar was met."""
    sign = Text("met " if not words else "ok   ", style="green")
    if not held:
        sign = Text("missed" if not words else "FAIL ", style="red")
    return sign + words
