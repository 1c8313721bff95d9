"""The way out of a restore: the forgotten tail put back, or else a new log over what is left.

Both are for people to decide, two of them, and both are told in the journal itself. ADR 0018.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from core import log
from core.clock import Clock
from core.db import Database
from core.keyring import Keyring
from journal import cover, log_keys, published
from journal.author import key_draft
from journal.cover import Cause, Part
from journal.entries import Draft, Kind, Retention
from journal.errors import JournalFault, RecoveryError
from journal.held import HeldKeys
from journal.journal import MEMORY_FILE, Journal
from journal.leaf import Cover
from journal.log_keys import LogKeys
from journal.memory import Memory
from journal.mirror import FOLDER
from journal.stored import StoredTree
from journal.tail import Tail, find, replay
from journal.tree import TreeHead

_FRESH = f"{MEMORY_FILE}.new"
# What a leaf may hold of a name without an escape, and a note's key too.
_PLAIN = re.compile(r"[!#-*,-\[\]-~]{1,250}")
_logger = log.get_logger(__name__)

Fence = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Grounds:
    """Who decides on a recovery, and why."""

    by: str
    approvers: tuple[str, str]
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a journal on one machine, and what is remembered of it.

    Shape: *forked* if what is remembered is no beginning of what the database holds.
    """

    head: TreeHead
    keys: LogKeys
    remembered: TreeHead | None
    tail: Tail | None
    forked: bool

    @property
    def best(self) -> TreeHead:
        """The longest tree that can be had."""
        return self.tail.head if self.tail is not None else self.head

    @property
    def is_whole(self) -> bool:
        """Whether all that is remembered can be had."""
        known = self.remembered
        return not self.forked and (known is None or known.size <= self.best.size)

    @property
    def last_known(self) -> TreeHead:
        """The newest head that was ever signed, as far as this machine knows."""
        known = [self.best, *([self.remembered] if self.remembered else [])]
        return max(known, key=lambda head: head.size)


class Recovery:
    """Recovers the journal of one deployment, while nothing else runs on it."""

    def __init__(
        self, database: Database, keyring: Keyring, keys_dir: Path, state_dir: Path, clock: Clock
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._held = HeldKeys(keys_dir)
        self._state_dir = state_dir
        self._clock = clock

    def look(self, source: Path | None) -> Standing:
        """Say how things stand, with the tail that *source* holds.

        Raises: RecoveryError; JournalFault if the database's own tree is not sound.
        """
        keys = self._database.read(lambda session: StoredTree(session).all_log_keys())
        if keys is None or not keys.signing:
            raise RecoveryError("there is no journal in this database: restore another backup")
        head = self._database.read(lambda session: StoredTree(session).head())
        tail = None if source is None else self._database.read(lambda s: find(s, source))
        known = self._remembered(tail.keys if tail else keys)
        forked = known is not None and known.size <= head.size and not self._continues(known, head)
        return Standing(head, keys, known, tail, forked)

    def replay(self, found: Standing, grounds: Grounds, fence: Fence) -> TreeHead:
        """Put the tail back, with an entry that covers the openings which nothing brings back.

        Raises: RecoveryError if there is none, or it ends before what is remembered; JournalFault.
        """
        tail = found.tail
        if found.forked:
            raise RecoveryError(
                "what is remembered is not in the database's journal: two histories were written; "
                "only a new log leads on (--new-log)"
            )
        if not found.is_whole:
            raise RecoveryError(
                f"{found.last_known.size} leaves are remembered, and {_reach(found)}: find a newer "
                "mirror, on another machine, or begin a new log over what there is (--new-log)"
            )
        if tail is None or tail.head == found.head:
            raise RecoveryError("the database lacks nothing of what is there: nothing to replay")
        journal = self._journal(tail.keys, MEMORY_FILE)

        def work(session: Session) -> None:
            replay(session, tail)
            fence(session)
            journal.change(session, lambda _: [_loss(found, tail, grounds)])

        try:
            self._database.write(work)
        finally:
            journal.close()
        _logger.critical("journal.replayed", count=tail.head.size - tail.base.size)
        return tail.head

    def begin_anew(self, found: Standing, grounds: Grounds, fence: Fence) -> str:
        """Begin a new log over the leaves that can be had, and return its name.

        Its first entry tells what the log before had come to.
        Raises: RecoveryError if nothing is missing; JournalFault.
        """
        if found.is_whole and (found.tail is None or found.tail.head == found.head):
            raise RecoveryError("the database lacks nothing that is remembered: no new log is due")
        tail = found.tail if found.tail and found.tail.head != found.head else None
        name = name_after(found.keys.origin)
        (self._state_dir / _FRESH).unlink(missing_ok=True)
        journal = self._journal(tail.keys if tail else found.keys, _FRESH)

        def work(session: Session) -> None:
            if tail is not None:
                replay(session, tail)
            fence(session)
            journal.change(session, lambda keys: self._named(keys, name, found, tail, grounds))

        try:
            self._database.write(work)
        finally:
            journal.close()
            (self._state_dir / _FRESH).unlink(missing_ok=True)
        _logger.critical("journal.begun_anew", size=found.last_known.size)
        self._put_aside(_number(name))
        return name

    def is_left_behind(self) -> bool:
        """Tell whether this machine remembers a log that was begun anew since, elsewhere."""
        keys = self._database.read(lambda session: StoredTree(session).all_log_keys())
        memory = self._state_dir / MEMORY_FILE
        if keys is None or keys.former_origin is None or not memory.exists():
            return False
        return not self._is_of(memory, str(keys.first)) and any(
            self._is_of(memory, str(key)) for key in keys.ever
        )

    def adopt(self) -> list[str]:
        """Put aside what this machine keeps of the log before, and return where to.

        Raises: RecoveryError if it keeps nothing of one.
        """
        keys = self._database.read(lambda session: StoredTree(session).all_log_keys())
        if keys is None or not self.is_left_behind():
            raise RecoveryError("this machine remembers no log that was begun anew")
        return self._put_aside(_number(keys.origin))

    def _put_aside(self, number: int) -> list[str]:
        moved = []
        for name in (MEMORY_FILE, FOLDER):
            old, aside = self._state_dir / name, self._state_dir / f"{name}-{number}"
            if old.exists():
                old.rename(aside)
                moved.append(str(aside))
        return moved

    def _named(
        self, keys: LogKeys, name: str, found: Standing, tail: Tail | None, grounds: Grounds
    ) -> list[Draft]:
        announced = log_keys.announce_name(keys.origin, self._held.signing_seed(keys), name)
        draft = key_draft(
            "name",
            keys.newest.public,
            announced,
            by=grounds.by,
            act="journal-new-log",
            former_size=found.last_known.size,
            former_root=found.last_known.root.hex(),
            leaves=found.best.size,
            approved_by=grounds.approvers,
            reason=grounds.reason,
        )
        return [draft] if tail is None else [_loss(found, tail, grounds), draft]

    def _continues(self, known: TreeHead, head: TreeHead) -> bool:
        return self._database.read(lambda session: published.continues(session, known, head))

    def _remembered(self, keys: LogKeys) -> TreeHead | None:
        path = self._state_dir / MEMORY_FILE
        return self._memory_of(path, str(keys.first)) if path.exists() else None

    def _is_of(self, path: Path, identity: str) -> bool:
        try:
            return self._memory_of(path, identity) is not None
        except JournalFault:
            return False

    def _memory_of(self, path: Path, identity: str) -> TreeHead | None:
        memory = Memory(path, identity.encode())
        try:
            return memory.read()
        finally:
            memory.close()

    def _journal(self, keys: LogKeys, memory: str) -> Journal:
        path = self._state_dir / memory
        return Journal(self._database, self._keyring, self._held, keys, path, self._clock)


def name_after(origin: str) -> str:
    """Return the name of the log that is begun anew after one of this name.

    Raises: RecoveryError if a leaf could not tell it.
    """
    base, _, number = origin.rpartition("/")
    is_numbered = number.isascii() and number.isdecimal() and "/" in base
    name = f"{base}/{int(number) + 1}" if is_numbered else f"{origin}/2"
    if not _PLAIN.fullmatch(name):
        raise RecoveryError("the log's name holds characters that no leaf can tell")
    return name


def _reach(found: Standing) -> str:
    if found.tail is None:
        return f"the database ends at {found.head.size}, and no files reach as far"
    return f"{found.tail.source} ends at {found.tail.head.size}"


def _number(name: str) -> int:
    """Return the number of the log before the one of this name."""
    return int(name.rpartition("/")[2]) - 1


def _loss(found: Standing, tail: Tail, grounds: Grounds) -> Draft:
    return Draft(
        kind=Kind.ERASE,
        retention=Retention.ACT,
        actor=grounds.by,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={
            "act": "journal-recover",
            "from_size": found.head.size,
            "to_size": tail.head.size,
            "root": tail.head.root.hex(),
            "approved_by": grounds.approvers,
            "reason": grounds.reason,
        },
        cover=Cover(Cause.LOSS, Part.ALL, cover.written(range(tail.base.size, tail.head.size))),
    )
