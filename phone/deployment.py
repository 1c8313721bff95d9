"""What the phones need of the service that they stand beside."""

from typing import Protocol

from core.clock import Clock
from core.db import Database
from core.keyring import Keyring
from core.settings import Settings
from journal.journal import Journal


class Deployment(Protocol):
    """A service in demo mode, as whoever opened it hands it over."""

    @property
    def settings(self) -> Settings:
        """The settings it runs with."""
        ...

    @property
    def database(self) -> Database:
        """Its database."""
        ...

    @property
    def keyring(self) -> Keyring:
        """Its keyring."""
        ...

    @property
    def journal(self) -> Journal:
        """Its exchange journal."""
        ...

    @property
    def clock(self) -> Clock:
        """Its clock."""
        ...
