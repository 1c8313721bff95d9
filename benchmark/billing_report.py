"""How a run of the billing benchmark is told: tables for people, JSON with keys that stay."""

from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark import report as telling
from benchmark.billing import Report, Run
from benchmark.billing_month import Expected

_MEBIBYTE = 2**20
METHOD = (
    "A month is made up on both sides: our usage as it comes out of the database (Parquet) and the "
    "operator's CSV file, times some seconds apart, the tariff changed at a midnight within. In "
    "the first, faults of every class are planted and reckoned apart from what makes the files; "
    "the second has none. A process of its own takes the file in (unpacked, seen whole, brought "
    "into its normal form), compares, and lists what differs as .xlsx and CSV; its largest memory "
    "and CPU are the kernel's. Reading usage out of the database is not in it. A run is sound when "
    "every fault is found under its class and the totals are right to the hundredth of a dong."
)


def as_json(report: Report) -> dict[str, Any]:
    """Return the whole report with stable keys."""
    return {
        "benchmark": "billing",
        "started_at": report.started_at.isoformat(timespec="seconds"),
        "method": METHOD,
        "machine": asdict(report.machine),
        "runs": [_run(run) for run in report.runs],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "records": run.month.records,
        "faults_of_each_class": run.month.faults,
        "file_bytes": run.file_size,
        "sound": run.sound,
        "verdict": run.verdict,
        "expected": _told(run.expected),
        "found": _told(run.found),
        "seconds": {**run.seconds, "all": run.whole},
        "cpu": run.cpu,
        "memory": run.memory,
        "others": run.others,
        "yardstick": run.yardstick,
        "bars": [telling.verdict_as_json(verdict) for verdict in run.verdicts],
    }


def _told(expected: Expected) -> dict[str, Any]:
    return {
        "ours": asdict(expected.ours),
        "theirs": asdict(expected.theirs),
        "classes": {
            kind.value + (f":{reason.value}" if reason else ""): count
            for (kind, reason), count in sorted(expected.classes.items(), key=str)
        },
    }


def show(report: Report, console: Console) -> None:
    """Print the report for people."""
    console.print(Text(telling.hardware(report.machine), style="bold"))
    for run in report.runs:
        faults = f"{run.month.faults:,} faults of each class" if run.month.faults else "no fault"
        console.print(
            Text(f"{run.month.records:,} records a side, {faults}", style="bold underline")
        )
        console.print(telling.bars(run.verdicts))
        console.print(_parts(run))
        for what, words in _words(run):
            console.print(f"{what}: {words}")
    console.print(Text(METHOD, style="dim"))


def _parts(run: Run) -> Table:
    table = Table("", box=SIMPLE_HEAD, pad_edge=False)
    for head in ("taken in, s", "compared, s", "listed, s", "CPU s", "MiB", "others %"):
        table.add_column(head, justify="right")
    table.add_row(
        "",
        *(f"{run.seconds[part]:.1f}" for part in ("take", "compare", "lists")),
        f"{run.cpu:.1f}",
        f"{run.memory / _MEBIBYTE:.0f}",
        f"{100 * run.others:.0f}",
    )
    return table


def _words(run: Run) -> list[tuple[str, str]]:
    classes = _told(run.found)["classes"]
    found = ", ".join(f"{count} {name}" for name, count in classes.items()) or "nothing differs"
    return [
        ("found", found),
        ("totals", "right to the hundredth of a dong" if run.sound else "WRONG"),
        ("sound", "yes" if run.sound else "NO: what was found is not what was planted"),
    ]
