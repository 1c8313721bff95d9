"""What a register is to the rest of the service: a way from personal numbers to records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from core.phone import Msisdn
from records.personal_id import PersonalId, Sex


class Status(StrEnum):
    """Whether a citizen is there to ask. Source: item 24 of the catalogue."""

    ACTIVE = "active"
    DECEASED = "deceased"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the register holds of one citizen; printed, it shows none of it.

    Shape: a province is the name it has in its table (`provinces.find` gives the rest); a commune
    is as the register writes it (`Phường Cửa Nam`).
    """

    personal_id: PersonalId = field(repr=False)
    full_name: str = field(repr=False)
    sex: Sex = field(repr=False)
    date_of_birth: date = field(repr=False)
    phone: Msisdn | None = field(repr=False)
    phone_verified_on: date | None = field(repr=False)
    commune: str = field(repr=False)
    province: str = field(repr=False)
    card_issued_on: date | None = field(repr=False)
    card_expires_on: date | None = field(repr=False)
    status: Status = field(repr=False)
    current_commune: str | None = field(default=None, repr=False)
    current_province: str | None = field(default=None, repr=False)
    is_test: bool = False


class Register(Protocol):
    """Answers who bears a personal number."""

    def find(self, ids: Sequence[PersonalId]) -> Mapping[PersonalId, Record | None]:
        """Return the record of each number, None where nobody bears it.

        Raises: RegisterDownError if it does not answer; RegisterFaultError if what it answers
        cannot be right.
        """
        ...
