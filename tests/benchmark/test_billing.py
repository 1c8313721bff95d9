from pathlib import Path

import pytest

from benchmark.billing import Run, _found
from benchmark.billing_month import FEWEST, MAPPING, OPERATOR, PERIOD, Expected, Month, pricing
from benchmark.billing_report import _run
from billing.reconciliation import intake, mapping_file
from billing.reconciliation.comparison import Sides
from billing.reconciliation.reconciling import compared
from billing.reconciliation.summary import Count, as_json


def tell(_done: int, _total: int) -> None:
    """Hear it and say nothing."""


@pytest.mark.parametrize("is_faulty", [True, False])
def test_what_is_planted_is_what_is_found(tmp_path: Path, *, is_faulty: bool) -> None:
    month = Month.of(FEWEST, is_faulty=is_faulty)
    by = mapping_file.parse(MAPPING)
    files = month.write(tmp_path)
    taken = {}
    for name, period in (("theirs", PERIOD), ("after", PERIOD.following)):
        (tmp_path / name).mkdir()
        file = getattr(files, name)
        taken[name] = intake.take(file, by, tmp_path / name, period, tell=tell).path
    sides = Sides(
        period=PERIOD,
        ours=files.ours,
        theirs=[taken["theirs"]],
        before=[],
        after=[taken["after"]],
        pricing=pricing(),
        tolerance=by.tolerance,
    )

    with compared(tmp_path, sides, OPERATOR, tell=tell) as result:
        told = as_json(result.summary)

    assert _found(dict(told)) == month.expected()
    assert told["verdict"] == ("different" if is_faulty else "same")


@pytest.mark.parametrize("records", [10_000, 10_007, 12_345])
def test_the_sums_are_those_of_the_records_one_by_one(records: int) -> None:
    month = Month.of(records, is_faulty=False)
    every = range(records)

    parts = sum(month._parts(number) for number in every)
    amount = sum(month._parts(number) * month._price(number) for number in every)

    assert month.expected().ours == Count(records, parts, amount)


def test_a_run_that_finds_anything_else_is_not_sound() -> None:
    month = Month.of(FEWEST, is_faulty=True)
    expected = month.expected()
    less = Expected(expected.ours, expected.theirs + Count(0, 0, 1), expected.classes)
    rest = {
        "month": month, "file_size": 1, "expected": expected, "verdict": "different",
        "seconds": {"take": 9.0, "compare": 4.0, "lists": 3.0}, "cpu": 1.0, "memory": 2**30,
        "others": 0.0, "yardstick": 0.5,
    }  # fmt: skip

    right, wrong = (Run(found=found, **rest) for found in (expected, less))  # type: ignore[arg-type]  # a table of what is the same

    assert (right.sound, wrong.sound) == (True, False)
    assert [verdict["met"] for verdict in _run(right)["bars"]] == [False, True]
    assert _run(right)["seconds"]["all"] == 16.0
