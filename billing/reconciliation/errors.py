"""The errors of reconciliation."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.errors import BillingError


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something in a file that is not as it must be; the reason never repeats what a cell says.

    Units: *line* counts from 1; 0 is the file as a whole.
    """

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


class ReconciliationError(BillingError):
    """A reconciliation cannot be made."""


class MappingError(ReconciliationError):
    """A description of an operator's files is not one; every fault is named at once."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class CdrFileError(ReconciliationError):
    """A file of call records is refused, as a whole."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)

    @classmethod
    def whole(cls, reason: str, line: int = 0) -> "CdrFileError":
        """Return the error of a file that cannot be read on."""
        return cls([Fault(line, reason)])
