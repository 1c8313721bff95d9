"""Reveals with the grounds on which they were asked, read from the entries that tell them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from console.reveals import Reveal
from core.keyring import Keyring
from journal import found


@dataclass(frozen=True, slots=True)
class Told:
    """One reveal, and why it was asked for."""

    reveal: Reveal
    why: Mapping[str, str] = field(repr=False)


def with_grounds(session: Session, keyring: Keyring, reveals: Sequence[Reveal]) -> list[Told]:
    """Read why each of these was asked for."""
    acts = found.acts_of(session, keyring, [each.ask_entry_id for each in reveals])
    return [
        Told(each, acts[each.ask_entry_id].payload if each.ask_entry_id in acts else {})
        for each in reveals
    ]
