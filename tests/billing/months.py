"""Months made up for the tests of reconciliation: an operator's file, our usage, a mapping."""

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from billing.periods import Period
from billing.reconciliation import engine, intake, mapping_file
from billing.reconciliation.comparison import Sides
from billing.reconciliation.engine import text
from billing.reconciliation.intake import Taken, micro
from billing.reconciliation.mapping import CdrMapping
from billing.reconciliation.pricing import Pricing
from billing.reconciliation.reconciling import Reconciled, compared
from billing.tariffs import Tariff, Tariffs
from billing.usage import Direction
from core.clock import VIETNAM, vietnam_day

OCTOBER = Period(2026, 10)
NOON = datetime(2026, 10, 10, 12, tzinfo=VIETNAM)
NEW_PRICE_ON = date(2026, 10, 16)
OLD, NEW, REPLY = 35_000, 40_050, 12_345
HEADER = ("MSG_ID", "DIR", "SUBMIT_TIME", "PARTS", "DCS", "STATUS", "AMOUNT", "SHORT_CODE")
KINDS = {
    "id": "VARCHAR", "direction": "VARCHAR", "at_us": "BIGINT", "day": "VARCHAR",
    "parts": "INTEGER", "encoding": "VARCHAR", "short_code": "VARCHAR", "is_aside": "BOOLEAN",
    "carried": "BOOLEAN", "amount": "BIGINT",
}  # fmt: skip
MAPPING = """
[columns]
id = "MSG_ID"
direction = "DIR"
at = "SUBMIT_TIME"
parts = "PARTS"
encoding = "DCS"
status = "STATUS"
amount = "AMOUNT"

[time]
format = "%Y-%m-%d %H:%M:%S.%f"
zone = "+07:00"

[directions]
mo = ["MO"]
mt = ["MT"]

[encodings]
gsm7 = ["0"]
ucs2 = ["8"]

[statuses]
carried = ["DELIVRD", "ACCEPTD"]
not_carried = ["REJECTD"]

[expect]
SHORT_CODE = ["1414"]

[tolerance]
edge_seconds = 5
late_hours = 24
"""
TRAILER = '\n[trailer]\nmark = "TRAILER"\nrecords = 2\nparts = 3\namount = 4\n'
PRICING = Pricing(
    Tariffs(
        (
            Tariff(operator="vina", valid_from=date(2026, 1, 1), valid_to=date(2026, 10, 15),
                   price_hundredths=OLD),
            Tariff(operator="vina", valid_from=NEW_PRICE_ON, price_hundredths=NEW),
            Tariff(operator="vina", direction=Direction.MT, valid_from=date(2026, 1, 1),
                   price_hundredths=REPLY),
        )
    ),
    "vina",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A message as one of the two sides has it."""

    id: str
    at: datetime = NOON
    direction: str = "mo"
    parts: int = 1
    amount: int | None = None
    status: str = "DELIVRD"
    is_aside: bool = False

    @property
    def price(self) -> int:
        """What it costs by our prices, on its own day."""
        if self.direction == "mt":
            return self.parts * REPLY
        return self.parts * (NEW if vietnam_day(self.at) >= NEW_PRICE_ON else OLD)


def at(record: Record, **changes: object) -> Record:
    """Return a record with something changed."""
    return replace(record, **changes)  # type: ignore[arg-type]  # a test names what it changes


def month(count: int) -> list[Record]:
    """Make a month of messages, spread over all its days, replies among them."""
    step = (OCTOBER.ends_at - OCTOBER.starts_at) / count
    return [
        Record(
            id=f"op-{number:06}",
            at=OCTOBER.starts_at + step * number,
            direction="mt" if number % 3 == 0 else "mo",
            parts=2 if number % 5 == 0 else 1,
        )
        for number in range(count)
    ]


def cells(record: Record) -> list[str]:
    """Write a record as the operator does."""
    dong, rest = divmod(record.price if record.amount is None else record.amount, 100)
    when = record.at.astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M:%S.%f")
    amount = f"{dong}.{rest:02}"
    way = record.direction.upper()
    return [record.id, way, when, str(record.parts), "0", record.status, amount, "1414"]


def csv_of(rows: Iterable[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    """Write rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def trailer_of(records: Sequence[Record]) -> list[str]:
    """Write the last line that a file with these records ends with."""
    amount = sum(each.price if each.amount is None else each.amount for each in records)
    parts = sum(each.parts for each in records)
    return ["TRAILER", str(len(records)), str(parts), f"{amount // 100}.{amount % 100:02}"]


def mapping(more: str = "") -> CdrMapping:
    """Return the made-up operator's mapping."""
    return mapping_file.parse(MAPPING + more)


def silent(_done: int, _total: int) -> None:
    """Hear how far something is, and say nothing."""


def take(
    content: bytes, folder: Path, by: CdrMapping | None = None, period: Period | None = OCTOBER
) -> Taken:
    """Take a file in that has this content."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "cdr"
    file.write_bytes(content)
    return intake.take(file, by or mapping(), folder, period, tell=silent)


def normal_form(
    folder: Path, *, has_amounts: bool = True, **sides: Iterable[Record]
) -> dict[str, Path]:
    """Write records as they come out of the database, and as they are kept of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in KINDS.items())
    made = {}
    with engine.opened(folder) as duck:
        for name, records in sides.items():
            plain, made[name] = folder / f"{name}.csv", folder / f"{name}.parquet"
            plain.write_text("\n".join(_normal(each, has_amounts=has_amounts) for each in records))
            duck.run(
                f"COPY (FROM read_csv({text(plain)}, header = false, auto_detect = false, "
                f"columns = {{{columns}}})) TO {text(made[name])} (FORMAT parquet)"
            )
    return made


def _normal(record: Record, *, has_amounts: bool) -> str:
    amount: int | str = record.price if record.amount is None else record.amount
    if not has_amounts:
        amount = ""
    fields = (
        record.id, record.direction, micro(record.at), vietnam_day(record.at), record.parts,
        "gsm7", "1414", record.is_aside, record.status != "REJECTD", amount,
    )  # fmt: skip
    return ",".join(map(str, fields))


def held(
    folder: Path,
    ours: Iterable[Record],
    *files: Iterable[Record],
    before: Iterable[Record] | None = None,
    after: Iterable[Record] | None = None,
    by: CdrMapping | None = None,
) -> AbstractContextManager[Reconciled]:
    """Hold our records against an operator's files, and against those of the months beside."""
    theirs = {f"theirs-{number}": each for number, each in enumerate(files)}
    beside = {"before": before, "after": after}
    known = {name: each for name, each in beside.items() if each is not None}
    used = by or mapping()
    is_told = used.columns.amount is not None
    made = normal_form(folder, has_amounts=is_told, ours=ours, **theirs, **known)
    sides = Sides(
        period=OCTOBER,
        ours=made["ours"],
        theirs=[made[name] for name in theirs],
        before=[made[name] for name in known if name == "before"],
        after=[made[name] for name in known if name == "after"],
        pricing=PRICING,
        tolerance=used.tolerance,
    )
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return compared(scratch, sides, "vina", tell=silent)


def lasting(seconds: float) -> timedelta:
    """Return a length of time."""
    return timedelta(seconds=seconds)


START = OCTOBER.starts_at.astimezone(UTC)
END = OCTOBER.ends_at.astimezone(UTC)
