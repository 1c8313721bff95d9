"""Files of tariffs: all or nothing, each fault with its line, and twice is once."""

from dataclasses import replace
from datetime import date

import pytest

from billing import tariff_file
from billing.errors import TariffFileError
from billing.periods import Period
from billing.tariff_file import Plan
from billing.tariffs import Encoding, Tariff
from billing.usage import Direction

HEADER = (
    "operator,short_code,direction,encoding,valid_from,valid_to,price_hundredths,vat_bp,share_bp"
)
TODAY = date(2026, 11, 22)
OPEN = Tariff(operator="viettel", valid_from=date(2026, 1, 1), price_hundredths=50_000)
NEXT = Tariff(
    operator="viettel", valid_from=date(2026, 12, 1), price_hundredths=60_000, vat_bp=1_000,
    share_bp=4_300,
)  # fmt: skip
LINE = "viettel,*,mo,any,2026-12-01,,60000,1000,4300"


def taken(
    *lines: str,
    known: tuple[Tariff, ...] = (),
    correct: bool = False,
    sent: tuple[Period, ...] = (),
) -> Plan:
    content = "\n".join([HEADER, *lines, ""]).encode()
    rows = tariff_file.read(content, {"viettel", "mobifone"})
    months = {"viettel": sent}
    return tariff_file.plan(known, rows, TODAY, correct=correct, sent=months)


def faults(
    *lines: str, known: tuple[Tariff, ...] = (), sent: tuple[Period, ...] = ()
) -> list[tuple[int, str]]:
    with pytest.raises(TariffFileError) as caught:
        taken(*lines, known=known, sent=sent)
    return caught.value.faults


def test_a_price_from_a_day_on_ends_the_one_before_it() -> None:
    plan = taken(LINE, known=(OPEN,))

    assert set(plan.after) == {replace(OPEN, valid_to=date(2026, 11, 30)), NEXT}
    assert (plan.added, plan.ended, plan.corrected, plan.unchanged) == (1, 1, 0, 0)


def test_the_same_file_again_changes_nothing() -> None:
    lines = (LINE, "mobifone,1900,mt,ucs2,2026-01-01,2026-12-31,29050,,")
    once = taken(*lines, known=(OPEN,))

    twice = taken(*lines, known=once.after)

    assert once.changes
    assert not twice.changes
    assert (set(twice.after), twice.unchanged) == (set(once.after), 2)


def test_semicolons_a_mark_and_other_orders_of_columns_are_read() -> None:
    content = (
        "\ufeffencoding;direction;short_code;operator;valid_to;valid_from;price_hundredths\r\n"
        "ucs2;mt;+84900;viettel;;2026-01-01;1\r\n"
    )

    (row,) = tariff_file.read(content.encode(), {"viettel"})

    assert (row.line, row.tariff) == (
        2,
        Tariff(
            operator="viettel", short_code="+84900", direction=Direction.MT,
            encoding=Encoding.UCS2, valid_from=date(2026, 1, 1), price_hundredths=1,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "value", "told"),
    [
        (0, "vina", "no link is of this operator"),
        (1, "=1+1", "short_code is a number"),
        (2, "in", "direction is one of mo, mt"),
        (3, "utf8", "encoding is one of"),
        (4, "01/12/2026", "valid_from is a day"),
        (4, "20261201", "valid_from is a day"),
        (5, "2026-11-30", "valid_to is before"),
        (6, "500.5", "price_hundredths is a whole number"),
        (6, "-1", "price_hundredths is a whole number"),
        (6, "100000001", "price_hundredths is a whole number"),
        (6, "٥", "price_hundredths is a whole number"),
        (7, "10001", "vat_bp is a whole number"),
        (8, "1e3", "share_bp is a whole number"),
    ],
)
def test_a_wrong_cell_is_told_with_its_line(cell: int, value: str, told: str) -> None:
    cells = LINE.split(",")
    cells[cell] = value

    ((line, why),) = faults("viettel,1900,mt,any,2026-01-01,,0,,", ",".join(cells))

    assert line == 3
    assert told in why


def test_every_wrong_line_is_told() -> None:
    found = faults("vina,*,mo,any,2026-12-01,,1,,", LINE, "viettel,*,mo,any,2026-12-01,,x,,")

    assert [line for line, _ in found] == [2, 4]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "columns are missing"),
        (HEADER.encode(), "no price in it"),
        (b"operator,price\nviettel,1\n", "columns are missing"),
        (HEADER.encode() + b",note\n", "each once"),
        (HEADER.encode() + b"\n" + b"viettel\n", "1 cells, and 9 columns"),
        (HEADER.encode() + b"\n" + "viettel,é".encode("latin-1"), "line 2: not UTF-8"),
        (HEADER.encode() + b'\n"viettel', "not CSV"),
        (b"x" * (tariff_file.LARGEST + 1), "larger"),
    ],
    ids=["empty", "no-row", "columns", "strange", "short", "latin", "quote", "large"],
)
def test_what_is_no_file_of_tariffs_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(TariffFileError, match=told):
        tariff_file.read(content, {"viettel"})


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("any,2026-12-01,", "any,2027-01-01,", "overlaps line 2"),
        ("any,2026-12-01,2026-12-31", "any,2026-12-31,", "overlaps line 2"),
        ("any,2026-12-01,2026-12-31", "gsm7,2026-12-31,2027-01-31", "overlaps line 2"),
        ("any,2026-12-01,2026-12-31", "any,2027-01-02,", "a gap between 2026-12-31"),
    ],
)
def test_overlaps_and_gaps_are_refused(first: str, second: str, told: str) -> None:
    lines = [f"viettel,*,mo,{each},60000,," for each in (first, second)]

    found = faults(*lines)

    assert [line for line, _ in found] == [3]
    assert told in found[0][1]


def test_an_encoding_that_is_left_without_a_price_is_a_gap() -> None:
    later = (
        "viettel,*,mo,gsm7,2026-12-01,2026-12-31,1,,",
        "viettel,*,mo,any,2027-01-01,,2,,",
    )

    ((line, why),) = faults(*later, known=(OPEN,))

    assert (line, "2026-11-30" in why) == (3, True)


def test_prices_of_days_that_are_over_are_changed_only_as_a_correction() -> None:
    line = "viettel,*,mo,any,2026-11-01,,70000,,"

    ((number, why),) = faults(line, known=(OPEN,))
    plan = taken(line, known=(OPEN,), correct=True)

    assert (number, "--correct" in why) == (2, True)
    assert {each.valid_to for each in plan.after} == {date(2026, 10, 31), None}


def test_a_number_that_had_the_price_for_any_is_changed_only_as_a_correction() -> None:
    line = "viettel,1414,mo,gsm7,2026-10-01,,60000,,"

    ((number, why),) = faults(line, known=(OPEN,))

    assert (number, "--correct" in why) == (2, True)
    assert taken(line, known=(OPEN,), correct=True).added == 1
    assert taken(line.replace(",mo,", ",mt,").replace("60000", "1"), known=(OPEN,)).added == 1


def test_days_before_the_first_price_are_no_change_of_it() -> None:
    first = replace(OPEN, valid_from=TODAY)
    lines = (
        "viettel,*,mo,any,2026-10-15,2026-11-21,60000,1000,4300",
        "viettel,*,mo,any,2026-11-22,,60000,1000,4300",
    )

    plan = taken(*lines, known=(first,))

    assert (plan.added, plan.ended, plan.corrected) == (1, 0, 1)
    overlap = faults("viettel,*,mo,any,2026-10-15,,60000,1000,4300", known=(first,))
    assert overlap == [(2, "it overlaps the price from 2026-11-22")]


def test_days_of_a_month_that_was_sent_are_given_a_first_price_only_as_a_correction() -> None:
    september = Period(2026, 9)
    first, sent = "viettel,*,mt,any,2026-09-30,,15000,,", (september,)

    ((number, why),) = faults(first, known=(OPEN,), sent=sent)
    plan = taken(first, known=(OPEN,), sent=sent, correct=True)

    assert (number, "days of 2026-09" in why, "--correct" in why) == (2, True, True)
    assert plan.added == 1
    for beside in (
        "viettel,*,mt,any,2026-10-01,,15000,,",
        "viettel,*,mt,any,2026-08-01,2026-08-31,15000,,",
        first.replace("viettel", "mobifone"),
    ):
        assert taken(beside, known=(OPEN,), sent=sent).added == 1


def test_a_price_put_right_is_counted_as_corrected() -> None:
    plan = taken("viettel,*,mo,any,2026-01-01,,45000,,", known=(OPEN,), correct=True)

    assert (plan.added, plan.ended, plan.corrected) == (0, 0, 1)
    assert [each.price_hundredths for each in plan.after] == [45_000]


def test_prices_that_end_and_have_no_next_are_told() -> None:
    ended = replace(OPEN, valid_to=date(2026, 11, 30))
    past = replace(OPEN, valid_to=date(2026, 11, 21))

    assert tariff_file.unfollowed([ended], TODAY) == [ended]
    assert tariff_file.unfollowed([ended, NEXT], TODAY) == []
    assert tariff_file.unfollowed([past], TODAY) == []
