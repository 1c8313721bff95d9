"""The embedded register: our own table of citizens, filled by `import people`."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import DecryptionError, UnavailableError
from core.keyring import Keyring, Sealed, row_id
from core.phone import Msisdn
from core.prepared import among, prepared
from records import packing
from records.errors import RegisterDownError, RegisterFaultError
from records.personal_id import PersonalId
from records.register import Record
from records.tables import CITIZEN

# Nobody chooses from more than so many.
_MOST_OWNERS = 20
_FIND = prepared(
    sa.select(CITIZEN.c.id, CITIZEN.c.tag, CITIZEN.c.key_id, CITIZEN.c.blob).where(
        among(CITIZEN.c.id, "ids")
    )
)
_SHARED = prepared(
    sa.select(CITIZEN.c.phone_index, sa.func.count())
    .where(among(CITIZEN.c.phone_index, "phones"))
    .group_by(CITIZEN.c.phone_index)
)


class EmbeddedRegister:
    """Answers from the table of citizens."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def find(self, ids: Sequence[PersonalId]) -> Mapping[PersonalId, Record | None]:
        """Return the record of each number, None where nobody bears it.

        Raises: RegisterDownError if the database does not answer; RegisterFaultError if a row does
        not open or holds another person.
        """
        try:
            return self._database.read(lambda session: self.read(session, ids))
        except UnavailableError as error:
            raise RegisterDownError("the register's database does not answer") from error

    def read(
        self, session: Session, ids: Sequence[PersonalId]
    ) -> Mapping[PersonalId, Record | None]:
        """Do what `find` does, within a transaction that is open already.

        Raises: RegisterFaultError as `find` does.
        """
        tags = {each: self._keyring.indexes("personal_id", each) for each in ids}
        keys = [row_id(tag) for generations in tags.values() for tag in generations]
        # The first eight bytes may be another's; the whole tag is the citizen's alone.
        rows = {row.tag: row for row in session.execute(_FIND, {"ids": keys})}
        found: dict[PersonalId, Record | None] = dict.fromkeys(tags)
        for each, generations in tags.items():
            for tag in generations:
                if row := rows.get(tag):
                    found[each] = self._open(each, tag, Sealed(row.key_id, row.blob))
                    break
        return found

    def owners(self, session: Session, number: Msisdn) -> list[PersonalId]:
        """Return whose telephone on file this is, in the order of their numbers.

        Raises: RegisterFaultError if a row does not open.
        """
        keys = [row_id(tag) for tag in self._keyring.indexes("phone", number)]
        wanted = sa.select(CITIZEN.c.tag, CITIZEN.c.key_id, CITIZEN.c.blob)
        rows = session.execute(wanted.where(CITIZEN.c.phone_index.in_(keys)).limit(_MOST_OWNERS))
        records = [self._unpacked(row.tag, Sealed(row.key_id, row.blob)) for row in rows]
        # The index holds eight bytes, which may be another number's.
        return sorted(record.personal_id for record in records if record.phone == number)

    def _open(self, asked: PersonalId, tag: bytes, sealed: Sealed) -> Record:
        record = self._unpacked(tag, sealed)
        if record.personal_id != asked:
            raise RegisterFaultError("a row of the register holds another person")
        return record

    def _unpacked(self, tag: bytes, sealed: Sealed) -> Record:
        try:
            plain = self._keyring.decrypt(sealed, table="citizen", column="blob", row=tag)
            return packing.unpack(plain)
        except (DecryptionError, ValueError) as error:
            raise RegisterFaultError("a row of the register does not open") from error


def shared_by(session: Session, phone_indexes: Sequence[int]) -> dict[int, int]:
    """Count the citizens who have each telephone on file.

    Shape: keyed by the first eight bytes of the number's blind index; 0 for a number nobody has.
    While index keys rotate, ask for both generations and add them.
    """
    counts = dict.fromkeys(phone_indexes, 0)
    for phone_index, count in session.execute(_SHARED, {"phones": list(counts)}):
        counts[phone_index] = count
    return counts
