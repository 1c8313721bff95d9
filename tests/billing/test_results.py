"""What a comparison leaves is read again as it was, a page of records at a time."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing.reconciliation import results
from billing.reconciliation.results import ROWS, Record, Result
from billing.reconciliation.store import Store
from billing.reconciliation.summary import Kind, Reason, Summary
from billing.usage import Direction
from tests.billing.months import NOON, OCTOBER, OLD, at, held, month
from tests.billing.months import Record as Made

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OURS = month(400)[4:396]
# A comparison that has some of almost every class, and ids that a spreadsheet would compute.
THEIRS = [
    *OURS[ROWS + 20 :],
    at(OURS[0], parts=3),
    *(at(each, amount=each.price + 5) for each in OURS[1:4]),
    Made(id="-1+1", at=NOON),
    Made(id="'1;2", at=NOON),
    OURS[-1],
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.of(tmp_path / "state", "vina")


@pytest.fixture
def summary(store: Store, tmp_path: Path) -> Summary:
    with held(tmp_path / "held", OURS, THEIRS) as found:
        results.keep(store, found, NOW)
    return found.summary


def kept(store: Store) -> Result:
    found = results.load(store, OCTOBER)
    assert found is not None
    return found


def walked(store: Store, kind: Kind) -> Iterator[tuple[Record, ...]]:
    place: int | None = kept(store).places[kind]
    while place is not None:
        page = results.page(results.lists(store, OCTOBER).text, kind, place)
        assert page is not None
        yield page.records
        place = page.following


def test_a_summary_is_read_as_it_was_written(store: Store, summary: Summary) -> None:
    found = kept(store)

    assert found.digest == summary.digest
    assert (found.verdict, found.has_amounts) == (summary.verdict, True)
    assert (found.ours, found.theirs) == (summary.ours, summary.theirs)
    assert (found.differences, found.days) == (summary.differences, summary.days)
    assert found.difference == summary.difference
    assert found.compared_at == NOW
    assert found.places.keys() == {each.kind for each in summary.differences}


def test_every_record_of_a_class_is_on_one_of_its_pages(store: Store, summary: Summary) -> None:
    for kind in kept(store).places:
        pages = list(walked(store, kind))

        assert sum(map(len, pages)) == summary.records(kind)
        assert {len(page) for page in pages[:-1]} <= {ROWS}
    alone = [record.id for page in walked(store, Kind.ONLY_OURS) for record in page]
    assert sorted(alone) == sorted(each.id for each in OURS[4 : ROWS + 20])
    assert {record.id for page in walked(store, Kind.ONLY_THEIRS) for record in page} == {
        "-1+1",
        "'1;2",
    }


def test_a_record_is_read_with_what_either_side_has_of_it(store: Store, summary: Summary) -> None:
    (page,) = walked(store, Kind.PRICE)

    made = OURS[1]
    assert page[0] == Record(
        id=made.id, reason=None, direction=Direction(made.direction), our_time=made.at,
        their_time=made.at, our_parts=made.parts, their_parts=made.parts, our_amount=made.price,
        their_amount=made.price + 5,
    )  # fmt: skip
    ((alone, *_),) = walked(store, Kind.ONLY_THEIRS)
    assert (alone.our_time, alone.our_amount, alone.their_amount) == (None, None, OLD)


def test_a_reason_is_read_too(store: Store, tmp_path: Path) -> None:
    aside = Made(id="aside", at=NOON, is_aside=True)
    with held(tmp_path / "held", [aside], [aside]) as found:
        results.keep(store, found, NOW)

    ((record,),) = walked(store, Kind.ONLY_THEIRS)

    assert record.reason is Reason.ASIDE


@pytest.mark.parametrize("by", [-10_000, -1, 1, 10_000_000])
def test_a_place_where_no_record_of_the_class_begins_is_no_page(
    store: Store, summary: Summary, by: int
) -> None:
    place = kept(store).places[Kind.ONLY_THEIRS] + by

    assert results.page(results.lists(store, OCTOBER).text, Kind.ONLY_THEIRS, place) is None


def test_what_was_not_compared_or_is_of_an_earlier_version_is_no_result(
    store: Store, summary: Summary
) -> None:
    folder = store.results(OCTOBER)
    told = json.loads((folder / "summary.json").read_text())
    del told["places"]
    (folder / "summary.json").write_text(json.dumps(told))

    assert results.load(store, OCTOBER) is None
    assert results.load(store, OCTOBER.following) is None
    assert results.page(folder / "none.csv", Kind.EDGE, 0) is None


def test_what_is_left_is_closed_to_others(store: Store, summary: Summary) -> None:
    left = [path for path in store.results(OCTOBER).iterdir() if path.is_file()]

    assert len(left) == 3
    assert {path.stat().st_mode & 0o077 for path in left} == {0}
