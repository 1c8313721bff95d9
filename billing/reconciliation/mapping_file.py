"""Reads a mapping from TOML, and names everything that is wrong with it at once."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from billing.reconciliation.errors import MappingError
from billing.reconciliation.mapping import (
    Basis,
    CdrMapping,
    Columns,
    Measure,
    MoneyForm,
    TimeForm,
    Tolerance,
    Trailer,
    Unit,
)
from billing.usage import Direction

E = TypeVar("E", bound=StrEnum)

LONGEST = 64 * 1024
_LONGEST_WORD = 100
_ZONE = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])")
_FORMAT = re.compile(r"(?:%[YmdHMSfzyjpIbB%]|[ -/:TZ,._])+")
_COUNTED = ("epoch", "epoch_ms")
_SHARE = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,4})?")
_MOST_SECONDS = 3600
_MOST_HOURS = 24 * 31
_MOST_CELLS = 200
_SECTIONS = {
    "file": {"delimiter"},
    "columns": {"id", "direction", "at", "parts", "part", "encoding", "status", "amount"},
    "time": {"format", "zone"},
    "directions": {"mo", "mt"},
    "encodings": {"gsm7", "ucs2"},
    "statuses": {"carried", "not_carried"},
    "expect": None,
    "amount": {"unit", "decimal", "thousands"},
    "trailer": {"mark", "records", "parts", "amount"},
    "tolerance": {
        "edge_seconds", "late_hours", "amount_hundredths", "share_percent", "basis", "measure",
    },
}  # fmt: skip


def parse(text: str) -> CdrMapping:
    """Read a mapping. Raises: MappingError."""
    if len(text) > LONGEST:
        raise MappingError([f"it is longer than {LONGEST} characters"])
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError([f"it is not TOML: {error}"]) from error
    reader = _Reader(tables)
    mapping = reader.mapping()
    if reader.faults:
        raise MappingError(reader.faults)
    reading = {name: table for name, table in tables.items() if name != "tolerance"}
    return replace(
        mapping,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        reading=hashlib.sha256(json.dumps(reading, sort_keys=True).encode()).hexdigest(),
    )


class _Reader:
    """Takes the tables apart; in place of what is wrong stands a harmless value, and a fault."""

    def __init__(self, tables: Mapping[str, object]) -> None:
        self.faults: list[str] = []
        self._tables: dict[str, Mapping[str, object]] = {}
        for name, table in tables.items():
            if name not in _SECTIONS:
                self.faults.append(f"[{name}] is not known")
            elif not isinstance(table, Mapping):
                self.faults.append(f"{name} must be a table")
            else:
                self._tables[name] = table
                known = _SECTIONS[name]
                self.faults += [
                    f"[{name}] {key} is not known" for key in table if known and key not in known
                ]

    def mapping(self) -> CdrMapping:
        return CdrMapping(
            columns=self._columns(),
            time=self._time(),
            directions=self._words("directions", Direction.MO, Direction.MT),
            encodings=self._words("encodings", "gsm7", "ucs2"),
            statuses={
                word: meaning == "carried"
                for word, meaning in self._words("statuses", "carried", "not_carried").items()
            },
            expect={name: self._list("expect", name) for name in self._tables.get("expect", {})},
            money=self._money(),
            trailer=self._trailer() if "trailer" in self._tables else None,
            tolerance=self._tolerance(),
            delimiter=self._sign("file", "delimiter", ",", ",;|\t"),
        )

    def _columns(self) -> Columns:
        found = {
            name: self._word("columns", name, is_needed=name in ("id", "direction", "at"))
            for name in sorted(_SECTIONS["columns"] or ())
        }
        if (found["parts"] is None) == (found["part"] is None):
            self.faults.append(
                "[columns] needs one of parts (a number of parts) and part (one row each)"
            )
        for column, table in (("encoding", "encodings"), ("status", "statuses")):
            if (found[column] is None) != (table not in self._tables):
                self.faults.append(f"[columns] {column} and [{table}] go together")
        if "directions" not in self._tables:
            self.faults.append("[directions] is missing")
        names = [name for name in found.values() if name is not None]
        if len(set(names)) < len(names):
            self.faults.append("[columns] names a column twice")
        ident, direction, at = (found.pop(name) or "" for name in ("id", "direction", "at"))
        return Columns(id=ident, direction=direction, at=at, **found)

    def _time(self) -> TimeForm:
        written = self._word("time", "format", is_needed=True) or "epoch"
        zone = self._word("time", "zone", is_needed=False)
        if written not in _COUNTED and not _FORMAT.fullmatch(written):
            self.faults.append("[time] format must be epoch, epoch_ms or one of strptime")
        is_told = written in _COUNTED or "%z" in written
        if is_told != (zone is None):
            self.faults.append("[time] zone is needed, unless format is epoch, epoch_ms or has %z")
        found = _ZONE.fullmatch(zone or "+00:00")
        if found is None:
            self.faults.append("[time] zone must be an offset, as +07:00")
            return TimeForm(written, timedelta(0))
        ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return TimeForm(written, -ahead if found[1] == "-" else ahead)

    def _money(self) -> MoneyForm:
        decimal = self._sign("amount", "decimal", ".", ".,")
        thousands = self._sign("amount", "thousands", "", ".,' ")
        if decimal == thousands:
            self.faults.append("[amount] decimal and thousands are the same sign")
        return MoneyForm(self._one_of("amount", "unit", Unit.DONG), decimal, thousands)

    def _trailer(self) -> Trailer:
        mark = self._word("trailer", "mark", is_needed=True) or ""
        records = self._number("trailer", "records", 1, _MOST_CELLS, None)
        if records is None:
            self.faults.append("[trailer] records is missing")
        parts, amount = (
            self._number("trailer", name, 1, _MOST_CELLS, None) for name in ("parts", "amount")
        )
        return Trailer(mark, records or 1, parts, amount)

    def _tolerance(self) -> Tolerance:
        share = self._tables.get("tolerance", {}).get("share_percent", "0")
        # A float would be no exact share.
        if not isinstance(share, str) or not _SHARE.fullmatch(share):
            self.faults.append(
                '[tolerance] share_percent must be a quoted decimal, as "1" or "0.5"'
            )
            share = "0"
        seconds = self._number("tolerance", "edge_seconds", 0, _MOST_SECONDS, 0)
        hours = self._number("tolerance", "late_hours", 0, _MOST_HOURS, 0)
        return Tolerance(
            edge=timedelta(seconds=seconds or 0),
            late=timedelta(hours=hours or 0),
            amount=self._number("tolerance", "amount_hundredths", 0, 10**9, 0) or 0,
            share=Fraction(share) / 100,
            basis=self._one_of("tolerance", "basis", Basis.THEIRS),
            measure=self._one_of("tolerance", "measure", Measure.AMOUNT),
        )

    def _words(self, table: str, *meanings: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for meaning in meanings:
            if meaning in self._tables.get(table, {}):
                for word in self._list(table, meaning):
                    if found.setdefault(word, meaning) != meaning:
                        self.faults.append(f"[{table}] gives one word two meanings")
        return found

    def _list(self, table: str, key: str) -> tuple[str, ...]:
        found = self._tables[table][key]
        words = found if isinstance(found, list) else []
        fine = tuple(word for word in words if isinstance(word, str) and len(word) <= _LONGEST_WORD)
        if not words or len(fine) < len(words):
            self.faults.append(f"[{table}] {key} must be a list of words")
        return fine

    def _word(self, table: str, key: str, *, is_needed: bool) -> str | None:
        found = self._tables.get(table, {}).get(key)
        if found is None:
            if is_needed:
                self.faults.append(f"[{table}] {key} is missing")
            return None
        if (
            not isinstance(found, str)
            or not 0 < len(found) <= _LONGEST_WORD
            or not found.isprintable()
        ):
            self.faults.append(f"[{table}] {key} must be a word")
            return None
        return found

    def _sign(self, table: str, key: str, otherwise: str, known: str) -> str:
        found = self._tables.get(table, {}).get(key, otherwise)
        if not isinstance(found, str) or (
            found != otherwise and (len(found) != 1 or found not in known)
        ):
            self.faults.append(f"[{table}] {key} must be one of {' '.join(map(repr, known))}")
            return otherwise
        return found

    def _number(
        self, table: str, key: str, least: int, most: int, otherwise: int | None
    ) -> int | None:
        found = self._tables.get(table, {}).get(key, otherwise)
        if found is None:
            return None
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            self.faults.append(f"[{table}] {key} must be a whole number from {least} to {most}")
            return otherwise
        return found

    def _one_of(self, table: str, key: str, otherwise: E) -> E:
        found = self._tables.get(table, {}).get(key, otherwise)
        kind = type(otherwise)
        if not isinstance(found, str) or found not in set(kind):
            self.faults.append(f"[{table}] {key} must be one of {', '.join(kind)}")
            return otherwise
        return kind(found)
