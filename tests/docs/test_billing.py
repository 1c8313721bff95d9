"""The worked month of the accountants' page is what the code makes of it."""

from datetime import date

from billing import lines, tariff_file, words
from billing.carried import Group
from billing.lines import Line
from billing.periods import Period
from billing.tariffs import Tariff, Tariffs
from billing.usage import Direction
from tests.docs import pages

BILLING = pages.ROOT / "docs/billing.md"
OCTOBER = Period(2026, 10)
RAISED = date(2026, 10, 15)
TARIFFS = Tariffs(
    (
        Tariff(operator="viettel", valid_from=date(2026, 1, 1), valid_to=date(2026, 10, 14),
               price_hundredths=50_000, vat_bp=1_000, share_bp=4_300),
        Tariff(operator="viettel", valid_from=RAISED, price_hundredths=60_000, vat_bp=1_000,
               share_bp=4_300),
        Tariff(operator="viettel", direction=Direction.MT, valid_from=date(2026, 1, 1),
               price_hundredths=15_000, vat_bp=1_000),
    )
)  # fmt: skip


def carried(direction: Direction, day: date, messages: int, parts: int) -> Group:
    return Group(
        short_code="1900", direction=direction, encoding="gsm7", day=day, messages=messages,
        parts=parts,
    )  # fmt: skip


def priced(*groups: Group) -> tuple[Line, ...]:
    return lines.of("viettel", groups, TARIFFS)


def said(hundredths: int) -> str:
    return f"{hundredths // 100:,}.{hundredths % 100:02}"


def test_the_worked_month_adds_up() -> None:
    ours = priced(
        carried(Direction.MO, OCTOBER.first_day, 412_345, 412_399),
        carried(Direction.MO, RAISED, 398_211, 398_300),
        carried(Direction.MT, OCTOBER.last_day, 801_234, 801_234),
    )
    late = priced(carried(Direction.MO, OCTOBER.first_day, 7, 7))
    kept = lines.added(ours, lines.difference(late, (), OCTOBER.preceding))

    told = [(row[1], row[2], *row[5:]) for row in pages.rows(BILLING, "line")]
    page = " ".join(pages.prose(BILLING).split())

    assert told == [
        (f"{line.messages:,}", f"{line.parts:,}", *map(said, (line.amount, line.vat, line.share)))
        for line in kept
    ]
    assert f"After netting it pays {said(lines.net(kept))} dong" in page
    assert words.dong(lines.net(kept)).lower() in page


def test_the_file_of_tariffs_that_is_shown_is_taken() -> None:
    (shown,) = [block for block in pages.fenced(BILLING) if block.startswith("operator,")]

    rows = tariff_file.read(shown.encode(), {"viettel"})

    assert {row.tariff for row in rows} == set(TARIFFS.all[1:])
