"""Witnesses in processes of their own, ours and another's, reached over HTTP as in service."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from journal.cosignature import WitnessKey
from journal.note import Verifier
from tests.e2e.listener import free_port
from tests.e2e.waiting import until

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ROOT / ".venv/foreign"
NAME = "witness.example/w1"


@dataclass(slots=True)
class Process:
    """One witness that runs."""

    command: list[str]
    environment: dict[str, str]
    folder: Path
    port: int
    key: WitnessKey
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        """Where it takes checkpoints."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        until(self._answers, "the witness")

    def kill(self) -> None:
        """End it without warning: what it has started must end by itself."""
        self.process.kill()
        self.process.wait()
        until(lambda: not self._answers(), "the witness to be gone")

    def _answers(self) -> bool:
        try:
            found = urllib3.request("GET", f"{self.url}/none", retries=False, timeout=1)
        except urllib3.exceptions.HTTPError:
            return False
        return found.status == 404


@contextmanager
def ours(folder: Path, logs: Sequence[Verifier]) -> Iterator[Process]:
    """Run `journal witness serve`."""
    policy = folder / "policy"
    policy.write_text("".join(f"log {log}\n" for log in logs) + "quorum none\n")
    port = free_port()
    command = [
        sys.executable, "app.py", "journal", "witness", "serve", "--dir", str(folder / "state"),
        "--name", NAME, "--policy", str(policy), "--bind", f"127.0.0.1:{port}",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    with _running(command, environment, folder, port) as process:
        told = (folder / "log").read_text().splitlines()
        process.key = WitnessKey.parse(next(line for line in told if line.startswith(NAME)))
        yield process


@contextmanager
def another(folder: Path, logs: Sequence[Verifier]) -> Iterator[Process]:
    """Run `aics-witness`."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(FOREIGN),
        "AICS_WITNESS_CONFIG": str(folder / "witness.json"),
    }
    program = [sys.executable, "-m", "aics_witness"]
    made = [*program, "init", "--name", NAME, "--listen", f"127.0.0.1:{port}"]
    said = subprocess.run(made, env=environment, check=True, capture_output=True, text=True).stdout
    key = next(word for word in said.split() if word.startswith(f"{NAME}+"))
    configuration = folder / "witness.json"
    written = json.loads(configuration.read_text())
    written["logs"] = [{"origin": log.name, "vkeys": [str(log)]} for log in logs]
    configuration.write_text(json.dumps(written))
    with _running([*program, "serve"], environment, folder, port) as process:
        process.key = WitnessKey.parse(key)
        yield process


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], folder: Path, port: int
) -> Iterator[Process]:
    process = Process(command, environment, folder, port, WitnessKey("", b""))
    process.start()
    try:
        yield process
    finally:
        process.kill()
