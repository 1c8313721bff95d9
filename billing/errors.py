"""The errors of billing."""

from datetime import date


class BillingError(Exception):
    """A sum of money cannot be told."""


class NoTariffError(BillingError):
    """No price was in force on a day."""

    def __init__(self, day: date) -> None:
        super().__init__(f"no price is in force on {day}: set one that is valid from then")
        self.day = day
