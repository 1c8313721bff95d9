"""Expiry: openings that outlived their class are blanked, and the months' keys destroyed.

Every process that runs does this daily for the key file of its machine; whichever comes first
blanks the rows for all. ADR 0014.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from core import log
from core.clock import Clock
from core.db import Database
from core.keyring import Keyring
from core.months import FIRST_MONTH
from journal import erasing, legal_holds, orders, retention
from journal.entries import Draft, Kind, Retention
from journal.erasing import Standing
from journal.errors import UnsealedError
from journal.journal import Journal
from journal.leaf import PayloadValue
from journal.legal_holds import Held
from journal.retention import PARTS

_logger = log.get_logger(__name__)
_LOOKS = 100
_LOOK_SECONDS = 0.05
_Chain = tuple[Retention, str]
_Months = dict[_Chain, set[int]]


@dataclass(frozen=True, slots=True)
class Expired:
    """What came of one run; the keys are those this machine had until now."""

    openings: int = 0
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sweep:
    blanked: int = 0
    held: _Months = field(default_factory=dict)


class Expiry:
    """Does what is due on this machine."""

    def __init__(
        self, database: Database, journal: Journal, keyring: Keyring, clock: Clock
    ) -> None:
        self._database = database
        self._journal = journal
        self._keyring = keyring
        self._clock = clock
        self._unmoved: tuple[_Months, Held] | None = None

    def run(self, *, whole: bool = False) -> Expired:
        """Blank what has expired and destroy its keys, except what is under a legal hold.

        *whole* looks at all openings, as after a database was restored; else only the months whose
        keys are still here are looked for.
        Raises: KeysError; OSError if the key file cannot be replaced.
        """
        self._keyring.month_keys.reread()
        held = self._database.read(legal_holds.in_force)
        due = self._due(held)
        if (due, held) == self._unmoved and not whole:
            return Expired()  # all that is due is held by somebody, as it was the last time
        key_ids = self._expired_ids() if whole else _ids(due)
        swept = self._sweep(key_ids)
        gone = {
            retention.purpose(*chain): months - swept.held.get(chain, set())
            for chain, months in due.items()
        }
        said: dict[str, PayloadValue] = {
            "act": "expire",
            "basis": "retention",
            "openings": swept.blanked,
        }
        keys = destroy_keys(self._database, self._journal, self._keyring, gone, said)
        if swept.blanked and not keys:
            self._database.write(partial(_tell, self._journal, said))
        keys += self._follow_orders(held)
        seal(self._database, self._journal)
        self._unmoved = None if swept.blanked or keys else (due, held)
        if swept.blanked or keys:
            _logger.info("journal.expired", count=swept.blanked, lines=len(keys))
        return Expired(swept.blanked, keys)

    def _due(self, held: Held) -> _Months:
        """Return the months whose keys are here and should not be, by class and part."""
        chains = self._keyring.month_keys.chains()
        due: _Months = {}
        for kind, part, purpose in retention.chains():
            through = retention.expired_through(kind, part, self._clock.now())
            due[kind, part] = chains[purpose].readable(through)
        return {
            (kind, part): {month for month in months if not held.has_month(kind, month)}
            for (kind, part), months in due.items()
        }

    def _follow_orders(self, held: Held) -> tuple[str, ...]:
        """Destroy the keys of months that were erased by order, on whichever machine."""
        gone: dict[str, set[int]] = {}
        for what, erased in self._database.read(orders.months_done):
            months = {m for m in erased.each() if not held.has_month(erased.retention, m)}
            if erased.retention is Retention.LOOKUP:
                for part in retention.parts_of(what):
                    name = retention.purpose(erased.retention, part)
                    gone.setdefault(name, set()).update(months)
        said = {"act": "destroy-keys", "basis": "order"}
        return destroy_keys(self._database, self._journal, self._keyring, gone, said)

    def _expired_ids(self) -> set[int]:
        now = self._clock.now()
        return {
            key_id
            for kind, part, _ in retention.chains()
            for key_id in retention.key_ids(
                kind, part, FIRST_MONTH, retention.expired_through(kind, part, now)
            )
        }

    def _sweep(self, key_ids: Collection[int]) -> _Sweep:
        swept = _Sweep()
        if key_ids:
            for ids in erasing.under_keys(self._database, key_ids):
                held, blanked = self._database.write(partial(self._blank, ids=ids))
                swept.blanked += blanked
                for each, part in held:
                    swept.held.setdefault((each.retention, part), set()).add(each.month)
        return swept

    def _blank(
        self, session: Session, ids: Collection[UUID]
    ) -> tuple[list[tuple[Standing, str]], int]:
        now, holds = self._clock.now(), legal_holds.in_force(session)
        expired = [
            (each, part)
            for each in erasing.of_entries(session, ids)
            for part in each.parts
            if each.month <= retention.expired_through(each.retention, part, now)
        ]
        held = [(each, part) for each, part in expired if holds.has(each)]
        for part in PARTS:
            gone = [each.entry_id for each, of in expired if of == part and not holds.has(each)]
            if gone:
                erasing.blank(session, gone, part)
        return held, len(expired) - len(held)


def destroy_keys(
    database: Database,
    journal: Journal,
    keyring: Keyring,
    gone: Mapping[str, Collection[int]],
    said: Mapping[str, PayloadValue],
) -> tuple[str, ...]:
    """Destroy months' keys on this machine, with an entry that says so, and return their names.

    Raises: KeysError; OSError if the key file cannot be replaced.
    """
    with keyring.month_keys.destroying(gone) as there:
        names = tuple(
            f"{purpose.removeprefix('journal-')} {month}"
            for purpose, months in sorted(there.items())
            for month in months
        )
        if names:
            database.write(partial(_tell, journal, {**said, "keys": names}))
    return names


def seal(database: Database, journal: Journal, entry_id: UUID | None = None) -> None:
    """Have what was written sealed, also where no worker runs; wait for one entry if it is named.

    Raises: UnsealedError if that entry stays unsealed.
    """
    if database.dialect != "postgresql":
        return
    pause = threading.Event()
    for _ in range(_LOOKS):
        while journal.seal_once():
            pass
        if entry_id is None or _is_sealed(database, journal, entry_id):
            return
        pause.wait(_LOOK_SECONDS)  # another process is at it
    raise UnsealedError


def _is_sealed(database: Database, journal: Journal, entry_id: UUID) -> bool:
    return database.read(lambda session: journal.index_of(session, entry_id)) is not None


def _tell(journal: Journal, said: Mapping[str, PayloadValue], session: Session) -> None:
    draft = Draft(
        kind=Kind.ERASE,
        retention=Retention.ACT,
        actor="system",
        actor_index=None,
        subject=None,
        subject_index=None,
        payload=said,
    )
    journal.write(session, [draft])


def _ids(due: _Months) -> set[int]:
    return {
        key_id
        for (kind, part), months in due.items()
        for month in months
        for key_id in retention.key_ids(kind, part, month, month)
    }
