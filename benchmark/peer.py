"""The usual way of putting an application behind an SMSC, run beside ours: Kannel and Flask.

What it is made of stands in deploy/bench, whose script starts it, waits until it serves, and ends
it when its input is closed.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.errors import NoPeerError
from benchmark.service import free_port

SCRIPT = Path(__file__).resolve().parents[1] / "deploy" / "bench" / "kannel.sh"
_READY = b"ready"


@contextmanager
def running(folder: Path, *, smsc_port: int, window: int) -> Iterator[int]:
    """Run Kannel, bound to the SMSC on *smsc_port*; yield the root of its processes.

    Raises: NoPeerError if it cannot be had, or does not start.
    """
    home = folder / "kannel"
    home.mkdir()
    ports = ("APP_PORT", "ADMIN_PORT", "SMSBOX_PORT", "SENDSMS_PORT")
    log = home / "start.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (a script of our own)
            ["/bin/sh", str(SCRIPT), str(smsc_port), str(home)],
            env={
                "PATH": f"{os.defpath}:/usr/sbin:/sbin",
                "LANG": "C.UTF-8",
                "PYTHON": sys.executable,
                "WINDOW": str(window),
                **{name: str(free_port()) for name in ports},
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,  # a keyboard's interrupt reaches it through the benchmark alone
        )
    try:
        _wait(process, log)
        yield process.pid
    finally:
        _stop(process)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for its one line, which it writes when it serves, or for its end."""
    assert process.stdout is not None  # noqa: S101 (it was asked for)
    if process.stdout.readline().strip() != _READY:
        raise NoPeerError(log.read_text(errors="replace").strip()[-1000:] or "it did not start")


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # the session that was begun for it
        process.communicate()
