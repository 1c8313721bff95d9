"""Runs the stages behind the webhook as threads: HANDLE, SEAL, SEND, and housekeeping."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core import log, metrics
from core.chores import Chore, Keeper
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from core.keyring import Keyring
from core.threads import name_thread
from journal.errors import JournalFault
from journal.journal import Journal
from journal.sealer import Sealer
from records import pins
from records.stops import StopReason
from sms import inbound, outbox, queue
from sms.handler import Handler
from sms.outbound import Dispatcher
from sms.signals import Pace, Signal
from sms.trips import Trips

_TROUBLE_SECONDS = 1.0
_OFTEN = timedelta(seconds=1)
_SELDOM = timedelta(minutes=1)
_HOURLY = timedelta(hours=1)
DRAIN_SECONDS = 30.0
_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the stages are made of."""

    database: Database
    keyring: Keyring
    journal: Journal
    handler: Handler
    dispatcher: Dispatcher
    trips: Trips
    clock: Clock
    received: Signal
    written: Signal


class Stages:
    """The threads of one process, started together and drained together."""

    def __init__(self, parts: Parts, keepers: Sequence[Keeper] = ()) -> None:
        self._parts = parts
        self._stop_handling = threading.Event()
        self._stop_sealing = threading.Event()
        self._stop_sending = threading.Event()
        self._handling = _thread("handle", self._handle)
        self._sending = _thread("send", lambda: parts.dispatcher.run(self._stop_sending))
        chores = (
            Chore(_OFTEN, self._keep_often),
            Chore(_SELDOM, self._keep_seldom),
            Chore(_HOURLY, self._forget),
        )
        self._keepers = (Keeper("housekeeping", chores, parts.clock), *keepers)
        self._catching_up = True
        self._sealer: Sealer | None = None
        self._sealing: threading.Thread | None = None
        self._drained_by = 0.0

    def start(self) -> None:
        """Start every stage, taking back what a dead process of this database still holds."""
        parts = self._parts
        if parts.database.dialect == "sqlite":
            now = parts.clock.now()
            parts.database.write(queue.take_back)
            parts.database.write(lambda session: outbox.take_back(session, now))
        else:
            self._sealer = parts.journal.sealer()
            self._sealing = _thread("seal", self._seal)
            self._sealing.start()
        # First: replies that wait leave by what they keep.
        for keeper in self._keepers:
            keeper.start()
        self._handling.start()
        self._sending.start()

    def drain(self) -> None:
        """Finish what has begun, take on nothing new, and return when all is recorded."""
        parts = self._parts
        self._drained_by = parts.clock.monotonic() + DRAIN_SECONDS
        self._stop_handling.set()
        for keeper in self._keepers:
            keeper.stop()
        parts.received.ring()
        self._join(self._handling)
        self._stop_sealing.set()
        if self._sealer is not None and self._sealing is not None:
            self._sealer.wake()
            self._join(self._sealing)
        self._stop_sending.set()
        parts.written.ring()
        self._join(self._sending)
        for keeper in self._keepers:
            self._join(keeper)

    def _join(self, thread: threading.Thread | Keeper) -> None:
        thread.join(max(0.0, self._drained_by - self._parts.clock.monotonic()))

    def _handle(self) -> None:
        count, pace = 0, Pace(self._parts.clock)
        # What was acknowledged before the end is answered before the end, if there is time.
        while not self._stop_handling.is_set() or (count and self._may_go_on()):
            try:
                count = self._parts.handler.run_once()
            except UnavailableError as error:
                count = 0  # or draining would go on, with nothing to wait for in between
                _log.error("handle.database-unavailable", **log.failure(error))
                self._stop_handling.wait(_TROUBLE_SECONDS)
                continue
            except Exception as error:  # noqa: BLE001 (the loop outlives any one fault)
                count = 0
                _log.error("handle.failed", **log.failure(error))
                metrics.ALARMS.labels("handle-failed").inc()
                self._stop_handling.wait(_TROUBLE_SECONDS)
                continue
            if not count:
                self._parts.received.wait(pace.seconds())
                continue
            pace.worked()
            if self._sealer is not None:
                self._sealer.wake()

    def _may_go_on(self) -> bool:
        return self._parts.clock.monotonic() < self._drained_by - DRAIN_SECONDS / 2

    def _seal(self) -> None:
        if self._sealer is not None:
            self._sealer.run(
                self._stop_sealing,
                on_sealed=lambda _count: self._parts.written.ring(),
                on_fault=self._journal_fault,
            )

    def _journal_fault(self, error: JournalFault) -> None:
        _log.error("seal.fault", code=error.code, **log.failure(error))
        self._parts.trips.trip(StopReason.JOURNAL_FAULT)

    def _keep_often(self) -> None:
        parts = self._parts
        try:
            parts.journal.keep_memory()
        except JournalFault as error:
            self._journal_fault(error)
        waiting = parts.database.read(queue.oldest)
        age = (parts.clock.now() - waiting).total_seconds() if waiting else 0.0
        metrics.QUEUE_AGE.set(age)
        parts.database.checkpoint()

    def _keep_seldom(self) -> None:
        parts = self._parts
        now = parts.clock.now()
        parts.keyring.provide()
        parts.database.write(lambda session: pins.expire(session, now))

    def _forget(self) -> None:
        now, catching_up = self._parts.clock.now(), self._catching_up
        self._parts.database.write(
            lambda session: inbound.forget(session, now, catching_up=catching_up)
        )
        self._catching_up = False


def _thread(name: str, work: Callable[[], None]) -> threading.Thread:
    def named() -> None:
        name_thread(name)
        work()

    return threading.Thread(target=named, name=name, daemon=True)
