from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.reconciliation import mapping_file
from billing.reconciliation.summary import Count, Kind, Reason, Summary, Verdict
from tests.billing.months import (
    END,
    MAPPING,
    NEW,
    NEW_PRICE_ON,
    NOON,
    OLD,
    START,
    Record,
    at,
    held,
    lasting,
    month,
)

MONTH = month(60)
MIDDAY = MONTH[4:56]  # far from both edges
BEFORE = Record(id="before", at=START - lasting(90))


def found(folder: Path, *args: object, **options: object) -> Summary:
    with held(folder, *args, **options) as result:  # type: ignore[arg-type]  # passed on
        return result.summary


def classes(summary: Summary) -> dict[tuple[Kind, Reason | None], int]:
    counted: Counter[tuple[Kind, Reason | None]] = Counter()
    for each in summary.differences:
        counted[each.kind, each.reason] += each.records
    return dict(counted)


def cost(records: Sequence[Record]) -> int:
    return sum(each.price if each.amount is None else each.amount for each in records)


def test_a_month_without_fault_says_so(tmp_path: Path) -> None:
    summary = found(tmp_path, MONTH, MONTH)

    assert (summary.verdict, summary.differences) == (Verdict.SAME, ())
    assert summary.ours == summary.theirs == Count(60, sum(m.parts for m in MONTH), cost(MONTH))


def test_every_fault_is_found_under_its_class(tmp_path: Path) -> None:
    extra = Record(id="op-extra", at=NOON)
    theirs = [
        at(MIDDAY[0], parts=3),
        at(MIDDAY[1], amount=MIDDAY[1].price + 1),
        *MIDDAY[2:4],
        *MIDDAY[5:],
        MIDDAY[2],
        MIDDAY[2],
        extra,
    ]

    summary = found(tmp_path, MIDDAY, theirs)

    assert classes(summary) == {
        (Kind.PARTS, None): 1,
        (Kind.PRICE, None): 1,
        (Kind.ONLY_OURS, None): 1,
        (Kind.DOUBLED, None): 2,
        (Kind.ONLY_THEIRS, None): 1,
    }
    assert summary.difference.amount == cost(theirs) - cost(MIDDAY)
    assert summary.verdict is Verdict.DIFFERENT


def test_the_copy_that_is_not_as_ours_is_the_double(tmp_path: Path) -> None:
    one = MIDDAY[0]
    earlier = at(one, at=one.at - lasting(60), parts=one.parts + 1)

    summary = found(tmp_path, MIDDAY, [*MIDDAY, earlier])

    assert classes(summary) == {(Kind.DOUBLED, None): 1}
    assert summary.difference == Count(1, earlier.parts, earlier.price)


def test_without_amounts_records_and_parts_are_compared_at_our_prices(tmp_path: Path) -> None:
    by = mapping_file.parse(MAPPING.replace('amount = "AMOUNT"', ""))
    extra = Record(id="extra", at=NOON)
    theirs = [at(MIDDAY[0], parts=3), *MIDDAY[1:], extra]

    same = found(tmp_path / "a", MIDDAY, MIDDAY, by=by)
    summary = found(tmp_path / "b", MIDDAY, theirs, by=by)

    assert (same.verdict, same.has_amounts) == (Verdict.SAME, False)
    assert same.difference == Count()
    assert classes(summary) == {(Kind.PARTS, None): 1, (Kind.ONLY_THEIRS, None): 1}
    assert summary.difference.amount == cost(theirs) - cost(MIDDAY)


def test_an_id_says_nothing_across_directions(tmp_path: Path) -> None:
    ours, theirs = Record(id="x", direction="mo"), Record(id="x", direction="mt")

    assert classes(found(tmp_path, [ours], [theirs])) == {
        (Kind.ONLY_OURS, None): 1,
        (Kind.ONLY_THEIRS, None): 1,
    }


def test_what_was_not_carried_is_not_compared(tmp_path: Path) -> None:
    lost = Record(id="lost", at=NOON, status="REJECTD")

    assert found(tmp_path, MIDDAY, [*MIDDAY, lost]).verdict is Verdict.SAME


def test_what_we_put_aside_is_told_as_that(tmp_path: Path) -> None:
    aside = Record(id="aside", at=NOON, is_aside=True)

    summary = found(tmp_path, [*MIDDAY, aside], [*MIDDAY, at(aside)])

    assert classes(summary) == {(Kind.ONLY_THEIRS, Reason.ASIDE): 1}
    assert summary.ours.records == len(MIDDAY)


def test_the_last_instant_of_a_month_may_be_the_first_of_the_next(tmp_path: Path) -> None:
    ours = Record(id="edge", at=END - lasting(0.001))
    theirs = at(ours, at=END)

    summary = found(
        tmp_path, [*MIDDAY, ours], MIDDAY, after=[theirs, Record(id="n", at=END + lasting(90))]
    )

    assert classes(summary) == {(Kind.EDGE, Reason.CLOCK): 1}
    assert summary.difference == Count(-1, -1, -NEW)


def test_the_first_instant_of_a_month_may_be_the_last_of_the_one_before(tmp_path: Path) -> None:
    theirs = Record(id="edge", at=START)
    ours = at(theirs, at=START - lasting(0.001))

    summary = found(tmp_path, [ours, *MIDDAY], [theirs, *MIDDAY])

    assert classes(summary) == {(Kind.EDGE, Reason.CLOCK): 1}
    assert summary.difference == Count(1, 1, OLD)


def test_an_edge_is_unseen_until_the_month_beside_is_there(tmp_path: Path) -> None:
    ours = Record(id="edge", at=END - lasting(1))

    unseen = found(tmp_path / "a", [*MIDDAY, ours], MIDDAY)
    missing = found(tmp_path / "b", [*MIDDAY, ours], MIDDAY, after=[Record(id="n", at=END)])

    assert classes(unseen) == {(Kind.EDGE, Reason.UNSEEN): 1}
    assert classes(missing) == {(Kind.ONLY_OURS, None): 1}


def test_what_the_operator_counts_in_two_months_is_doubled(tmp_path: Path) -> None:
    ours = Record(id="twice", at=START - lasting(0.001))
    theirs = at(ours, at=START)

    once = found(tmp_path / "a", [ours, *MIDDAY], [theirs, *MIDDAY], before=[BEFORE])
    twice = found(tmp_path / "b", [ours, *MIDDAY], [theirs, *MIDDAY], before=[BEFORE, ours])

    assert classes(once) == {(Kind.EDGE, Reason.CLOCK): 1}
    assert classes(twice) == {(Kind.DOUBLED, None): 1}


def test_a_receipt_that_came_late_stands_in_the_next_month(tmp_path: Path) -> None:
    hours = timedelta(hours=3)
    ours = Record(id="late", at=END - hours)
    in_time, too_late = (
        at(ours, at=END + more) for more in (timedelta(hours=20), timedelta(hours=22))
    )

    within = found(tmp_path / "a", [*MIDDAY, ours], MIDDAY, after=[in_time])
    beyond = found(tmp_path / "b", [*MIDDAY, ours], MIDDAY, after=[too_late])

    assert classes(within) == {(Kind.EDGE, Reason.LATE): 1}
    assert classes(beyond) == {(Kind.ONLY_OURS, None): 1}


def test_a_price_that_changed_between_two_clocks_is_an_edge(tmp_path: Path) -> None:
    midnight = NOON.replace(day=NEW_PRICE_ON.day, hour=0)
    ours = Record(id="edge", at=midnight - lasting(0.001))
    theirs = at(ours, at=midnight)
    wrong = at(theirs, amount=NEW + 1)

    at_midnight = found(tmp_path / "a", [*MIDDAY, ours], [*MIDDAY, theirs])
    of_no_day = found(tmp_path / "b", [*MIDDAY, ours], [*MIDDAY, wrong])
    too_far = found(
        tmp_path / "c", [*MIDDAY, at(ours, at=midnight - lasting(6))], [*MIDDAY, theirs]
    )

    assert classes(at_midnight) == {(Kind.EDGE, Reason.TARIFF): 1}
    assert at_midnight.difference == Count(0, 0, NEW - OLD)
    assert classes(of_no_day) == classes(too_far) == {(Kind.PRICE, None): 1}


def test_the_contract_says_what_is_put_up_with(tmp_path: Path) -> None:
    theirs = [*MIDDAY, Record(id="one-more", at=NOON)]
    loose = MAPPING + 'share_percent = "5"\nmeasure = "records"\nbasis = "ours"\n'
    tight = MAPPING + 'share_percent = "1"\nmeasure = "records"\nbasis = "mean"\n'

    verdicts = [
        found(tmp_path / name, MIDDAY, theirs, by=mapping_file.parse(text)).verdict
        for name, text in (("a", loose), ("b", tight), ("c", MAPPING))
    ]

    assert verdicts == [Verdict.WITHIN, Verdict.DIFFERENT, Verdict.DIFFERENT]


def test_a_record_may_be_dearer_by_what_the_contract_says(tmp_path: Path) -> None:
    by = mapping_file.parse(MAPPING + "amount_hundredths = 5\n")
    theirs = [at(MIDDAY[0], amount=MIDDAY[0].price + 5), at(MIDDAY[1], amount=1), *MIDDAY[2:]]

    assert classes(found(tmp_path, MIDDAY, theirs, by=by)) == {(Kind.PRICE, None): 1}


@given(
    order=st.randoms(use_true_random=False),
    splits=st.integers(1, 4),
    doubled=st.sets(st.integers(0, 51), max_size=4),
    missing=st.sets(st.integers(0, 51), max_size=4),
    extra=st.integers(0, 3),
)
@settings(max_examples=5)
def test_order_repeats_and_splits_change_nothing(
    order: Random, splits: int, doubled: set[int], missing: set[int], extra: int
) -> None:
    theirs = [each for n, each in enumerate(MIDDAY) if n not in missing]
    theirs += [MIDDAY[n] for n in doubled - missing]
    theirs += [Record(id=f"extra-{n}", at=NOON) for n in range(extra)]
    ours = list(MIDDAY)
    order.shuffle(theirs)
    order.shuffle(ours)
    files = [part for n in range(splits) if (part := theirs[n::splits])]

    with TemporaryDirectory() as folder:
        summary = found(Path(folder), ours, *files)

    wanted = {
        Kind.DOUBLED: len(doubled - missing),
        Kind.ONLY_OURS: len(missing),
        Kind.ONLY_THEIRS: extra,
    }
    assert {kind: summary.records(kind) for kind in wanted} == wanted
    assert sum(each.records for each in summary.differences) == sum(wanted.values())
    assert summary.difference.amount == cost(theirs) - cost(MIDDAY)
