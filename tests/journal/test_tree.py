import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from journal import tree
from journal.frontier import NOTHING
from journal.proofs import Span
from journal.tree import EMPTY_ROOT
from journal.verifier_tree import EMPTY, Levels
from tests.journal.trees import leaf_hashes, naive_root

VECTORS = json.loads((Path(__file__).parent / "vectors" / "rfc6962.json").read_text())
LEAVES = [bytes.fromhex(leaf) for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]

batches = st.lists(st.integers(min_value=1, max_value=300), max_size=8)


def grown(counts: list[int]) -> tuple[tree.Growth, dict[tuple[int, int], bytes]]:
    """Grow a tree batch by batch and keep its tiles as a database would."""
    hashes, tiles = leaf_hashes(sum(counts)), {}
    growth, start = tree.Growth(0, (), ()), 0
    for count in counts:
        growth = tree.grow(growth.size, growth.edge, hashes[start : start + count])
        tiles.update({(tile.level, tile.n): tile.hashes for tile in growth.tiles})
        start += count
    return growth, tiles


def test_the_published_roots_of_eight_leaves_come_out_three_ways() -> None:
    frontier, levels = NOTHING, Levels()
    edge: tree.Edge = ()

    for size, leaf in enumerate(LEAVES):
        leaf_hash = tree.leaf_hash(leaf)
        frontier = frontier.extended([leaf_hash])
        levels.extend([leaf_hash])
        edge = tree.grow(size, edge, [leaf_hash]).edge

        assert tree.root(edge) == frontier.root() == levels.root() == ROOTS[size]


def test_an_empty_tree_has_the_hash_of_nothing_as_its_root() -> None:
    assert tree.root(()) == NOTHING.root() == Levels().root() == EMPTY == EMPTY_ROOT
    assert EMPTY_ROOT.hex().startswith("e3b0c442")


@given(batches)
def test_tiles_frontier_and_verifier_agree_with_the_definition(counts: list[int]) -> None:
    hashes = leaf_hashes(sum(counts))
    expected = naive_root(hashes)
    levels = Levels()
    for leaf_hash in hashes:
        levels.extend([leaf_hash])

    growth, _ = grown(counts)

    assert growth.size == len(hashes)
    assert tree.root(growth.edge) == expected
    assert NOTHING.extended(hashes).root() == expected
    assert levels.root() == expected


@given(batches)
def test_tiles_do_not_depend_on_how_leaves_were_batched(counts: list[int]) -> None:
    total = sum(counts)
    levels = Levels()
    for leaf_hash in leaf_hashes(total):
        levels.extend([leaf_hash])

    growth, tiles = grown(counts)
    at_once, tiles_at_once = grown([total] if total else [])

    assert growth.edge == at_once.edge
    assert tiles == tiles_at_once
    verified = {(level, n): hashes for level, n, hashes in levels.take_finished()}
    verified |= {(level, n): hashes for level, n, hashes in levels.unfinished()}
    assert verified == tiles


def test_a_tree_of_seventy_thousand_leaves_has_the_tiles_the_standard_counts() -> None:
    growth, tiles = grown([70_000])

    widths = {place: len(hashes) // 32 for place, hashes in tiles.items()}
    assert sum(level == 0 and width == 256 for (level, _), width in widths.items()) == 273
    assert widths[0, 273] == 112
    assert (widths[1, 0], widths[1, 1], widths[2, 0]) == (256, 17, 1)
    assert tree.edge_widths(70_000) == (112, 17, 1)
    assert [len(hashes) // 32 for hashes in growth.edge] == [112, 17, 1]


@given(st.integers(min_value=0, max_value=2**40), st.integers(min_value=0, max_value=2**20))
def test_a_span_falls_into_perfect_trees_that_lie_in_one_tile_each(begin: int, width: int) -> None:
    start = begin << width.bit_length()

    parts = list(Span(start, start + width).perfect())

    assert sum(part.end - part.begin for part in parts) == width
    for part in parts:
        level, _, first, count = part.place()
        assert first + count <= 256
        assert count * 256**level == part.end - part.begin
