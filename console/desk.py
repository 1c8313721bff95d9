"""What the console's pages work with."""

from dataclasses import dataclass
from typing import Protocol

from console.access.login import Reception
from console.access.meter import Meter
from console.access.passwords import Passwords
from console.acts import Acts
from core.clock import Clock
from core.db import Database
from core.keyring import Keyring
from core.settings import Settings
from journal.journal import Journal
from sms.links.registry import LinkRegistry


class Deployment(Protocol):
    """The deployment that the console is of."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def settings(self) -> Settings:
        """What the environment decides."""
        ...

    @property
    def database(self) -> Database:
        """The database."""
        ...

    @property
    def keyring(self) -> Keyring:
        """The keyring."""
        ...

    @property
    def journal(self) -> Journal:
        """The exchange journal."""
        ...

    @property
    def links(self) -> LinkRegistry:
        """The links to operators."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """A deployment, and what the console does on it."""

    settings: Settings
    database: Database
    switch: Database
    keyring: Keyring
    journal: Journal
    links: LinkRegistry
    clock: Clock
    reception: Reception
    acts: Acts
    meter: Meter

    @classmethod
    def of(cls, deployment: Deployment) -> "Desk":
        """Make the desk of a deployment."""
        database, keyring, clock = deployment.database, deployment.keyring, deployment.clock
        acts = Acts(database, deployment.journal, keyring, clock)
        return cls(
            settings=deployment.settings,
            database=database,
            switch=database.reserved(),
            keyring=keyring,
            journal=deployment.journal,
            links=deployment.links,
            clock=clock,
            reception=Reception(database, keyring, Passwords(), clock),
            acts=acts,
            meter=Meter(database, acts, clock),
        )
