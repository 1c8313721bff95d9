"""Reads the first sheet of an .xlsx file, cell by cell and never whole.

Only values are taken: a cell with a formula is refused, for what it says depends on who opens it.
A document type is refused too, and with it every entity a file could define.
"""

import lzma
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from billing.reconciliation.errors import CdrFileError
from billing.reconciliation.unpacking import BLOCK, LARGEST, MOST_RATIO

_MOST_COLUMNS = 16_384
_MOST_MEMBERS = 10_000
_MOST_TEXT = 256 * 1024 * 1024
_RATIO_FROM = 16 * 1024 * 1024
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_RELATIONS = "xl/_rels/workbook.xml.rels"
_ENCRYPTED = 1
# What zipfile, and what it unpacks with, raise over a broken file; ValueError is of its text.
_BROKEN = (
    BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
    zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip


@dataclass(slots=True)
class Row:
    """The cells of a row; numbers as they are written in the file, and which cells they are.

    Units: *line* counts from 1.
    """

    line: int
    cells: list[str] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Workbook:
    """The sheets of an .xlsx file; only the first is read."""

    path: Path
    counts_from_1904: bool = False

    def rows(self) -> Iterator[Row]:
        """Yield every row with a value. Raises: CdrFileError."""
        try:
            with ZipFile(self.path) as packed:
                _hold(packed)
                sheet = self._sheet(packed)
                shared = _shared(packed)
                yield from _rows(packed, sheet, shared)
        except _BROKEN as error:
            raise CdrFileError.whole("it is no whole .xlsx file") from error
        except expat.ExpatError as error:
            raise CdrFileError.whole("its XML is broken", error.lineno) from error

    def _sheet(self, packed: ZipFile) -> str:
        names: list[str] = []
        targets: dict[str, str] = {}

        def book(name: str, said: dict[str, str]) -> None:
            if name == "sheet":
                names.append(said.get("id", ""))
            elif name == "workbookPr":
                self.counts_from_1904 = said.get("date1904") in {"1", "true"}

        def relation(name: str, said: dict[str, str]) -> None:
            if name == "Relationship":
                targets[said.get("Id", "")] = said.get("Target", "")

        for member, begin in (("xl/workbook.xml", book), (_RELATIONS, relation)):
            for _ in _parsed(packed, member, begin):
                pass
        if not names or names[0] not in targets:
            raise CdrFileError.whole("it has no sheet")
        target = targets[names[0]]
        return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _hold(packed: ZipFile) -> None:
    """Refuse a file that unpacks to too much; zipfile itself reads no more than is declared."""
    members = packed.infolist()
    if len(members) > _MOST_MEMBERS:
        raise CdrFileError.whole("it holds too many files to be a table")
    if any(each.flag_bits & _ENCRYPTED for each in members):
        raise CdrFileError.whole("it is locked by a password: send it open")
    size = sum(each.file_size for each in members)
    if size >= LARGEST:
        raise CdrFileError.whole(
            "it unpacks to a gigabyte or more: send the month in several files"
        )
    if size > _RATIO_FROM and size > MOST_RATIO * sum(each.compress_size for each in members):
        raise CdrFileError.whole(
            f"it unpacks to more than {MOST_RATIO} times its size: no call records do"
        )


def _parsed(
    packed: ZipFile,
    member: str,
    begin: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Parse a member block by block; names come without their namespaces."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def no_doctype(*_: object) -> None:
        raise CdrFileError.whole("it defines a document type, which no spreadsheet does")

    def local(name: str) -> str:
        return name.rpartition(":")[2]

    parser.StartDoctypeDeclHandler = no_doctype
    parser.StartElementHandler = lambda name, said: begin(
        local(name), {local(key): value for key, value in said.items()}
    )
    parser.EndElementHandler = (lambda name: end(local(name))) if end else None
    parser.CharacterDataHandler = text
    with packed.open(member) as source:
        while block := source.read(BLOCK // 8):
            parser.Parse(block, False)  # noqa: FBT003 (expat's own signature)
            yield
        parser.Parse(b"", True)  # noqa: FBT003 (expat's own signature)
        yield


def _shared(packed: ZipFile) -> list[str]:
    """Return the texts that cells point to."""
    if "xl/sharedStrings.xml" not in packed.namelist():
        return []
    found: list[str] = []
    words: list[str] = []
    inside = phonetic = False
    size = 0

    def begin(name: str, _: dict[str, str]) -> None:
        nonlocal inside, phonetic
        inside, phonetic = name == "t", phonetic or name == "rPh"

    def end(name: str) -> None:
        nonlocal inside, phonetic, size
        inside, phonetic = False, phonetic and name != "rPh"
        if name == "si":
            found.append("".join(words))
            size += len(found[-1]) + 64
            words.clear()
            if size > _MOST_TEXT:
                raise CdrFileError.whole("it holds too much text: send it as CSV")

    def text(words_in_it: str) -> None:
        if inside and not phonetic:
            words.append(words_in_it)

    for _ in _parsed(packed, "xl/sharedStrings.xml", begin, end, text):
        pass
    return found


def _rows(packed: ZipFile, sheet: str, shared: list[str]) -> Iterator[Row]:
    reading = _Sheet(shared)
    for _ in _parsed(packed, sheet, reading.begin, reading.end, reading.text):
        yield from reading.ready
        reading.ready.clear()


class _Sheet:
    """What a parser of a sheet is told, turned into rows."""

    def __init__(self, shared: list[str]) -> None:
        self.ready: list[Row] = []
        self._shared = shared
        self._row = Row(0)
        self._column = -1
        self._kind = ""
        self._inside = False
        self._words: list[str] = []

    def begin(self, name: str, said: dict[str, str]) -> None:
        if name == "row":
            line = said.get("r", "")
            self._row = Row(int(line) if line.isdecimal() else self._row.line + 1)
            self._column = -1
        elif name == "c":
            self._column = self._place(said.get("r", ""))
            self._kind = said.get("t", "n")
            self._words = []
        elif name == "f":
            raise CdrFileError.whole(
                f"column {self._column + 1} holds a formula: send values", self._row.line
            )
        self._inside = name in {"v", "t"}

    def end(self, name: str) -> None:
        self._inside = False
        if name == "c":
            self._put("".join(self._words))
        elif name == "row" and any(self._row.cells):
            self.ready.append(self._row)

    def text(self, words: str) -> None:
        if self._inside:
            self._words.append(words)

    def _place(self, written: str) -> int:
        if not written:
            return self._column + 1
        found = _PLACE.fullmatch(written)
        column = 0
        for letter in found[1] if found else "":
            column = column * 26 + ord(letter) - 64
        if not self._column + 1 < column <= _MOST_COLUMNS:
            raise CdrFileError.whole("its cells stand in no order", self._row.line)
        return column - 1

    def _put(self, value: str) -> None:
        if self._kind == "s":
            if not value.isdecimal() or int(value) >= len(self._shared):
                raise CdrFileError.whole(
                    "a cell points to a text that is not there", self._row.line
                )
            value = self._shared[int(value)]
        elif self._kind == "e":
            raise CdrFileError.whole(f"column {self._column + 1} holds an error", self._row.line)
        elif self._kind == "n" and value:
            self._row.numbers.add(self._column)
        cells = self._row.cells
        cells += [""] * (self._column + 1 - len(cells))
        cells[self._column] = value
