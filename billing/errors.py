"""The errors of billing."""

from enum import StrEnum, auto


class BillingError(Exception):
    """Something about money cannot be told or done."""


class PeriodError(BillingError):
    """A period is not written as a month."""


class TariffError(BillingError):
    """A price cannot be set as it was asked for."""


class TariffFileError(BillingError):
    """A file of tariffs is not taken.

    Shape: *faults* are lines, counted from 1 (0: the file), each with its reason.
    """

    def __init__(self, faults: "list[tuple[int, str]]") -> None:
        told = "; ".join(f"line {line}: {why}" if line else why for line, why in faults)
        super().__init__(told)
        self.faults = faults


class Why(StrEnum):
    """Why nothing is done to a statement."""

    NONE = auto()
    STATE = auto()
    RUNNING = auto()
    UNPRICED = auto()
    DIFFERENT = auto()
    CHANGED = auto()
    UNTOLD = auto()
    MOVED = auto()
    MAKER = auto()


class StatementError(BillingError):
    """A statement is not in the state that was asked for, or somebody else has to do it."""

    def __init__(self, told: str, why: Why) -> None:
        super().__init__(told)
        self.why = why
