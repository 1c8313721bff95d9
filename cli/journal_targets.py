"""What `journal erase` and `journal hold` are about, as it is typed; a citizen never on argv."""

import re
from typing import TextIO

import click

from cli.context import Service
from cli.exits import USAGE, UsageFault

CLASSES = ("lookup", "act")
_LONGEST_REASON = 200
_PERSONAL_ID = re.compile(r"[0-9]{12}")
_MONTHS = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])(?:\.\.(20[0-9]{2})-(0[1-9]|1[0-2]))?")


def person_of(file: TextIO) -> str:
    """Read a personal number.

    Raises: UsageFault.
    """
    text = _line(file, "Personal number")
    if not _PERSONAL_ID.fullmatch(text):
        raise UsageFault("a personal number is 12 digits, alone on the first line", USAGE)
    return text


def subject_of(service: Service, file: TextIO) -> int:
    """Read a personal number and return the index that finds entries about its owner.

    Raises: UsageFault.
    """
    from core.keyring import row_id

    return row_id(service.keyring.index("personal_id", person_of(file)))


def actor_of(service: Service, file: TextIO) -> int:
    """Read a telephone number and return the index that finds what was asked from it.

    Raises: UsageFault.
    """
    from core import phone
    from core.keyring import row_id

    number = phone.parse(_line(file, "Telephone number"))
    if number is None:
        raise UsageFault("a Vietnamese mobile number is wanted, alone on the first line", USAGE)
    return row_id(service.keyring.index("phone", number))


def months_of(text: str) -> tuple[int, int]:
    """Read `2026-03` or `2026-03..2026-05`.

    Raises: UsageFault.
    """
    found = _MONTHS.fullmatch(text)
    if found is None:
        raise UsageFault("--months is a month or two, as 2026-03 or 2026-03..2026-05", USAGE)
    first = int(found[1] + found[2])
    last = int(found[3] + found[4]) if found[3] else first
    if last < first:
        raise UsageFault("--months ends before it begins", USAGE)
    return first, last


def checked(name: str, text: str) -> str:
    """Return what an option tells colleagues.

    Raises: UsageFault if it is empty, too long, or no plain line.
    """
    if not text.strip() or len(text) > _LONGEST_REASON or not text.isprintable():
        raise UsageFault(f"{name} is up to {_LONGEST_REASON} printable characters", USAGE)
    return text.strip()


def month(number: int) -> str:
    """Write a month as people do."""
    return f"{number // 100}-{number % 100:02}"


def _line(file: TextIO, what: str) -> str:
    if file.isatty():
        answer: str = click.prompt(what, hide_input=True, err=True)
        return answer.strip()
    return file.readline().strip()
