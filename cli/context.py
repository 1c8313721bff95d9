"""What a verb works with: opened when first asked for, closed when the verb is done."""

import os
import pwd
from collections.abc import MutableMapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from core.clock import Clock, SystemClock

if TYPE_CHECKING:
    from core.db import Database
    from core.keyring import Keyring
    from core.settings import Settings
    from journal.journal import Journal
    from journal.policy import Policy
    from sms.links.registry import LinkRegistry


class Service:
    """The deployment that a verb acts on."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self.environ = environ
        self.clock: Clock = SystemClock()

    @classmethod
    def of(cls, settings: "Settings") -> "Service":
        """Make the service of settings that were read already."""
        service = cls({})
        service.__dict__["settings"] = settings
        return service

    @cached_property
    def settings(self) -> "Settings":
        """The settings of the environment."""
        from core.settings import Settings

        return Settings.from_env(self.environ)

    @cached_property
    def database(self) -> "Database":
        """The database, of which the migrations are seen to be current."""
        from core.errors import MigrationError
        from core.migrate import require_current

        url = self.settings.database_url
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            raise MigrationError(
                f"there is no database at {url.database}: run `python app.py init`"
            )
        database = self.raw_database
        require_current(database)
        return database

    @cached_property
    def raw_database(self) -> "Database":
        """The database, whatever its migrations."""
        from core.databases import open_database

        return open_database(self.settings.database_url)

    @cached_property
    def keyring(self) -> "Keyring":
        """The keyring, with its data keys."""
        from core import keys
        from core.errors import KeysError
        from core.keyring import Keyring

        # The files are looked at first: a missing key is the likelier fault and the clearer one.
        material = keys.load(self.settings.keys_dir)
        if len(material.indexes) > 1:
            # Locks and counts stand under the index a number had: under a new one they would lift.
            raise KeysError(
                ["a second index key is there: re-indexing comes with a later version; remove it"]
            )
        return Keyring.load(self.settings.keys_dir, self.database, self.clock)

    @cached_property
    def policy(self) -> "Policy | None":
        """The policy about witnesses, if there is one."""
        from core.errors import SettingsError
        from journal import policy
        from journal.errors import PolicyError

        path = self.settings.witness_policy
        if path is not None and not path.exists():
            hint = "there is no such file: `journal witness add` makes it, or unset this"
            raise SettingsError(self._in_policy([hint]))
        try:
            return None if path is None else policy.load(path)
        except PolicyError as error:
            raise SettingsError(self._in_policy(error.faults)) from error

    @cached_property
    def journal(self) -> "Journal":
        """The exchange journal."""
        from core.errors import SettingsError
        from journal import policy

        journal = self.open_journal(self.policy)
        faults = policy.unfit(self.policy, journal.verifier_keys) if self.policy else []
        if faults:
            journal.close()
            raise SettingsError(self._in_policy(faults))
        return journal

    def open_journal(self, policy: "Policy | None") -> "Journal":
        """Open the exchange journal under a policy, whether it is fit or not."""
        from journal.journal import Journal

        settings = self.settings
        return Journal.open(
            self.database,
            self.keyring,
            settings.keys_dir,
            settings.state_dir,
            f"tradan/{urlsplit(settings.public_url).hostname}",
            self.clock,
            policy,
        )

    @cached_property
    def links(self) -> "LinkRegistry":
        """The links to operators."""
        from sms.links.registry import LinkRegistry

        return LinkRegistry(self.database, self.keyring, self.clock)

    @property
    def person(self) -> str:
        """Who runs this verb, for the journal."""
        return f"console:{pwd.getpwuid(os.getuid()).pw_name}"

    def close(self) -> None:
        """Let go of what was opened."""
        for name in ("journal", "raw_database"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    def forsake(self) -> None:
        """Leave what was opened to the end of this process: to close it might wait for long."""
        for name in ("journal", "raw_database"):
            self.__dict__.pop(name, None)

    def _in_policy(self, faults: Sequence[str]) -> list[str]:
        path = self.settings.witness_policy
        return [f"TRADAN_WITNESS_POLICY ({path}): {fault}" for fault in faults]


pass_service = click.make_pass_decorator(Service)
