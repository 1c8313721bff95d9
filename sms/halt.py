"""Stops and resumes the service, by everybody's hand: trips, console, command line, file.

The order of a stop is what keeps its promise: the file first, which every send on this machine
looks at before its first byte; then the row, which every claim looks at; then the time for which a
claim made before still licenses a start. After that nothing of its scope starts.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from core import log, metrics
from core.clock import Clock
from core.db import Database
from core.errors import UnavailableError
from core.threads import begun
from journal.entries import Draft, Kind, Retention
from journal.errors import JournalError
from journal.journal import Journal
from journal.leaf import PayloadValue
from records import stop_file, stops
from records.stop_file import StopFile
from records.stops import Order, Scope, Stop, StopReason
from sms.outbound import LICENCE_SECONDS

T = TypeVar("T")

# These hold disclosure on the whole machine, and so may be put in force by its file.
WHOLE = (Scope.SERVICE, Scope.DISCLOSURE)
# So long a stop that the file holds waits to be written down: who stops is not kept waiting.
_PATIENCE_SECONDS = 1.0
_log = log.get_logger(__name__)


class Halt:
    """Puts stops in force and lifts them, each with its entry where one can be written."""

    def __init__(self, database: Database, journal: Journal, state_dir: Path, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._state_dir = state_dir
        self._clock = clock

    def stop(self, order: Order) -> int | None:
        """Put a stop in force; when this returns nothing of its scope starts any more.

        Returns its number, or None if the database did not take it in time and the file of this
        machine alone holds it. Raises: UnavailableError if neither could be done.
        """
        metrics.ALARMS.labels("stopped").inc()
        _log.critical("service.stopped", scope=order.scope, reason=order.reason)
        is_whole = order.scope in WHOLE
        is_ours = is_whole and self._stop_by_file(order)
        is_held = is_whole and stop_file.is_there(self._state_dir)
        number = self._order_in_time(order) if is_held else self.order(order)
        if number is None:
            return None
        threading.Event().wait(LICENCE_SECONDS)
        if is_ours:
            stop_file.remove(self._state_dir)
        return number

    def order(self, order: Order) -> int:
        """Write a stop down, with its entry if that can be; what was licensed may still start.

        Raises: UnavailableError.
        """
        now = self._clock.now()

        def work(session: Session) -> tuple[int | None, bool]:
            number = stops.stop(session, order, now)
            return number or _standing(session, order), number is not None

        said: dict[str, PayloadValue] = {
            "act": "stop",
            "scope": order.scope,
            "key": order.key,
            "reason": order.reason,
        }
        number, _is_new = self._with_entry(order.by, said, work, if_new=lambda done: done[1])
        if number is None:
            raise UnavailableError("the stop was lifted while it was ordered: order it again")
        return number

    def ask_resume(self, stop_id: int, *, by: str, note: str) -> Stop:
        """Ask that a stop be lifted.

        Raises: StopError if it is not in force; UnavailableError; JournalError.
        """
        now = self._clock.now()
        return self._change(
            "resume-ask",
            by,
            stop_id,
            lambda session: stops.ask_resume(session, stop_id, by=by, note=note, now=now),
        )

    def refuse_resume(self, stop_id: int, *, by: str) -> Stop:
        """Let a stop stand that somebody asked to lift.

        Raises: StopError if it is not in force; UnavailableError; JournalError.
        """
        return self._change(
            "resume-refuse", by, stop_id, lambda session: stops.refuse_resume(session, stop_id)
        )

    def resume(self, stop_id: int, *, by: str) -> Stop:
        """Lift a stop that somebody else has asked to lift.

        Raises: StopError if that is not so; UnavailableError; JournalError.
        """
        now = self._clock.now()
        lifted = self._change(
            "resume", by, stop_id, lambda session: stops.resume(session, stop_id, by=by, now=now)
        )
        _log.warning("service.resumed", scope=lifted.scope, reason=lifted.reason)
        self.heed_file()
        return lifted

    def heed_file(self) -> None:
        """Put a stop in force for a file that has none yet; remove one whose stop was lifted.

        Raises: UnavailableError; OSError.
        """
        found = stop_file.read(self._state_dir)
        if found is None or self._is_being_written():
            return
        if found.stop_id is None:
            number = self.order(
                Order(
                    scope=_scope(found.scope),
                    reason=_reason(found.reason),
                    note=found.note or "",
                    by=found.by or "file",
                )
            )
            stop_file.write(self._state_dir, replace(found, stop_id=number))
            return
        number = found.stop_id
        standing = self._database.read(lambda session: stops.find(session, number))
        if standing is not None and standing.resumed_at is not None:
            stop_file.remove(self._state_dir)

    def _is_being_written(self) -> bool:
        """Tell whether somebody may be in the midst of a stop, who then sees to the file."""
        try:
            written_at = (self._state_dir / stop_file.NAME).stat().st_mtime
        except FileNotFoundError:
            return True
        age = self._clock.now().timestamp() - written_at
        return timedelta(0) <= timedelta(seconds=age) < timedelta(seconds=5)

    def _order_in_time(self, order: Order) -> int | None:
        """Write down a stop that the file holds; None if the database is not done with it yet.

        What it does take later stands all the same, and `heed_file` makes the two one.
        """
        try:
            return begun(lambda: self.order(order)).result(_PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 (whatever it is, the file holds the stop)
            _log.error("service.stop_not_written", **log.failure(error))
            return None

    def _stop_by_file(self, order: Order) -> bool:
        said = file_of(order)
        if stop_file.is_there(self._state_dir):
            # Somebody else's stays until that stop is lifted.
            return stop_file.read(self._state_dir) == said
        try:
            stop_file.write(self._state_dir, said)
        except OSError as error:
            _log.error("service.stop_file_not_written", **log.failure(error))
            return False
        return True

    def _change(self, act: str, by: str, stop_id: int, work: Callable[[Session], Stop]) -> Stop:
        """Change a stop together with its entry: what lets go is not done without one."""
        entries = self._journal.prepare([_draft(by, {"act": act, "stop": stop_id})])

        def together(session: Session) -> Stop:
            changed = work(session)
            self._journal.append(session, entries)
            return changed

        return self._database.write(together)

    def _with_entry(
        self,
        by: str,
        said: dict[str, PayloadValue],
        work: Callable[[Session], T],
        *,
        if_new: Callable[[T], bool],
    ) -> T:
        """Do what stops with its entry, and without one where none can be written."""

        def together(session: Session) -> T:
            done = work(session)
            if if_new(done):
                self._journal.append(session, entries)
            return done

        try:
            entries = self._journal.prepare([_draft(by, said)])
            return self._database.write(together)
        except (JournalError, UnavailableError) as error:
            # The tables of the journal may be all that is in the way.
            _log.error("service.stop_without_entry", **log.failure(error))
            return self._database.write(work)


def file_of(order: Order) -> StopFile:
    """Return what the file of a stop says before the stop has a number."""
    return StopFile(None, order.by, order.reason, order.note or None, order.scope)


def _standing(session: Session, order: Order) -> int | None:
    same = [s.id for s in stops.standing(session) if (s.scope, s.key) == (order.scope, order.key)]
    return same[0] if same else None


def _scope(word: str | None) -> Scope:
    return Scope.SERVICE if word == Scope.SERVICE else Scope.DISCLOSURE


def _reason(word: str | None) -> StopReason:
    try:
        return StopReason(word or "")
    except ValueError:
        return StopReason.SECURITY


def _draft(by: str, said: dict[str, PayloadValue]) -> Draft:
    return Draft(
        kind=Kind.CONTROL,
        retention=Retention.ACT,
        actor=by,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload=said,
    )
