"""A process of its own that takes a month's files in and compares them, as `billing` does.

Called with a folder; says on standard output what it found and how long each part took.
"""

import json
import sys
import time
from pathlib import Path

from benchmark.billing_month import MAPPING, OPERATOR, PERIOD, pricing
from billing.periods import Period
from billing.reconciliation import intake, mapping_file, report
from billing.reconciliation.comparison import Sides
from billing.reconciliation.intake import Taken
from billing.reconciliation.reconciling import compared
from billing.reconciliation.summary import as_json
from billing.reconciliation.unpacking import Tell


def main(folder: Path) -> None:
    """Reconcile the month that lies in a folder."""
    by = mapping_file.parse(MAPPING)
    began = time.monotonic()

    def took() -> float:
        nonlocal began
        before, began = began, time.monotonic()
        return round(began - before, 3)

    def taken(name: str, period: Period) -> Taken:
        into = folder / name
        into.mkdir()
        return intake.take(folder / f"{name}.csv", by, into, period, tell=_telling(name))

    theirs = taken("theirs", PERIOD)
    seconds = {"take": took()}
    after = taken("after", PERIOD.following)
    took()
    sides = Sides(
        period=PERIOD,
        ours=folder / "ours.parquet",
        theirs=[theirs.path],
        before=[],
        after=[after.path],
        pricing=pricing(),
        tolerance=by.tolerance,
    )
    scratch = folder / "scratch"
    scratch.mkdir()
    with compared(scratch, sides, OPERATOR, tell=_telling("compare")) as found:
        seconds["compare"] = took()
        report.write(found.duck, found.summary, folder)
        seconds["lists"] = took()
    said = {"seconds": seconds, "summary": as_json(found.summary), "memory": _largest()}
    print(json.dumps(said))  # noqa: T201 (what the benchmark reads)


def _largest() -> int:
    """Return the largest memory of this program, in bytes.

    What the kernel says of a process that ended counts what it was forked from, too.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _telling(what: str) -> Tell:
    """Say on standard error how far a part is, at each tenth."""
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if (tenth := 10 * done // max(total, 1)) > told:
            told = tenth
            print(f"{what} {tenth * 10} %", file=sys.stderr, flush=True)  # noqa: T201 (what the benchmark passes on)

    return tell


if __name__ == "__main__":
    main(Path(sys.argv[1]))
