"""The file that `import people` reads: its header, and each line's way to a record or a reason."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from io import BufferedReader
from os import fstat
from typing import TypeVar

from core import phone
from core.phone import COUNTRY, Msisdn
from records import catalogue, personal_id, provinces
from records.csv_lines import Cells, Lines, Refusal
from records.errors import PeopleFileError
from records.id_set import IdSet
from records.personal_id import PersonalId, Sex
from records.register import Record, Status

T = TypeVar("T")

HEADER = (
    "personal_id", "full_name", "sex", "date_of_birth", "phone", "phone_verified_on",
    "commune", "province", "card_issued_on", "card_expires_on", "status",
)  # fmt: skip

_LONGEST_TEXT = 100
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NATIONAL = re.compile(r"0[35789][0-9]{8}")
_COLUMN_NAME = re.compile(r"[a-z][a-z_]{0,39}")
_NOBODY = PersonalId("0" * 12)
_SEXES = {str(sex): sex for sex in Sex}
_STATUSES = {str(status): status for status in Status}
_A_DATE = "must be a date, YYYY-MM-DD"
_A_TEXT = f"must be 1 to {_LONGEST_TEXT} characters"
_A_PROVINCE = "must be a province of the table before or since 1 July 2025"
_WANTED = {
    "personal_id": "must be exactly 12 digits (a spreadsheet drops leading zeros)",
    "full_name": _A_TEXT,
    "sex": "must be M or F",
    "date_of_birth": _A_DATE,
    "phone": "must be a Vietnamese mobile number, or empty",
    "phone_verified_on": f"{_A_DATE}, or empty",
    "commune": _A_TEXT,
    "province": _A_PROVINCE,
    "card_issued_on": f"{_A_DATE}, or empty",
    "card_expires_on": f"{_A_DATE}, or empty",
    "status": "must be active, deceased or missing",
    "current_commune": f"{_A_TEXT}, or empty",
    "current_province": f"{_A_PROVINCE}, or empty",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line that is a record, and what about it is doubtful all the same."""

    line: int
    record: Record = field(repr=False)
    warnings: tuple[str, ...]


class PeopleFile:
    """One file of people, read line by line.

    Shape: `digest` is the SHA-256 of its bytes, in hex; `left_out` names the columns of the
    catalogue that are understood and not kept. Units: `size` and `offset` are in bytes.
    """

    def __init__(self, file: BufferedReader, *, today: date, is_test: bool) -> None:
        """Read the header.

        Raises: PeopleFileError if this is no CSV file of people.
        """
        if not file.seekable():
            raise PeopleFileError("the file must be one that can be read twice, not a pipe")
        self._file = file
        self._today = today
        self.is_test = is_test
        self._stamp = _stamp(file)
        self.size = fstat(file.fileno()).st_size
        self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        self._lines = Lines(file)
        self._columns = _header(next(iter(self._lines), None))
        self._lines.columns = len(self._columns)
        self.left_out = tuple(name for name in self._columns if not catalogue.BY_CODE[name].kept)

    @property
    def offset(self) -> int:
        """How far it has been read."""
        return self._lines.offset

    def __iter__(self) -> Iterator[Row | Refusal]:
        """Yield every line of data as a record or a refusal.

        Raises: PeopleFileError if the file was changed meanwhile.
        """
        at = {name: number for number, name in enumerate(self._columns)}
        seen = IdSet()
        for line in self._lines:
            yield self._row(line, at, seen) if isinstance(line, Cells) else line
        if _stamp(self._file) != self._stamp:
            raise PeopleFileError("the file was changed while it was read: run the import again")

    def _row(self, line: Cells, at: dict[str, int], seen: IdSet) -> Row | Refusal:
        if len(line.cells) != len(at):
            reason = f"{len(line.cells)} cells where the header has {len(at)}"
            return Refusal(line.line, reason)
        reader = _Reader(line.cells, at)
        record = reader.record(is_test=self.is_test)
        if record.date_of_birth > self._today:
            reader.faults.append("date_of_birth lies in the future")
        if reader.faults:
            return Refusal(line.line, "; ".join(reader.faults))
        if not seen.add(record.personal_id):
            return Refusal(line.line, "personal_id stands on an earlier line already")
        return Row(line.line, record, _warnings(record, self._today))


class _Reader:
    """Takes the cells of one line and remembers what was wrong with them."""

    def __init__(self, cells: list[str], at: dict[str, int]) -> None:
        self._cells = cells
        self._at = at
        self.faults: list[str] = []

    def record(self, *, is_test: bool) -> Record:
        """Build the record; it is one only if there were no faults."""
        take, maybe = self._take, self._maybe
        return Record(
            personal_id=take("personal_id", personal_id.parse, _NOBODY),
            full_name=take("full_name", _text, ""),
            sex=take("sex", _SEXES.get, Sex.MALE),
            date_of_birth=take("date_of_birth", _date, date.min),
            phone=maybe("phone", _phone),
            phone_verified_on=maybe("phone_verified_on", _date),
            commune=take("commune", _text, ""),
            province=take("province", _province, ""),
            card_issued_on=maybe("card_issued_on", _date),
            card_expires_on=maybe("card_expires_on", _date),
            status=take("status", _STATUSES.get, Status.ACTIVE),
            current_commune=maybe("current_commune", _text),
            current_province=maybe("current_province", _province),
            is_test=is_test,
        )

    def _take(self, column: str, read: Callable[[str], T | None], otherwise: T) -> T:
        value = read(self._cells[self._at[column]])
        if value is None:
            self.faults.append(f"{column} {_WANTED[column]}")
            return otherwise
        return value

    def _maybe(self, column: str, read: Callable[[str], T | None]) -> T | None:
        at = self._at.get(column)
        if at is None or not self._cells[at]:
            return None
        value = read(self._cells[at])
        if value is None:
            self.faults.append(f"{column} {_WANTED[column]}")
        return value


def _header(line: Cells | Refusal | None) -> list[str]:
    if line is None:
        raise PeopleFileError(f"the file is empty: its first line must be {','.join(HEADER)}")
    if isinstance(line, Refusal):
        raise PeopleFileError(
            f"the header (line {line.line}) cannot be read: {line.reason}; save the file as UTF-8"
        )
    names = line.cells
    if not set(names) & set(HEADER):
        raise PeopleFileError(
            f"line {line.line} is not the header: it must be {','.join(HEADER)}, parted by commas"
        )
    faults = [f"{name} is missing" for name in HEADER if name not in names]
    for number, name in enumerate(names, start=1):
        # A name that does not look like one may be somebody's data.
        shown = name if _COLUMN_NAME.fullmatch(name) else f"column {number}"
        if name not in catalogue.BY_CODE:
            faults.append(f"{shown} is not in the catalogue of fields")
        elif name in names[: number - 1]:
            faults.append(f"{shown} stands there twice")
    if faults:
        raise PeopleFileError(f"the header (line {line.line}) is wrong: {'; '.join(faults)}")
    return names


def _warnings(record: Record, today: date) -> tuple[str, ...]:
    found: list[str] = list(
        personal_id.doubts(record.personal_id, record.sex, record.date_of_birth)
    )
    verified, issued, expires = (
        record.phone_verified_on,
        record.card_issued_on,
        record.card_expires_on,
    )
    if verified and verified > today:
        found.append("phone_verified_on lies in the future")
    if issued and expires and expires < issued:
        found.append("card_expires_on lies before card_issued_on")
    return tuple(found)


def _text(cell: str) -> str | None:
    text = unicodedata.normalize("NFC", cell).strip()
    return text if 0 < len(text) <= _LONGEST_TEXT else None


def _date(cell: str) -> date | None:
    # fromisoformat alone would take week dates and dates without hyphens as well.
    if not _ISO_DATE.fullmatch(cell):
        return None
    try:
        return date.fromisoformat(cell)
    except ValueError:
        return None


def _phone(cell: str) -> Msisdn | None:
    # The way most files write it is brought into the form that is read fastest.
    return phone.parse(COUNTRY + cell[1:] if _NATIONAL.fullmatch(cell) else cell)


def _province(cell: str) -> str | None:
    found = provinces.find(cell)
    return found.name if found else None


def _stamp(file: BufferedReader) -> tuple[int, int]:
    status = fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
