"""People that tests of the register hand about."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from core.phone import Msisdn
from records.people_csv import HEADER
from records.personal_id import PersonalId, Sex
from records.register import Record, Status

TODAY = date(2026, 3, 2)

PHUONG = Record(
    personal_id=PersonalId("001185123456"),
    full_name="Nguyễn Thị Phương",
    sex=Sex.FEMALE,
    date_of_birth=date(1985, 4, 30),
    phone=Msisdn("+84912345678"),
    phone_verified_on=date(2025, 1, 15),
    commune="Phường Cửa Nam",
    province="Hà Nội",
    card_issued_on=date(2021, 5, 6),
    card_expires_on=date(2045, 4, 30),
    status=Status.ACTIVE,
)


def numbered(number: int) -> Record:
    """Return a citizen of their own for each number."""
    return replace(
        PHUONG,
        personal_id=PersonalId(f"001185{number:06}"),
        phone=Msisdn(f"+8491{number:07}"),
    )


def cell(value: object) -> str:
    """Write a value as the file does; a text that needs quotes gets them."""
    text = "" if value is None else str(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"\n') else text


def line(record: Record, columns: tuple[str, ...] = HEADER) -> str:
    """Write a citizen as a line of the file."""
    return ",".join(cell(getattr(record, column)) for column in columns)


def write(path: Path, *lines: str, header: str = ",".join(HEADER)) -> Path:
    """Write a file of people."""
    path.write_bytes("".join(f"{each}\n" for each in (header, *lines)).encode())
    return path
