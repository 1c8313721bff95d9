"""The made-up people whose phones may be held: none but rows that are marked as invented."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import phone
from core.keyring import Keyring, Sealed, row_id
from core.phone import COUNTRY
from records import packing
from records.register import Record, Status
from records.tables import CITIZEN

_SHOWN = 12
# Read beyond those that are wanted, for some have died.
_SPARE = 48
# In the order of their keys, which are blind indexes: the same people each time, in no order.
_INVENTED = (
    sa.select(CITIZEN.c.tag, CITIZEN.c.key_id, CITIZEN.c.blob)
    .where(CITIZEN.c.is_test, CITIZEN.c.phone_index.is_not(None))
    .order_by(CITIZEN.c.id)
)


_BY_PHONE = sa.select(CITIZEN.c.tag, CITIZEN.c.key_id, CITIZEN.c.blob).where(CITIZEN.c.is_test)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An invented person and the telephone on file."""

    full_name: str
    number: str
    personal_id: str

    @property
    def initials(self) -> str:
        """The first letters of the family name and of the given name."""
        names = self.full_name.split()
        return (names[0][0] + names[-1][0]).upper() if len(names) > 1 else names[0][0].upper()

    @property
    def written_phone(self) -> str:
        """The number as people in Viet Nam write it."""
        local = "0" + self.number.removeprefix(COUNTRY)
        return f"{local[:4]} {local[4:7]} {local[7:]}"


def invented(session: Session, keyring: Keyring, most: int = _SHOWN) -> tuple[Subscriber, ...]:
    """Return some invented people who live and have a telephone, always the same ones."""
    rows = session.execute(_INVENTED.limit(most + _SPARE))
    records = [_open(keyring, tag, Sealed(key_id, blob)) for tag, key_id, blob in rows]
    found = [
        _subscriber(record, record.phone)
        for record in records
        if record.phone and record.is_test and record.status is Status.ACTIVE
    ]
    return tuple(found[:most])


def by_number(session: Session, keyring: Keyring, number: str) -> Subscriber | None:
    """Return the invented person who has a telephone, however its number is written."""
    msisdn = phone.parse(number)
    if msisdn is None:
        return None
    keys = [row_id(tag) for tag in keyring.indexes("phone", msisdn)]
    rows = session.execute(_BY_PHONE.where(CITIZEN.c.phone_index.in_(keys)))
    records = [_open(keyring, tag, Sealed(key_id, blob)) for tag, key_id, blob in rows]
    return next((_subscriber(each, msisdn) for each in records if each.phone == msisdn), None)


def _subscriber(record: Record, number: str) -> Subscriber:
    return Subscriber(record.full_name, number, record.personal_id)


def _open(keyring: Keyring, tag: bytes, sealed: Sealed) -> Record:
    return packing.unpack(keyring.decrypt(sealed, table="citizen", column="blob", row=tag))
