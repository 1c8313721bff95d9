"""Verbs run as they are typed, but without the second or two that their imports take.

A process that has imported everything, and holds nothing else, forks for each verb. In the fork
runs `app.py` itself, with the words, environment, folder and streams it was given.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

APP = Path(__file__).resolve().parents[1] / "app.py"
_PACKAGES = ("cli", "core", "journal", "records", "sms")
_SECONDS = 120
_HANDED = 5  # what is asked, three streams, and where to say how it ended


class Runner:
    """Has verbs run, each in a process of its own."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        # It ends when our end of the control socket is closed: with this process at the latest.
        self._forks = subprocess.Popen(
            [sys.executable, "-m", "tests.verbs", str(theirs.fileno())],
            cwd=APP.parent,
            env={**environ, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        self._asking = threading.Lock()

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        environ: dict[str, str],
        given: str,
        seconds: float,
    ) -> subprocess.CompletedProcess[str]:
        """Run one verb to its end; after so many seconds it is killed."""
        asked = {"words": words, "folder": str(folder), "environ": environ, "seconds": seconds}
        ends, says_how = os.pipe()
        with ExitStack() as stack:
            end = stack.enter_context(os.fdopen(ends))
            files = [stack.enter_context(TemporaryFile()) for _ in range(4)]
            for file, content in zip(files, (json.dumps(asked), given), strict=False):
                file.write(content.encode())
                file.seek(0)
            with self._asking:
                handed = [*(file.fileno() for file in files), says_how]
                socket.send_fds(self._control, [b"!"], handed)
            os.close(says_how)
            code = int(end.read())
            out, err = (_text(file) for file in files[2:])
        return subprocess.CompletedProcess(words, code, out, err)

    def close(self) -> None:
        """End what forks."""
        self._control.close()
        self._forks.wait()


def run(
    words: Sequence[str],
    *,
    environ: dict[str, str],
    folder: Path = APP.parent,
    given: str = "",
    seconds: float = _SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run one verb in *folder* under *environ*, with *given* to read from."""
    return _runner().run(words, folder, environ, given, seconds)


@cache
def _runner() -> Runner:
    made = Runner()
    atexit.register(made.close)
    return made


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


def _serve(control: socket.socket) -> None:
    """Fork for every verb that is asked for, until nobody can ask any more."""
    for package in _PACKAGES:
        folder = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(folder, f"{package}."):
            with suppress(Exception):  # the verb that needs it says so
                importlib.import_module(module.name)
    gc.freeze()  # what is here already is nothing that a verb need look through at its end
    while True:
        said, descriptors, _, _ = socket.recv_fds(control, 1, _HANDED)
        _bury()
        if not said:
            return
        if os.fork() == 0:
            control.close()
            _watch(*descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def _bury() -> None:
    """Let go of the forks that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _watch(request: int, typed: int, out: int, err: int, says_how: int) -> None:
    """Run a verb in another fork, and say how it ended."""
    with os.fdopen(request) as file:
        asked = json.load(file)
    verb = os.fork()
    if verb == 0:
        os.close(says_how)
        for number, descriptor in enumerate((typed, out, err)):
            os.dup2(descriptor, number)
            os.close(descriptor)
        _become(asked)
        return
    signal.signal(signal.SIGALRM, lambda *_: os.kill(verb, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, asked["seconds"])
    _, status = os.waitpid(verb, 0)
    os.write(says_how, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(asked: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["folder"])
    sys.argv = [str(APP), *asked["words"]]
    runpy.run_path(str(APP), run_name="__main__")


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
