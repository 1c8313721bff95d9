"""People who do not exist, and the CSV file in which a register hands them over."""

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng", "Vũ", "Đỗ", "Bùi", "Ngô")
_MIDDLE = ("Thị", "Văn", "Đức", "Minh", "Thu", "Quang", "Ngọc", "Hữu", "Kim", "Gia")
_GIVEN = ("Lan", "Hùng", "Sơn", "Trâm", "Quỳnh", "Bình", "Khánh", "Tuấn", "Hạnh", "Phúc")
_BORN_ON = date(1985, 3, 17)
_ISSUED_ON = date(2022, 5, 4)
_EXPIRES_ON = date(2037, 3, 17)


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the register's file, column by column."""

    personal_id: str
    full_name: str
    sex: str
    date_of_birth: str
    phone: str
    phone_verified_on: str
    commune: str
    province: str
    card_issued_on: str
    card_expires_on: str
    status: str

    @property
    def plain_name(self) -> str:
        """Return the name as a phone without accents shows it."""
        return plain(self.full_name)


COLUMNS = tuple(field.name for field in fields(Person))


def plain(text: str) -> str:
    """Write Vietnamese in capitals without its signs."""
    parted = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(sign for sign in parted if not unicodedata.combining(sign)).upper()


class People:
    """Makes people; no two share a name, a number or a telephone unless they are told to."""

    def __init__(self) -> None:
        self._numbers = count()
        self.made: list[Person] = []
        self.at_hand: Iterator[Person] = iter(())  # whom no test has taken yet

    def make(self, **changes: str) -> Person:
        """Make a person who may look themselves up, but for the *changes*."""
        number = next(self._numbers)
        a_while_ago = datetime.now(UTC).date() - timedelta(days=100)
        name = (_FAMILY[number // 100 % 10], _MIDDLE[number // 10 % 10], _GIVEN[number % 10])
        person = Person(
            personal_id=f"099085{number + 417_000:06d}",  # no province has the code 099
            full_name=" ".join(name),
            sex="M",
            date_of_birth=_BORN_ON.isoformat(),
            phone=f"+84912{number + 358_000:06d}",
            phone_verified_on=a_while_ago.isoformat(),
            commune="Phường Cửa Nam",
            province="Hà Nội",
            card_issued_on=_ISSUED_ON.isoformat(),
            card_expires_on=_EXPIRES_ON.isoformat(),
            status="active",
        )
        person = replace(person, **changes)
        self.made.append(person)
        return person

    def make_many(self, number: int) -> list[Person]:
        """Make *number* people."""
        return [self.make() for _ in range(number)]


def write_csv(path: Path, rows: Iterable[Person | tuple[str, ...]]) -> Path:
    """Write the register's file; a row that is no person is written as it stands."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_cells(rows))
    return path


def _cells(rows: Iterable[Person | tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        if isinstance(row, Person):
            yield tuple(getattr(row, column) for column in COLUMNS)
        else:
            yield row
