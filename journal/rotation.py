"""Rotation: the log's next key, and the end of the one before.

A key is prepared on every machine that may seal before it is announced: from its entry on, nobody
signs without it. ADR 0018.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from core import keys, log, metrics
from core.clock import Clock
from core.db import Database
from journal import log_keys
from journal.author import key_draft
from journal.entries import Draft
from journal.errors import KeyChangeError
from journal.journal import Journal
from journal.log_keys import LogKeys
from journal.note import Verifier

_logger = log.get_logger(__name__)


class Rotation:
    """Changes the keys of one log."""

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def prepare(self) -> Verifier:
        """Make the next key on this machine, unless it lies here already, and return it.

        Raises: KeyChangeError if the one before the newest is not retired yet.
        """
        found, held = self.now(), self._journal.held
        _see_that_one_signs(found)
        seed = held.prepared(found)
        if seed is None:
            keys.make_log(held.keys_dir)
            seed = held.prepared(found)
        if seed is None:
            raise KeyChangeError("the key that was made cannot be read: look into KEYS_DIR")
        return Verifier(found.origin, log_keys.public_of(seed))

    def now(self) -> LogKeys:
        """Return the log's keys as they are."""
        return self._database.read(self._journal.log_keys)

    def rotate(self, overlap: timedelta, *, by: str) -> LogKeys:
        """Announce the prepared key, from now on the newest.

        Raises: KeyChangeError if the one before the newest is not retired yet.
        """
        public = self.prepare().public

        def drafts(found: LogKeys) -> Sequence[Draft]:
            _see_that_one_signs(found)
            until = self._clock.now() + overlap
            newest = self._journal.held.signing_seed(found)
            told = log_keys.announce_next(found.origin, newest, public, until)
            return [key_draft("log", public, told, by=by)]

        return self._change(drafts)

    def retire(self, *, by: str, reason: str, early: bool = False) -> list[str]:
        """Retire the older of two keys; return the files destroyed here.

        Raises: KeyChangeError if there is none, or it is to sign for a while yet.
        """

        def drafts(found: LogKeys) -> Sequence[Draft]:
            if len(found.signing) == 1:
                raise KeyChangeError("one key of the log signs, and it is the newest")
            if not early and not _is_over(found, self._clock.now()):
                raise KeyChangeError(
                    f"the older key is to sign until {found.until:%Y-%m-%d %H:%M} UTC; with --now "
                    "it is retired before"
                )
            return self._retiring(found, by, reason)

        return self._journal.held.destroy_retired(self._change(drafts))

    def look_after(self) -> None:
        """Retire what has outlived its time, and destroy what was retired, here or elsewhere."""
        found = self.now()
        if self._journal.held.seed(found.newest.public) is None:
            _logger.error("journal.key_missing")
            metrics.ALARMS.labels("journal-key-missing").inc()
        elif len(found.signing) > 1 and _is_over(found, self._clock.now()):
            found = self._change(
                lambda now: self._retiring(now, "system", "overlap") if now.signing[1:] else ()
            )
        for name in self._journal.held.destroy_retired(found):
            _logger.warning("journal.key_destroyed", name=name)

    def _retiring(self, found: LogKeys, by: str, reason: str) -> list[Draft]:
        public = found.signing[0]
        newest = self._journal.held.signing_seed(found)
        told = log_keys.announce_retired(found.origin, newest, public)
        return [key_draft("log-retired", public, told, by=by, reason=reason)]

    def _change(self, drafts: Callable[[LogKeys], Sequence[Draft]]) -> LogKeys:
        return self._database.write(lambda session: self._journal.change(session, drafts))


def _see_that_one_signs(found: LogKeys) -> None:
    if len(found.signing) > 1:
        raise KeyChangeError(
            "two keys of the log sign already: retire the older one first (`journal key retire`)"
        )


def _is_over(found: LogKeys, now: datetime) -> bool:
    return found.until is None or now >= found.until
