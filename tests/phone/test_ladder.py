"""The picture of a proof."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from journal.tree import leaf_hash, node_hash
from phone.ladder import Rung, rungs
from tests.phone.played import proof_of


def joined(below: bytes, rung: Rung) -> bytes:
    return node_hash(rung.sibling, below) if rung.is_left else node_hash(below, rung.sibling)


@given(st.integers(1, 70), st.data())
def test_climbing_the_rungs_leads_to_the_root(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path, root = proof_of(leaves, index)

    assert reduce(joined, rungs(index, size, path), leaves[index]) == root
