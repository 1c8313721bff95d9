"""Which messages of the lookup log are asked for, as it is typed into its address or a form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from console import dates
from console.queries import messages
from console.queries.messages import Wanted
from core.keyring import Keyring
from sms.links.model import Link

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for, as it was typed."""

    text: str
    since: str
    until: str
    link: str
    command: str
    state: str
    reply: str

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Filter":
        """Read it from an address or a form."""
        typed = {name: given.get(name, "").strip()[:_LONGEST] for name in cls.__slots__}
        return cls(**typed)

    def as_arguments(self) -> dict[str, str]:
        """Return what of it is not empty, to be kept in links."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def bad_days(self, today: date) -> list[str]:
        """Return what stands for a day and is none."""
        return [d for d in (self.since, self.until) if d and not dates.read_day(d, today)]

    def wanted(
        self, session: Session, keyring: Keyring, links: Sequence[Link], today: date
    ) -> Wanted:
        """Say which messages that means."""
        since, until = dates.read_day(self.since, today), dates.read_day(self.until, today)
        return Wanted(
            since=dates.start_of(since) if since else None,
            until=dates.end_of(until) if until else None,
            # What is not there is asked for all the same: nothing matches it.
            link_id=next((e.id for e in links if e.code == self.link), 0) if self.link else None,
            command=self.command or None,
            state=self.state or None,
            reply=self.reply or None,
            ids=self._ids(session, keyring, links) if self.text else None,
        )

    def _ids(self, session: Session, keyring: Keyring, links: Sequence[Link]) -> frozenset[UUID]:
        numbers = {link.code: link.id for link in links}
        return messages.ids_of(session, keyring, numbers, self.text)
