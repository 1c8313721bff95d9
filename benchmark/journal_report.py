"""How a run of the journal's benchmark is told: tables for people, JSON with keys that stay."""

from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark import report as telling
from benchmark.journal import PROOFS, Finding, Plan, Report
from benchmark.journal_bars import verdicts
from benchmark.journal_rows import Load, Size

_MEBIBYTE = 2**20


def method(plan: Plan) -> str:
    """Say in one paragraph what was done, so that the figures can be doubted and repeated."""
    return (
        "The journal is made by `init` on a folder that is thrown away, with flushing on, and "
        "filled in batches as large as a sealer takes. Clients are threads of one process with the "
        "journal, as HANDLE is: what waits is prepared as one batch, signed, encrypted and stored "
        "in one commit; each client appends one entry, waits until it is sealed under a signed "
        f"checkpoint, and appends the next. Each number of clients has {plan.rounds} rounds of "
        f"{plan.seconds:g} s, taken in turn at the first size; figures are medians over the "
        "rounds. Latency runs from the call that appends to the moment that the client knows the "
        "entry sealed. CPU is that of the process, and of the database where it has processes of "
        f"its own, divided by the entries. A proof is the median of {PROOFS}, over the whole "
        "journal. Verification is `journal verify` as an auditor types it, from its start to its "
        "end, by as many processes as there are cores: `tree` without openings and writers' "
        "signatures, `opened` without writers' signatures, `all` with everything; `export` is "
        "`verify_journal.py` on an export, without writers' signatures. Memory is the largest of "
        "its processes. A verification's start, measured on a journal that is all but empty, is "
        "left out where figures are reckoned up to a million entries."
    )


def as_json(report: Report) -> dict[str, Any]:
    """Return the whole report with stable keys, its enumerations and times as text."""
    plan = report.plan
    return {
        "benchmark": "journal",
        "started_at": report.started_at.isoformat(timespec="seconds"),
        "plan": {
            "clients": list(plan.clients),
            "entries": list(plan.entries),
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
        "start": found.start,
        "bars": [
            telling.verdict_as_json(verdict)
            for verdict in verdicts(found.database, found.loads, found.sizes, found.start)
        ],
        "loads": [asdict(load) for load in found.loads],
        "sizes": [asdict(size) for size in found.sizes],
    }


def show(report: Report, console: Console) -> None:
    """Print the report for people."""
    console.print(Text(telling.hardware(report.machine), style="bold"))
    for found in report.findings:
        console.print(Text(found.version or found.database.value, style="bold underline"))
        if found.left_out:
            console.print(f"left out: {found.left_out}\n")
            continue
        bars = verdicts(found.database, found.loads, found.sizes, found.start)
        console.print(telling.bars(bars))
        console.print(_loads(found.loads))
        console.print(_sizes(found.sizes))
    console.print(Text(method(report.plan), style="dim"))


def _loads(loads: tuple[Load, ...]) -> Table:
    table = Table("clients", box=SIMPLE_HEAD, pad_edge=False)
    for head in ("sealed/s", "p50 ms", "p95 ms", "p99 ms", "CPU µs", "database µs", "others %"):
        table.add_column(head, justify="right")
    for load in loads:
        latency = load.latency
        table.add_row(
            str(load.clients),
            f"{load.per_second:.0f}",
            *(f"{each:.1f}" for each in (latency.p50, latency.p95, latency.p99)),
            f"{load.cpu:.0f}",
            f"{load.database_cpu:.0f}",
            f"{100 * load.others:.0f}",
        )
    return table


def _sizes(sizes: tuple[Size, ...]) -> Table:
    table = Table("entries", box=SIMPLE_HEAD, pad_edge=False)
    for head in ("filled/s", "proof ms", "verified", "s", "CPU s", "MiB"):
        table.add_column(head, justify="right")
    for size in sizes:
        about = (f"{size.entries:,}", f"{size.filled:.0f}", f"{size.proof.p50:.2f}")
        for extent, found in size.verifications.items():
            row = (f"{found.seconds:.1f}", f"{found.cpu:.1f}", f"{found.resident / _MEBIBYTE:.0f}")
            table.add_row(*about, extent, *row)
            about = ("", "", "")
    return table
