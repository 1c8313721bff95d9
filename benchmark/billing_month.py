"""A month of call records made up on both sides, with faults of every class planted in it.

What must be found is reckoned here record by record, apart from the SQL that makes the files.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from billing.periods import Period
from billing.reconciliation import engine
from billing.reconciliation.engine import Engine, text
from billing.reconciliation.intake import micro
from billing.reconciliation.pricing import Pricing
from billing.reconciliation.summary import Count, Kind, Reason
from billing.tariffs import Tariff, Tariffs
from billing.usage import Direction
from core.clock import VIETNAM

OPERATOR = "operator"
PERIOD = Period(2026, 10)
# A part of a message to us before and since the tariff changed, and of a reply; in hundredths.
OLD, NEW, REPLY = 35_000, 40_050, 12_345
CHANGED_ON = date(2026, 10, 16)
FEWEST = 10_000
_ONE_DONG = 100
_MARGIN = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)
_FAULTS = (Kind.ONLY_OURS, Kind.ONLY_THEIRS, Kind.DOUBLED, Kind.PARTS, Kind.PRICE)
_HEADER = ("MSG_ID", "DIR", "SUBMIT_TIME", "PARTS", "DCS", "STATUS", "AMOUNT", "SHORT_CODE")
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
carried = ["DELIVRD"]
not_carried = ["REJECTD"]
[expect]
SHORT_CODE = ["1414"]
[trailer]
mark = "TRAILER"
records = 2
[tolerance]
edge_seconds = 5
late_hours = 48
"""


@dataclass(frozen=True, slots=True)
class Files:
    """Where a month lies: our side, the operator's file and its file of the month after."""

    ours: Path
    theirs: Path
    after: Path


@dataclass(frozen=True, slots=True)
class Expected:
    """What a comparison must find."""

    ours: Count
    theirs: Count
    classes: Counter[tuple[Kind, Reason | None]]


@dataclass(frozen=True, slots=True)
class Month:
    """A month of *records* messages on our side, with *faults* planted of each class."""

    records: int
    faults: int

    @classmethod
    def of(cls, records: int, *, is_faulty: bool) -> "Month":
        """Return a month with as many faults as its size takes."""
        return cls(records, max(5, records // 2000) if is_faulty else 0)

    def write(self, folder: Path) -> Files:
        """Write both sides."""
        files = Files(folder / "ours.parquet", folder / "theirs.csv", folder / "after.csv")
        with engine.opened(folder) as duck:
            duck.run(f"CREATE VIEW made AS {self._made()}")
            duck.run(f"CREATE VIEW edges AS {self._edges()}")
            duck.run(
                f"COPY ({_usage()}) TO {text(files.ours)} (FORMAT parquet, COMPRESSION snappy)"
            )
            self._write_csv(duck, files.theirs, f"{self._theirs()} UNION ALL {_beside('t_in')}")
            filler = (
                f"SELECT 'N' || i AS id, 'mo' AS direction, {micro(PERIOD.ends_at)} + 10000000 * i "
                f"AS at_us, 1 AS parts, {NEW} AS amount, true AS carried FROM range(1000) r(i)"
            )
            self._write_csv(duck, files.after, f"{filler} UNION ALL {_beside('t_after')}")
        return files

    def expected(self) -> Expected:
        """Reckon what must be found."""
        ours, theirs = self._base(), self._base()
        classes: Counter[tuple[Kind, Reason | None]] = Counter()
        for kind, number in self._planted():
            classes[kind, None] += 1
            one = Count(1, self._parts(number), self._parts(number) * self._price(number))
            match kind:
                case Kind.ONLY_OURS:
                    theirs -= one
                case Kind.ONLY_THEIRS:
                    ours -= one
                case Kind.DOUBLED:
                    theirs += one
                case Kind.PARTS:
                    theirs += Count(0, 1, self._price(number))
                case Kind.PRICE | Kind.EDGE:
                    theirs += Count(0, 0, _ONE_DONG)
        edges = self.faults
        ours += Count(edges, edges, edges * NEW) + Count(edges, edges, edges * NEW)
        theirs += Count(edges, edges, edges * OLD)
        ours += Count(edges, edges, edges * OLD)
        theirs += Count(edges, edges, edges * NEW)
        if edges:
            classes[Kind.EDGE, Reason.CLOCK] = 2 * edges
            classes[Kind.EDGE, Reason.LATE] = classes[Kind.EDGE, Reason.TARIFF] = edges
        return Expected(ours, theirs, classes)

    @property
    def _step(self) -> int:
        """How far a message is behind the one before, in microseconds."""
        return (PERIOD.ends_at - PERIOD.starts_at - 2 * _MARGIN) // _MICROSECOND // self.records

    @property
    def _stride(self) -> int:
        """How far the faults of a class are apart; odd, so that both directions have them."""
        widest = self.records // max(self.faults, 1)
        return widest - (widest % 2 == 0)

    @property
    def _first(self) -> int:
        return micro(PERIOD.starts_at + _MARGIN)

    @property
    def _changed(self) -> int:
        """The number of the first message at the new price."""
        return -((self._first - _midnight()) // self._step)

    def _planted(self) -> Iterator[tuple[Kind, int]]:
        for place, kind in enumerate(_FAULTS):
            for nth in range(self.faults):
                yield kind, nth * self._stride + place

    def _parts(self, number: int) -> int:
        return 1 if number % 5 else 2

    def _price(self, number: int) -> int:
        """Messages to us have even numbers."""
        if number % 2:
            return REPLY
        return NEW if number >= self._changed else OLD

    def _base(self) -> Count:
        """Count the month without any fault, by how many numbers below a bound leave a rest."""

        def parts(below: int, rest: int) -> int:
            # Every second number is of a direction, every tenth of it twice: by 5 and by the rest.
            evenly = (below - rest + 1) // 2
            twice = (below - (0 if rest == 0 else 5) + 9) // 10
            return evenly + max(twice, 0)

        cheap = parts(self._changed, 0)
        to_us, replies = parts(self.records, 0), parts(self.records, 1)
        amount = cheap * OLD + (to_us - cheap) * NEW + replies * REPLY
        return Count(self.records, to_us + replies, amount)

    def _made(self) -> str:
        """Every message, with the place of its fault, if it has one."""
        price = (
            f"CASE WHEN i % 2 = 1 THEN {REPLY} WHEN i >= {self._changed} THEN {NEW} ELSE {OLD} END"
        )
        fault = f"CASE WHEN i < {self.faults * self._stride} THEN i % {self._stride} ELSE -1 END"
        return (
            "SELECT i, CASE WHEN i % 2 = 0 THEN lpad(to_hex(i), 16, 'a') "
            "ELSE md5(i::VARCHAR)::UUID::VARCHAR END AS id, "
            "CASE WHEN i % 2 = 0 THEN 'mo' ELSE 'mt' END AS direction, "
            f"{self._first} + i * {self._step} AS at_us, CASE WHEN i % 5 = 0 THEN 2 ELSE 1 END "
            f"AS parts, {price} AS price, {fault} AS fault FROM range({self.records}) r(i)"
        )

    def _theirs(self) -> str:
        """Select the operator's side of every message, some seconds off."""
        number = {kind: place for place, kind in enumerate(_FAULTS)}
        extra, parts, price = (number[kind] for kind in (Kind.ONLY_THEIRS, Kind.PARTS, Kind.PRICE))
        counted = f"(parts + (fault = {parts})::INTEGER)"
        row = (
            f"SELECT CASE WHEN fault = {extra} THEN 'x' || id ELSE id END AS id, direction, "
            f"at_us + i % 2000000 AS at_us, {counted} AS parts, "
            f"{counted} * price + (fault = {price})::INTEGER * {_ONE_DONG} AS amount, "
            "true AS carried FROM made"
        )
        wanted = f"{row} WHERE fault <> {number[Kind.ONLY_OURS]}"
        again = f"{row} WHERE fault = {number[Kind.DOUBLED]}"
        lost = (
            "SELECT 'lost-' || id, direction, at_us, parts, parts * price, false FROM made "
            f"WHERE fault = {number[Kind.ONLY_OURS]}"
        )
        return f"({wanted}) UNION ALL ({again}) UNION ALL ({lost})"

    def _edges(self) -> str:
        """Messages at the ends of the month and of a tariff, each as either side has it."""
        end, start = micro(PERIOD.ends_at), micro(PERIOD.starts_at)
        late, hours = 3 * 3_600_000_000, 10 * 3_600_000_000
        rows = (
            # prefix, ours at, theirs at, theirs stands in, theirs amount
            ("e-end-", end - 1000, end, "t_after", NEW),
            ("e-late-", end - late, end + hours, "t_after", NEW),
            ("e-start-", start - 1000, start, "t_in", OLD),
            ("e-tariff-", _midnight() - 1000, _midnight(), "t_in", NEW),
        )
        values = ", ".join(
            f"('{prefix}', {ours}, {theirs}, '{place}', {amount})"
            for prefix, ours, theirs, place, amount in rows
        )
        return (
            "SELECT prefix || i AS id, o_at, t_at, place, amount "
            f"FROM (VALUES {values}) v(prefix, o_at, t_at, place, amount), "
            f"range({self.faults}) r(i)"
        )

    def _write_csv(self, duck: Engine, path: Path, rows: str) -> None:
        wall = "strftime(make_timestamp(at_us + 25200000000), '%Y-%m-%d %H:%M:%S.%g')"
        columns = (
            "id", "upper(direction)", wall, "parts", "'0'",
            "CASE WHEN carried THEN 'DELIVRD' ELSE 'REJECTD' END",
            "(amount // 100)::VARCHAR || '.' || lpad((amount % 100)::VARCHAR, 2, '0')", "'1414'",
        )  # fmt: skip
        named = ", ".join(f"{sql} AS {name}" for sql, name in zip(columns, _HEADER, strict=True))
        duck.run(f"COPY (SELECT {named} FROM ({rows})) TO {text(path)} (FORMAT csv, HEADER)")
        count = duck.run(f"SELECT count(*) FROM ({rows})")[0][0]
        with path.open("a", encoding="utf-8") as file:
            file.write(f"TRAILER,{count}\n")


def pricing() -> Pricing:
    """Return the prices of the month, which change within it."""
    before, since = date(2026, 1, 1), CHANGED_ON
    tariffs = (
        Tariff(operator=OPERATOR, valid_from=before, valid_to=since - timedelta(days=1),
               price_hundredths=OLD),
        Tariff(operator=OPERATOR, valid_from=since, price_hundredths=NEW),
        Tariff(operator=OPERATOR, direction=Direction.MT, valid_from=before,
               price_hundredths=REPLY),
    )  # fmt: skip
    return Pricing(Tariffs(tariffs), OPERATOR)


def _usage() -> str:
    day = "strftime(make_timestamp(at_us + 25200000000), '%Y-%m-%d')"
    rest = f"{day} AS day, parts, 'gsm7' AS encoding, '1414' AS short_code, false AS is_aside"
    extra = _FAULTS.index(Kind.ONLY_THEIRS)
    return (
        f"SELECT id, direction, at_us, {rest} FROM made WHERE fault <> {extra} UNION ALL "
        f"SELECT id, 'mo', at_us, {rest} FROM (SELECT id, o_at AS at_us, 1 AS parts FROM edges)"
    )


def _beside(place: str) -> str:
    return (
        "SELECT id, 'mo' AS direction, t_at AS at_us, 1 AS parts, amount, true AS carried "
        f"FROM edges WHERE place = '{place}'"
    )


def _midnight() -> int:
    midnight = datetime.combine(CHANGED_ON, datetime.min.time(), VIETNAM)
    return micro(midnight)
