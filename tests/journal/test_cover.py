"""What an erase entry covers: one way to write it, read alike by the writer and the verifier."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import uuid7
from journal import cover
from journal.leaf import Cover, Statement, Writer
from journal.verifier_cover import Covered
from journal.verifier_leaf import Leaf, read_leaf
from tests.fakes import NOON
from tests.journal.conftest import ORIGIN

leaves = st.sets(st.integers(0, 400) | st.integers(0, 2**40), min_size=1, max_size=20)


def leaf(text: str, *, cause: str = "order", part: str = "all", kind: str = "erase") -> bytes:
    statement = Statement(
        id=uuid7(),
        kind=kind,
        retention="act",
        at=NOON,
        actor=bytes(32),
        subject=bytes(32),
        payload=bytes(32),
        announcement=None,
        cover=Cover(cause, part, text),
    )
    return Writer(bytes(32), ORIGIN).leaf(statement)


def read(text: str, **said: str) -> Leaf:
    found = read_leaf(leaf(text, **said))
    assert found is not None
    return found


@given(leaves)
def test_what_is_written_is_canonical_and_read_again(numbers: set[int]) -> None:
    text = cover.written(numbers)

    whole = leaf(text)
    said, found = json.loads(whole[64:]), read_leaf(whole)
    assert whole[64:] == json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    assert (said["ec"], said["ep"], said["es"]) == ("order", "all", text)
    assert found is not None
    covered = Covered([found])
    assert {each for each in numbers if covered.has(each, 0) and covered.has(each, 1)} == numbers
    around = {each + step for each in numbers for step in (-1, 1)} - numbers
    assert not any(covered.has(each, 0) for each in around)
    assert set(cover.leaves_of(text)) == numbers


@given(st.lists(st.tuples(leaves, st.sampled_from(["identity", "all"])), max_size=5))
def test_covers_add_up(told: list[tuple[set[int], str]]) -> None:
    read_ones = [read(cover.written(numbers), part=part) for numbers, part in told]

    covered = Covered(read_ones)

    identities = set().union(*(numbers for numbers, _ in told))
    acts = set().union(*(numbers for numbers, part in told if part == "all"))
    assert all(covered.has(each, 0) for each in identities)
    assert {each for each in identities if covered.has(each, 1)} == acts
    assert bool(covered) is bool(identities)


def test_what_was_lost_is_told_from_what_was_erased() -> None:
    told = [read("1", cause="order"), read("2", cause="loss")]

    erased = Covered(told, "order")

    assert (erased.has(1, 0), erased.has(2, 0)) == (True, False)
    assert Covered(told).has(2, 0)


@pytest.mark.parametrize(
    "text",
    ["", "07", "3,2", "1,2", "1-1", "5-3", "1-", "-1", "1,,3", "1-2-3", "1-2,3", "1-3,3-5", "2,2"],
)
def test_every_other_way_to_write_it_is_refused(text: str) -> None:
    assert read_leaf(leaf(text)) is None


@pytest.mark.parametrize(
    "said", [{"cause": "whim"}, {"part": "act"}, {"kind": "admin"}, {"kind": "key"}]
)
def test_nothing_else_covers(said: dict[str, str]) -> None:
    assert read_leaf(leaf("1", **said)) is None


def test_as_many_as_one_batch_erases_fit_into_a_leaf() -> None:
    text = cover.written(range(10**12, 10**12 + 2000, 2))

    assert len(text) <= cover.MOST_CHARACTERS
    assert read(text).covered[-1] == (10**12 + 1998, 10**12 + 1998)


@pytest.mark.parametrize(
    ("retention", "gone_at"),
    [
        ("lookup", ((2028, 4), (2031, 4))),
        ("act", ((2031, 4), (2031, 4))),
    ],
)
def test_an_opening_expires_with_the_month_after_its_last(
    retention: str, gone_at: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    statement = leaf("1").replace(b'"r":"act"', f'"r":"{retention}"'.encode())
    found = read_leaf(statement)
    assert found is not None

    for part, (year, month) in enumerate(gone_at):
        first = datetime(year, month, 1, tzinfo=UTC)
        assert found.expired(first)[part]
        assert not found.expired(first.replace(month=month - 1, day=28))[part]
