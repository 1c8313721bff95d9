"""The benchmark's end of the made-up operator's process: orders out, outcomes in."""

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import OperatorError
from benchmark.operator import Link
from benchmark.tally import Order, Outcome, Percentiles

_HOUSE = Path(__file__).resolve().parents[1]
# Reading a large register's file takes its time; a round's is its own.
PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class OperatorProcess:
    """A made-up operator that runs beside the benchmark."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def take(self, link: Link) -> None:
        """Use this link from now on."""
        ask(self.process, self.log, {"link": asdict(link)})

    def people(self, file: Path, seed: str) -> None:
        """Send messages of the people in *file*, in an order that *seed* decides."""
        ask(self.process, self.log, {"people": {"file": str(file), "seed": seed}})

    def run(self, order: Order) -> Outcome:
        """Run a round, and wait until all that it began has ended."""
        patience = order.seconds + 4 * order.patience + PATIENCE_SECONDS
        told = ask(self.process, self.log, {"round": asdict(order)}, patience)["outcome"]
        spans = {name: Percentiles(**figures) for name, figures in told.pop("spans").items()}
        return Outcome(**told, spans=spans)

    def accepted(self, file: Path) -> None:
        """Write the ids of all messages that were acknowledged, and the replies they were due."""
        ask(self.process, self.log, {"accepted": str(file)})


@contextmanager
def started(folder: Path) -> Iterator[OperatorProcess]:
    """Start a made-up operator that writes its complaints to a file in *folder*."""
    log = folder / "operator.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmark.operator"],
            cwd=_HOUSE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,  # a keyboard's interrupt reaches it through the benchmark alone
        )
    try:
        yield OperatorProcess(process, log, hear(process, log, PATIENCE_SECONDS)["port"])
    finally:
        process.terminate()
        process.communicate()


def ask(
    process: subprocess.Popen[bytes],
    log: Path,
    order: dict[str, Any],
    patience: float = PATIENCE_SECONDS,
) -> dict[str, Any]:
    """Give one order and return the answer.

    Raises: OperatorError if there is none.
    """
    if process.stdin is None or process.poll() is not None:
        raise OperatorError(f"the made-up operator has ended: {_tail(log)}")
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    return hear(process, log, patience)


def hear(process: subprocess.Popen[bytes], log: Path, patience: float) -> dict[str, Any]:
    """Read the one line that answers an order; none is ever sent unasked.

    Raises: OperatorError.
    """
    if process.stdout is None or not select.select([process.stdout], [], [], patience)[0]:
        raise OperatorError(f"the made-up operator does not answer: {_tail(log)}")
    line = process.stdout.readline()
    if not line:
        raise OperatorError(f"the made-up operator has ended: {_tail(log)}")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _tail(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-2000:]
