"""The service that is measured, set up and started as a user does it, on a folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3
from prometheus_client.parser import text_string_to_metric_families

from benchmark.errors import ServiceError
from benchmark.postgres import PostgresServer

LINK = "bench"
RATE = 100_000
START_SECONDS = 60
STOP_SECONDS = 30
_APP = Path(__file__).resolve().parents[1] / "app.py"
_STAGE_SUM = "tradan_stage_seconds_sum"


@dataclass(frozen=True, slots=True)
class Service:
    """A deployment: its folder, its settings, and the port it listens on."""

    folder: Path
    environ: Mapping[str, str]
    port: int

    @property
    def state(self) -> Path:
        """Where it keeps what it must not lose."""
        return self.folder / "state"

    def verb(self, *words: str | Path) -> str:
        """Run one verb of the command line and return what it printed.

        Raises: ServiceError unless it ended well.
        """
        ended = subprocess.run(  # noqa: S603 (our own command line)
            [sys.executable, str(_APP), *map(str, words)],
            env=dict(self.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            said = (ended.stderr or ended.stdout).strip()[-1000:]
            raise ServiceError(
                f"`{' '.join(map(str, words[:2]))}` ended {ended.returncode}: {said}"
            )
        return ended.stdout

    def stages(self) -> dict[str, float]:
        """Return the seconds that each stage says it has spent."""
        page = self._page("/metrics").decode()
        return {
            sample.labels["stage"]: sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == _STAGE_SUM
        }

    def ready(self) -> bool:
        """Tell whether the service takes messages."""
        try:
            return bool(self._page("/readyz"))
        except urllib3.exceptions.HTTPError:
            return False

    def _page(self, path: str) -> bytes:
        url = f"http://127.0.0.1:{self.port}{path}"
        answer = urllib3.request("GET", url, timeout=5, retries=False)
        return answer.data if answer.status == HTTPStatus.OK else b""


def make(folder: Path, postgres: PostgresServer | None) -> Service:
    """Make a deployment in *folder*: keys, an empty database, settings."""
    port = free_port()
    environ = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TRADAN_MODE": "test",
        "TRADAN_STATE_DIR": str(folder / "state"),
        "TRADAN_BIND": f"127.0.0.1:{port}",
        "TRADAN_PIN_SPACING_SECONDS": "0",
    }
    if postgres is not None:
        environ["TRADAN_DATABASE_URL"] = postgres.url.render_as_string(hide_password=False)
    service = Service(folder, environ, port)
    service.verb("init")
    return service


def connect(service: Service, *, port: int, secret_file: Path) -> str:
    """Make the link to the made-up operator that listens on *port*; return its webhook's path."""
    url = f"http://127.0.0.1:{port}/mt"
    options = ("--rate", str(RATE), "--mo-price", "0", "--test", "--json")
    told: dict[str, Any] = json.loads(
        service.verb(
            "operator", "add", LINK, "--kind", "http", "--send-url", url,
            "--secret-file", secret_file, *options,
        )
    )  # fmt: skip
    path: str = told["webhook_path"]
    return path


def populate(service: Service, *, citizens: int, seed: int) -> Path:
    """Fill the register with made-up people; return the file that they came from."""
    people = service.folder / "people.csv"
    service.verb("demo", "people", str(citizens), "--seed", str(seed), "--csv", people)
    service.verb("import", "people", people, "--test")
    return people


@contextmanager
def running(service: Service) -> Iterator[int]:
    """Run the service, and yield the root of its processes once it takes messages.

    Raises: ServiceError if it does not start.
    """
    log = service.folder / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (our own command line)
            # Killed outright, the benchmark could end nothing: then the kernel ends this.
            [sys.executable, str(_APP), "run", "--child-of", str(os.getpid())],
            env=dict(service.environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a keyboard's interrupt reaches it through the benchmark alone
        )
    try:
        _wait(service, process, log)
        yield process.pid
    finally:
        _stop(process)


def _wait(service: Service, process: subprocess.Popen[bytes], log: Path) -> None:
    gives_up_at = time.monotonic() + START_SECONDS
    while not service.ready():
        if process.poll() is not None or time.monotonic() > gives_up_at:
            raise ServiceError(f"`run` did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # the session that was begun for it
        process.wait()


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
