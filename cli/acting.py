"""Acts of the command line: whatever a person changes there leaves an entry with the change."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy.orm import Session

from cli.context import Service
from journal.entries import Draft, Kind, Retention
from journal.leaf import PayloadValue

T = TypeVar("T")


def perform(
    service: Service,
    act: str,
    work: Callable[[Session], T],
    said: Mapping[str, PayloadValue] | None = None,
    kind: Kind = Kind.ADMIN,
) -> T:
    """Do *work* and journal it in the same transaction; return once it is sealed."""
    journal = service.journal
    draft = Draft(
        kind=kind,
        retention=Retention.ACT,
        actor=service.person,
        actor_index=None,
        subject=None,
        subject_index=None,
        payload={"act": act, **(said or {})},
    )
    entries = journal.prepare([draft])

    def together(session: Session) -> T:
        done = work(session)
        journal.append(session, entries)
        return done

    done = service.database.write(together)
    if service.database.dialect == "postgresql":
        # No worker need be running for an act of the command line to be sealed.
        journal.seal_once()
    return done
