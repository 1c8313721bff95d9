"""The errors of core: each one sentence that names the cause and the next step."""

from collections.abc import Sequence


class CoreError(Exception):
    """Something below the service is not as it must be."""


class SettingsError(CoreError):
    """The environment cannot be run with; every fault is named at once."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class KeysError(CoreError):
    """A key file is missing, open to others, or not what it should be."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class DecryptionError(CoreError):
    """A stored value does not open under its key, table, column and row."""


class UnavailableError(CoreError):
    """The database did not take the work; nothing of it was kept."""


class MigrationError(CoreError):
    """The database's schema is not the one this program was written for."""
