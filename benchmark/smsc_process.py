"""The benchmark's end of the SMSC's process: orders out, outcomes in."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmark import smsc_package
from benchmark.errors import OperatorError
from benchmark.link_rows import Order, Outcome, Side
from benchmark.load import SHORT_CODE
from benchmark.operator_process import PATIENCE_SECONDS, ask, hear
from benchmark.people import Person
from benchmark.tally import Percentiles

# Ten million numbers of one network, whoever has them.
STRANGERS = "8490"
_NUMBERS = 10**7
_BOUND_SECONDS = 60
_SCRIPT = Path(__file__).with_name("smsc.js")


@dataclass(frozen=True, slots=True)
class SmscProcess:
    """An SMSC that runs beside the benchmark."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def people(self, file: Path) -> None:
        """Have the people in *file* look themselves up, each once and in their order."""
        ask(self.process, self.log, {"people": str(file)})

    def await_bound(self, who: Side) -> None:
        """Wait until *who* is bound.

        Raises: OperatorError if nobody is after a minute.
        """
        gives_up_at = time.monotonic() + _BOUND_SECONDS
        while not ask(self.process, self.log, {"bound": who})["bound"]:
            if time.monotonic() > gives_up_at:
                raise OperatorError(f"{who} did not bind to the SMSC")
            time.sleep(0.1)

    def run(self, order: Order) -> Outcome:
        """Run a round, and wait until all that it began has ended.

        Raises: OperatorError.
        """
        # What waits at the other end is answered first, however long that takes.
        patience = order.seconds + order.at_once + order.patience + PATIENCE_SECONDS
        told = ask(self.process, self.log, {"round": asdict(order)}, patience)
        if "outcome" not in told:
            raise OperatorError(told["error"])
        outcome = told["outcome"]
        spans = {name: Percentiles(**figures) for name, figures in outcome.pop("spans").items()}
        return Outcome(**outcome, spans=spans)


@contextmanager
def started(folder: Path, package: Path) -> Iterator[SmscProcess]:
    """Start an SMSC that writes its complaints to a file in *folder*."""
    log = folder / "smsc.log"
    told = {
        "short_code": SHORT_CODE,
        "strangers": STRANGERS,
        "first_stranger": secrets.randbelow(_NUMBERS),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (a program of our own)
            ["node", str(_SCRIPT), json.dumps(told)],  # noqa: S607 (the one that the package needs)
            cwd=folder,
            env={"NODE_PATH": str(package / "node_modules"), "PATH": os.defpath},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,  # a keyboard's interrupt reaches it through the benchmark alone
        )
    try:
        yield SmscProcess(process, log, hear(process, log, PATIENCE_SECONDS)["port"])
    finally:
        process.terminate()
        process.communicate()


def package_folder() -> Path:
    """Say where the package is kept: with what else this environment needs."""
    return smsc_package.installed(Path(sys.prefix) / "npm")


def write_people(path: Path, people: list[Person]) -> None:
    """Write the people who are to look themselves up, as the SMSC reads them."""
    lines = (f"{person.phone.removeprefix('+')} {person.personal_id}\n" for person in people)
    path.write_text("".join(lines), encoding="ascii")
