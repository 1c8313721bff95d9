"""Lines of a CSV file: from bytes to cells, one physical line at a time.

A cell that runs over several lines is refused, and so are all its lines together: taken one by one,
a line inside somebody's quoted text would pass for a row. A quotation mark that merely strayed into
a line costs that line alone. Source: RFC 4180.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import BinaryIO

from records.errors import PeopleFileError

LONGEST = 64 * 1024

_LONGEST_READ = 64 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=,|\Z)')
_PLAIN = re.compile(r'[^",]*(?=,|\Z)')
_UNCLOSED = re.compile(r'"(?:[^"]|"")*\Z')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that is not taken, and why; the reason never repeats what the line says."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one line.

    Units: *line* counts from 1.
    """

    line: int
    cells: list[str] = field(repr=False)


class _End(Enum):
    CLOSED = auto()
    OPEN = auto()
    BROKEN = auto()


class Lines:
    """Reads the lines of a file in order; empty ones do not count as lines of data.

    Units: `offset` is in bytes, and stands behind the line that was read last.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._line = 0
        self.offset = 0
        self.columns = 0

    def __iter__(self) -> Iterator[Cells | Refusal]:
        """Yield the cells of each line, or why it has none.

        Raises: PeopleFileError at a line so long that this is no file of lines.
        """
        while raw := self._next():
            if not raw.isspace():
                yield self._read(raw)

    def _next(self) -> bytes:
        raw = self._file.readline(_LONGEST_READ)
        if len(raw) == _LONGEST_READ:
            raise PeopleFileError(f"line {self._line + 1} has no end: this is not a CSV file")
        self.offset += len(raw)
        self._line += 1
        return raw

    def _read(self, raw: bytes) -> Cells | Refusal:
        text, fault = self._decode(raw)
        if '"' not in text:
            return Refusal(self._line, fault) if fault else Cells(self._line, text.split(","))
        cells, end = _split(text)
        if end is _End.OPEN:
            return self._over_lines(len(cells), fault)
        if end is _End.BROKEN:
            fault = fault or 'a quotation mark where none may be (inside a quoted cell write "")'
        return Refusal(self._line, fault) if fault else Cells(self._line, cells)

    def _decode(self, raw: bytes) -> tuple[str, str]:
        """Return the text of a line and what is wrong with it, if anything."""
        fault = f"the line is longer than {LONGEST} bytes" if len(raw) > LONGEST else ""
        body = _body(raw.removeprefix(_BOM) if self._line == 1 else raw)
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            at = self.offset - len(raw) + raw.index(body) + error.start
            fault = fault or f"not UTF-8 at byte {at} of the file (its first is byte 0)"
            return body.decode(errors="replace"), fault
        # Every control character is unprintable, and almost every line is printable.
        if not text.isprintable() and (found := _CONTROL.search(text)):
            fault = fault or f"a control character, U+{ord(found[0]):04X}"
        return text, fault

    def _over_lines(self, columns: int, fault: str) -> Refusal:
        """Refuse a line whose last cell is still open, with the lines that belong to it."""
        line, offset = self._line, self.offset
        end = _End.OPEN
        while end is _End.OPEN and (raw := self._next()):
            cells, end = _split('"' + _body(raw).decode(errors="replace"))
            columns += len(cells)
        if end is _End.CLOSED and columns == self.columns:
            reason = f"a quoted cell holds line breaks (lines {line} to {self._line})"
            return Refusal(line, fault or reason)
        # Nothing that a program wrote as one row: the mark is a slip, the next line a line.
        self._file.seek(offset)
        self._line, self.offset = line, offset
        return Refusal(line, fault or "a quotation mark that opens and is not closed")


def _body(raw: bytes) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def _split(text: str) -> tuple[list[str], _End]:
    """Take a line apart; of one that ends inside quotes, the cells before the open one."""
    cells: list[str] = []
    at = 0
    while True:
        if found := _QUOTED.match(text, at):
            cells.append(found[1].replace('""', '"'))
        elif found := _PLAIN.match(text, at):
            cells.append(found[0])
        else:
            return cells, _End.OPEN if _UNCLOSED.match(text, at) else _End.BROKEN
        if found.end() == len(text):
            return cells, _End.CLOSED
        at = found.end() + 1
