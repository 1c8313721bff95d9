"""Acts of the command line: whatever a person changes there leaves an entry with the change."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from cli.context import Service

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from journal.entries import Draft, Entry, Kind
    from journal.leaf import PayloadValue

T = TypeVar("T")

# As long as an answer waits for its entry.
_SEALED_WITHIN = 5.0
_LOOK_SECONDS = 0.02


def perform(
    service: Service,
    act: str,
    work: "Callable[[Session], T]",
    said: "Mapping[str, PayloadValue] | None" = None,
    kind: "Kind | None" = None,
) -> T:
    """Do *work* and journal it in the same transaction; return once it is sealed.

    Raises: UnsealedError if it is done and its entry stays unsealed.
    """
    from journal.entries import Draft, Kind, Retention

    draft = Draft(
        kind=kind or Kind.ADMIN,
        retention=Retention.ACT,
        actor=service.person,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"act": act, **(said or {})},
    )
    return perform_as(service, draft, work)


def perform_as(service: Service, draft: "Draft", work: "Callable[[Session], T]") -> T:
    """Do *work* and journal it as drafted, as `perform` does."""
    journal = service.journal
    entries = journal.prepare([draft])

    def together(session: "Session") -> T:
        done = work(session)
        journal.append(session, entries)
        return done

    done = service.database.write(together)
    if service.database.dialect == "postgresql":
        _have_sealed(service, entries[0].id)
    return done


def perform_told(
    service: Service,
    actor: str,
    work: "Callable[[Session], tuple[T, Mapping[str, PayloadValue] | None]]",
) -> T:
    """Do *work* and journal what it says of itself, as `perform` does; None where it did nothing.

    Raises: UnsealedError if it is done and its entry stays unsealed.
    """
    from journal.entries import Draft, Kind, Retention

    def together(session: "Session") -> "tuple[T, Sequence[Entry]]":
        done, said = work(session)
        if said is None:
            return done, ()
        draft = Draft(
            kind=Kind.ADMIN,
            retention=Retention.ACT,
            actor=actor,
            actor_index=None,
            subject=None,
            subject_index=None,
            payload=said,
        )
        return done, service.journal.write(session, [draft])

    done, written = service.database.write(together)
    if written and service.database.dialect == "postgresql":
        _have_sealed(service, written[-1].id)
    return done


def _have_sealed(service: Service, entry_id: UUID) -> None:
    """Wait for the entry to be sealed, by us if need be: no worker need be running."""
    from journal.errors import UnsealedError

    until = service.clock.monotonic() + _SEALED_WITHIN
    pause = threading.Event()
    while service.database.read(lambda s: service.journal.index_of(s, entry_id)) is None:
        if service.clock.monotonic() >= until:
            raise UnsealedError
        if not service.journal.seal_once():
            pause.wait(_LOOK_SECONDS)
