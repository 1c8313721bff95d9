"""Verifies the journal beside the service: what is new each hour, everything each night.

By `journal verify` in a process of its own that lets all others go first, so that no answer waits
for it. What it finds stops disclosure.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from os import getpid
from pathlib import Path

from cli.exits import FAILED, INTEGRITY
from core import log, metrics
from core.chores import Chore, Keeper
from core.clock import Clock
from core.db import Database
from core.errors import CoreError
from core.leadership import Leadership
from journal import verifications
from journal.tree import TreeHead
from journal.verifications import Due, Result, State
from records.stops import StopReason
from sms.trips import Trips

_PROGRAM = Path(__file__).resolve().parents[1] / "app.py"
_LOOK_EVERY = timedelta(minutes=1)
# Whoever has asked for one looks on.
_HEED_EVERY = timedelta(seconds=2)
# A service that has just started has other things to do.
SETTLE = timedelta(minutes=5)
_END_SECONDS = 5.0
Tell = Callable[[int, int], None]
_log = log.get_logger(__name__)


class Command:
    """`journal verify` as a process that ends when it is told to, or when this one does."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._mutex = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()

    def __call__(self, due: Due, tell: Tell = lambda _done, _total: None) -> Result | None:
        """Verify, telling how far that is, and return what it came to; None if it was stopped."""
        words = ["journal", "verify", "--json", "--gently", "--child-of", str(getpid())]
        if due.since is not None:
            words += ["--since", f"{due.since.size}:{due.since.root.hex()}"]
        with self._mutex:
            if self._stopped.is_set():
                return None
            self._process = subprocess.Popen(  # noqa: S603 (this very program)
                [sys.executable, str(_PROGRAM), *words],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        with self._process as process:
            listener = threading.Thread(target=_listen, args=(process.stderr, tell))
            listener.start()
            told = process.stdout.read() if process.stdout else ""
            listener.join()
        if self._stopped.is_set():
            return None
        return _read(told, process.returncode, is_whole=due.since is None)

    def stop(self) -> None:
        """End what is under way, and begin nothing more."""
        with self._mutex:
            self._stopped.set()
            if self._process is None:
                return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)


class Verifying:
    """Has verified what is due, keeps what it came to, and stops disclosure after a finding."""

    def __init__(
        self,
        database: Database,
        trips: Trips,
        clock: Clock,
        verify: Callable[[Due, Tell], Result | None],
        jitter: timedelta,
        leadership: Leadership | None,
    ) -> None:
        self._database = database
        self._trips = trips
        self._clock = clock
        self._verify = verify
        self._jitter = jitter
        self._leadership = leadership

    def heed(self) -> None:
        """Verify if an officer has asked for it."""
        if self._database.read(verifications.asked) is not None:
            self.keep()

    def keep(self) -> None:
        """Verify if something is due, and if it is this process that does it."""
        if self._leadership is not None and not self._leadership.held():
            return
        now = self._clock.now()
        due = self._database.read(lambda session: verifications.due(session, now, self._jitter))
        if due is None:
            return
        number = self._database.write(lambda session: verifications.begin(session, due, now))
        result = self._verify(due, lambda done, total: self._note(number, done, total))
        if result is None:
            return
        self._tell(due, result)
        ended_at = self._clock.now()
        self._database.write(
            lambda session: verifications.end(session, number, result, ended_at),
        )

    def _note(self, number: int, done: int, total: int) -> None:
        now = self._clock.now()
        with suppress(CoreError):  # how far it is matters less than that it goes on
            self._database.write(lambda s: verifications.tell(s, number, done, total, now))

    def resign(self) -> None:
        """Let another process verify."""
        if self._leadership is not None:
            self._leadership.resign()

    def _tell(self, due: Due, result: Result) -> None:
        said = {"kind": due.extent, "state": result.state, "count": result.findings}
        if result.state is State.OK:
            _log.info("journal.verified", size=result.head.size if result.head else 0, **said)
            return
        _log.error("journal.not-verified", **said)
        if result.state is State.FOUND:
            self._trips.trip(StopReason.JOURNAL_FAULT)
        else:
            metrics.ALARMS.labels("verification-failed").inc()


class VerifyingKeeper(Keeper):
    """The thread that has the journal verified; to stop it ends a verification under way."""

    def __init__(
        self, verifying: Verifying, command: Command, clock: Clock, settle: timedelta = SETTLE
    ) -> None:
        settled_at = clock.now() + settle

        def keep() -> None:
            if clock.now() >= settled_at:
                verifying.keep()

        chores = (Chore(_HEED_EVERY, verifying.heed), Chore(_LOOK_EVERY, keep))
        super().__init__("verify", chores, clock)
        self._command = command
        self._verifying = verifying

    def stop(self) -> None:
        """Begin nothing more, and break off what is under way."""
        super().stop()
        self._command.stop()

    def join(self, seconds: float) -> None:
        """Wait for the thread, and let another process verify."""
        super().join(seconds)
        self._verifying.resign()


def _listen(lines: Iterable[str] | None, tell: Tell) -> None:
    """Hand on what the verb tells of its progress; what else it says is said where it is run."""
    for line in lines or ():
        words = line.split()
        if len(words) == len(("done", "total")) and all(word.isdecimal() for word in words):
            tell(*map(int, words))


def _read(told: str, code: int, *, is_whole: bool) -> Result:
    """Take what the verb told; a verification since a head leaves out what came before it."""
    if code not in {0, FAILED, INTEGRITY}:
        return Result(State.FAILED)
    try:
        said = json.loads(told)
        head = TreeHead(said["size"], bytes.fromhex(said["root"]))
        findings = sum(said["counts"].values())
        first = said["findings"][0] if said["findings"] else None
        left_out = len(said["incomplete"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return Result(State.FAILED)
    if findings:
        return Result(State.FOUND, head, findings, first and _named(first))
    is_complete = left_out == (0 if is_whole else 1)
    return Result(State.OK if is_complete else State.INCOMPLETE, head)


def _named(finding: Mapping[str, object]) -> str:
    place = "" if finding["seq"] is None else f" at {finding['seq']}"
    return f"{finding['code']}{place}: {finding['detail']}"
