"""The view from inside: made-up people and their messages, read from the service's own tables."""

from collections.abc import Collection, Mapping

from core.db import Database
from core.keyring import Keyring
from journal.journal import Journal
from phone import inside, subscribers
from phone.inside import Inside
from phone.subscribers import Subscriber


class ServiceObserver:
    """Reads the tables of one deployment."""

    def __init__(self, database: Database, keyring: Keyring, journal: Journal) -> None:
        self._database = database
        self._keyring = keyring
        self._journal = journal

    def subscribers(self) -> tuple[Subscriber, ...]:
        """Return the invented people whose phones may be held."""
        return self._database.read(lambda s: subscribers.invented(s, self._keyring))

    def subscriber(self, number: str) -> Subscriber | None:
        """Return the invented person who has a telephone."""
        return self._database.read(lambda s: subscribers.by_number(s, self._keyring, number))

    def insides(self, network: str, message_ids: Collection[str]) -> Mapping[str, Inside]:
        """Return what happened to messages, by the network's ids for them."""
        if not message_ids:
            return {}
        return self._database.read(
            lambda session: inside.read(session, self._journal, network, message_ids)
        )
