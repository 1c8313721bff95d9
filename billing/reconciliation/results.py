"""What a reconciliation leaves in its period's folder: its summary, and lists of what differs.

The lists are the files of `billing.reconciliation.report`; the summary says where in the CSV file
each class begins, so that a page of records is read without what stands before it.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from billing.periods import Period
from billing.reconciliation import report
from billing.reconciliation.report import COMPUTED, KINDS, REASONS, Lists
from billing.reconciliation.store import Store
from billing.reconciliation.summary import Count, Day, Difference, Kind, Reason, Verdict, as_json
from billing.usage import Direction
from core.clock import VIETNAM

if TYPE_CHECKING:
    from billing.reconciliation.reconciling import Reconciled

ROWS = 50
_SUMMARY = "summary.json"
_WRITTEN = "%d/%m/%Y %H:%M:%S,%f"
_REASONS = {words: reason for reason, words in REASONS.items()} | {"": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A period as it was compared last.

    Shape: *digest* is that which the statement notes; *places* is where records of each class
    begin in the CSV file. Units: bytes.
    """

    digest: str
    verdict: Verdict
    has_amounts: bool
    ours: Count
    theirs: Count
    differences: tuple[Difference, ...]
    days: tuple[Day, ...]
    compared_at: datetime
    places: Mapping[Kind, int]

    @property
    def difference(self) -> Count:
        """What the operator has more than we."""
        return self.theirs - self.ours

    def of(self, kind: Kind) -> list[Difference]:
        """Return what belongs to a class."""
        return [each for each in self.differences if each.kind is kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record that differs, as either side has it; None for a side that has it not.

    Units: amounts in hundredths of a dong.
    """

    id: str
    reason: Reason | None
    direction: Direction
    our_time: datetime | None
    their_time: datetime | None
    our_parts: int | None
    their_parts: int | None
    our_amount: int | None
    their_amount: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a class, and where those after them begin."""

    records: tuple[Record, ...]
    following: int | None


def keep(store: Store, found: "Reconciled", now: datetime) -> Lists:
    """Put what a comparison came to in the place of what the one before left."""
    summary = found.summary
    with store.scratch() as folder:
        lists = report.write(found.duck, summary, folder)
        told = {
            **as_json(summary),
            "compared_at": now.isoformat(),
            "places": {kind.value: at for kind, at in lists.places.items()},
        }
        text = folder / _SUMMARY
        text.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        # The summary last: where it is, the lists are.
        return lists.within(store.put_results(summary.period, [lists.sheet, lists.text, text]))


def load(store: Store, period: Period) -> Result | None:
    """Return what a period came to when it was compared last, if it was."""
    path = store.results(period) / _SUMMARY
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError):
        # An earlier version wrote it: whoever needs it compares once more.
        return None


def lists(store: Store, period: Period) -> Lists:
    """Return where the lists of a period are."""
    return report.names(store.results(period), store.operator, period)


def page(text: Path, kind: Kind, at: int) -> Page | None:
    """Read some records of a class; None where none of its records begins."""
    if not text.is_file():
        return None
    with text.open("rb") as file:
        file.seek(max(at - 1, 0))
        if at > 0 and file.read(1) != b"\n":
            return None
        records: list[Record] = []
        # Line by line, for only so the place of the next is known; no cell holds a line break.
        for line in file:
            (cells,) = csv.reader([line.decode()], delimiter=";")
            if cells[0] != KINDS[kind]:
                break
            if len(records) == ROWS:
                return Page(tuple(records), at)
            records.append(_record(cells))
            at += len(line)
    return Page(tuple(records), None) if records else None


def _record(cells: Sequence[str]) -> Record:
    _, reason, ident, direction, our_time, their_time, *parts_and_amounts = cells
    our_parts, their_parts, our_amount, their_amount, _ = parts_and_amounts
    return Record(
        id=ident[1:] if ident.startswith("'") and ident[1:].startswith(COMPUTED) else ident,
        reason=_REASONS[reason],
        direction=Direction(direction.lower()),
        our_time=_moment(our_time),
        their_time=_moment(their_time),
        our_parts=int(our_parts) if our_parts else None,
        their_parts=int(their_parts) if their_parts else None,
        our_amount=_hundredths(our_amount),
        their_amount=_hundredths(their_amount),
    )


def _moment(cell: str) -> datetime | None:
    return datetime.strptime(cell, _WRITTEN).replace(tzinfo=VIETNAM) if cell else None


def _hundredths(cell: str) -> int | None:
    return int(cell.replace(",", "")) if cell else None


def _read(told: Mapping[str, object]) -> Result:
    verdict, compared_at = str(told["verdict"]), str(told["compared_at"])
    return Result(
        digest=str(told["digest"]),
        verdict=Verdict(verdict),
        has_amounts=bool(told["has_amounts"]),
        ours=_count(told["ours"]),
        theirs=_count(told["theirs"]),
        differences=tuple(map(_difference, _all(told["differences"]))),
        days=tuple(map(_day, _all(told["days"]))),
        compared_at=datetime.fromisoformat(compared_at),
        places={Kind(kind): int(str(at)) for kind, at in _named(told["places"]).items()},
    )


def _difference(told: Mapping[str, object]) -> Difference:
    return Difference(
        Kind(str(told["class"])),
        Reason(str(told["reason"])) if told["reason"] else None,
        Direction(str(told["direction"])),
        int(str(told["records"])),
        _count(told["ours"]),
        _count(told["theirs"]),
    )


def _day(told: Mapping[str, object]) -> Day:
    day, direction = date.fromisoformat(str(told["day"])), Direction(str(told["direction"]))
    return Day(day, direction, _count(told["ours"]), _count(told["theirs"]))


def _count(told: object) -> Count:
    found = _named(told)
    return Count(*(int(str(found[name])) for name in ("records", "parts", "amount_hundredths")))


def _all(told: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(told, list):
        raise TypeError("no list")
    return [_named(each) for each in told]


def _named(told: object) -> Mapping[str, object]:
    if not isinstance(told, dict):
        raise TypeError("no object")
    return told
