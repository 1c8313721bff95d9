"""The lines of a statement: whatever the order and the split, they come to the same."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import lines
from billing.carried import Group, Section
from billing.lines import Rating
from billing.periods import Period
from billing.tariffs import Encoding, Tariff, Tariffs
from billing.usage import Direction

MONTH = Period(2026, 10)
FIRST = MONTH.first_day
CHANGE = FIRST + timedelta(days=14)
TARIFFS = Tariffs(
    (
        Tariff(
            operator="viettel", valid_from=date(2026, 1, 1), valid_to=CHANGE - timedelta(days=1),
            price_hundredths=50_000, vat_bp=1_000, share_bp=4_300,
        ),
        Tariff(
            operator="viettel", valid_from=CHANGE, price_hundredths=60_001, vat_bp=800,
            share_bp=4_333,
        ),
        Tariff(
            operator="viettel", direction=Direction.MT, encoding=Encoding.UCS2,
            valid_from=date(2026, 1, 1), price_hundredths=29_050, vat_bp=1_000,
        ),
    )
)  # fmt: skip


@st.composite
def groups(draw: st.DrawFn) -> Group:
    parts = draw(st.integers(1, 5))
    messages = draw(st.integers(1, 1000))
    return Group(
        section=draw(st.sampled_from([Section.USAGE, Section.TEST, Section.QUARANTINED])),
        short_code=draw(st.sampled_from(["", "1900"])),
        direction=draw(st.sampled_from(Direction)),
        encoding=draw(st.sampled_from(["gsm7", "ucs2"])),
        day=FIRST + timedelta(days=draw(st.integers(0, 30))),
        messages=messages,
        parts=messages * parts,
    )


@given(found=st.lists(groups(), max_size=30), seed=st.randoms(use_true_random=False))
def test_the_order_of_what_was_carried_does_not_count(found: list[Group], seed: Random) -> None:
    shuffled = list(found)
    seed.shuffle(shuffled)

    assert lines.of("viettel", shuffled, TARIFFS) == lines.of("viettel", found, TARIFFS)


@given(found=st.lists(groups(), max_size=30), days=st.integers(0, 31))
def test_the_two_halves_of_a_split_period_add_up_to_the_whole(
    found: list[Group], days: int
) -> None:
    split = FIRST + timedelta(days=days)
    early = lines.of("viettel", [each for each in found if each.day < split], TARIFFS)
    late = lines.of("viettel", [each for each in found if each.day >= split], TARIFFS)
    whole = lines.of("viettel", found, TARIFFS)

    assert lines.added(early, late) == whole
    assert lines.net(early) + lines.net(late) == lines.net(whole)


@given(found=st.lists(groups(), max_size=20), later=st.lists(groups(), max_size=5))
def test_corrections_bring_a_closed_period_to_what_it_would_be_now(
    found: list[Group], later: list[Group]
) -> None:
    closed = lines.of("viettel", found, TARIFFS)
    now = lines.of("viettel", [*found, *later], TARIFFS)

    corrections = lines.difference(now, closed, MONTH)

    assert {line.terms.corrects for line in corrections} <= {str(MONTH)}
    assert lines.net(closed) + lines.net(corrections) == lines.net(now)
    assert lines.difference(now, now, MONTH) == ()
    assert lines.less(corrections, corrections) == ()


def carried(day: date, **changes: object) -> Group:
    values = {
        "short_code": "", "direction": Direction.MO, "encoding": "gsm7", "day": day, "messages": 1,
        "parts": 1,
    } | changes  # fmt: skip
    return Group(**values)  # type: ignore[arg-type]  # a test names what it changes


def test_a_price_that_changes_at_midnight_makes_two_lines() -> None:
    found = [carried(CHANGE - timedelta(days=1), messages=3, parts=4), carried(CHANGE)]

    old, new = lines.of("viettel", found, TARIFFS)

    # 500 dong hold 45.45 of VAT; of the other 454.55, 43 % are 195.46 (half up).
    assert (old.messages, old.parts) == (3, 4)
    assert (old.amount, old.vat, old.share) == (200_000, 4 * 4_545, 4 * 19_546)
    assert (new.parts, new.amount) == (1, 60_001)
    assert new.terms.valid_from == "2026-10-15"


def test_what_an_operator_never_bills_is_counted_and_owes_nothing() -> None:
    (line,) = lines.of("mobifone", [carried(FIRST)], TARIFFS)

    assert (line.terms.rating, line.messages, line.amount) == (Rating.UNBILLED, 1, 0)
    assert lines.unpriced([line]) == []


@pytest.mark.parametrize(
    ("section", "misses"),
    [(Section.USAGE, True), (Section.TEST, False), (Section.QUARANTINED, False)],
)
def test_what_is_billed_and_has_no_price_is_told(section: Section, misses: bool) -> None:
    before_all = carried(date(2025, 12, 31), section=section)

    found = lines.of("viettel", [before_all], TARIFFS)

    assert [line.terms.rating for line in found] == [Rating.UNPRICED]
    assert bool(lines.unpriced(found)) is misses


def test_test_traffic_and_what_was_put_aside_stand_apart() -> None:
    sections = (Section.USAGE, Section.TEST, Section.QUARANTINED)
    found = lines.of("viettel", [carried(FIRST, section=each) for each in sections], TARIFFS)

    assert [line.terms.section for line in found] == list(sections)
    assert [line.amount for line in found] == [50_000] * 3
    assert lines.total(found, Direction.MO).messages == 1


def test_netting_takes_what_we_owe_from_our_share() -> None:
    out = carried(FIRST, direction=Direction.MT, encoding="ucs2", parts=2)
    found = lines.of("viettel", [carried(FIRST, messages=3, parts=3), out], TARIFFS)

    assert lines.net(found) == 3 * 19_546 - 2 * 29_050


def test_lines_have_one_digest() -> None:
    found = lines.of("viettel", [carried(FIRST)], TARIFFS)

    assert lines.canonical("viettel", MONTH, found) == (
        b'{"lines":[{"amount":50000,"messages":1,"parts":1,"share":19546,"terms":{"corrects":"",'
        b'"direction":"mo","encoding":"gsm7","price_hundredths":50000,"rating":"priced",'
        b'"section":"usage","share_bp":4300,"short_code":"","valid_from":"2026-01-01",'
        b'"vat_bp":1000},"vat":4545}],"operator":"viettel","period":"2026-10"}'
    )
    assert lines.digest("viettel", MONTH, found) != lines.digest("viettel", MONTH.following, found)
