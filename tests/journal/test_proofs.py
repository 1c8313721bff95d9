import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import proofs, tree
from journal.tree import EMPTY_ROOT
from tests.journal.trees import leaf_hashes, naive_root

VECTORS = json.loads((Path(__file__).parent / "vectors" / "rfc6962.json").read_text())
LEAF_HASHES = [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]
ARGON = VECTORS["argon2020"]
OTHER = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
Path_ = tuple[bytes, ...]


def hashes_of(values: list[str]) -> Path_:
    return tuple(bytes.fromhex(value) for value in values)


@dataclass(frozen=True)
class Inclusion:
    """The arguments of an inclusion proof's verification."""

    leaf_hash: bytes
    index: int
    size: int
    path: Path_
    root: bytes

    def holds(self) -> bool:
        return proofs.verify_inclusion(self.leaf_hash, self.index, self.size, self.path, self.root)


@dataclass(frozen=True)
class Consistency:
    """The arguments of a consistency proof's verification."""

    old_size: int
    old_root: bytes
    size: int
    root: bytes
    path: Path_

    def holds(self) -> bool:
        return proofs.verify_consistency(
            self.old_size, self.old_root, self.size, self.root, self.path
        )


INCLUSIONS = [
    Inclusion(
        LEAF_HASHES[case["index"]],
        case["index"],
        case["size"],
        hashes_of(case["path"]),
        ROOTS[case["size"] - 1],
    )
    for case in VECTORS["inclusion"]
]
CONSISTENCIES = [
    Consistency(
        case["old_size"],
        ROOTS[case["old_size"] - 1],
        case["size"],
        ROOTS[case["size"] - 1],
        hashes_of(case["path"]),
    )
    for case in VECTORS["consistency"]
]


def broken_paths(path: Path_, *roots: bytes) -> Iterator[Path_]:
    """Yield what the published cases do to a path: more, less, and other hashes."""
    for extra in (b"", *roots):
        yield (*path, extra)
        yield (extra, *path)
    for place, value in enumerate(path):
        yield (*path[:place], bytes([value[0] ^ 8]) + value[1:], *path[place + 1 :])
        yield (*path[:place], bytes([value[0] ^ 16]) + value[1:], *path[place + 1 :])
    if path:
        yield path[:-1]
    if len(path) > 1:
        yield (path[0], OTHER, *path[1:])
        yield (path[0], *path)


def broken_inclusions(case: Inclusion) -> Iterator[Inclusion]:
    for index in (case.index - 1, case.index + 1, case.index ^ 2):
        yield replace(case, index=index)
    for size in (case.size * 2, case.size // 2):
        yield replace(case, size=size)
    for root in (EMPTY_ROOT, OTHER, b""):
        yield replace(case, root=root)
    for leaf_hash in (b"WrongLeaf", b""):
        yield replace(case, leaf_hash=leaf_hash)
    for path in broken_paths(case.path, case.root):
        yield replace(case, path=path)


def broken_consistencies(case: Consistency) -> Iterator[Consistency]:
    for old_size in (case.old_size - 1, case.old_size + 1, case.old_size ^ 2):
        yield replace(case, old_size=old_size)
    for size in (case.size * 2, case.size // 2):
        yield replace(case, size=size)
    yield replace(case, old_root=b"WrongRoot")
    yield replace(case, root=b"WrongRoot")
    yield replace(case, old_root=case.root, root=case.old_root)
    yield replace(case, path=())
    for path in broken_paths(case.path, case.old_root, case.root):
        yield replace(case, path=path)


@pytest.mark.parametrize("case", INCLUSIONS)
def test_a_published_inclusion_proof_holds(case: Inclusion) -> None:
    assert case.holds()


@pytest.mark.parametrize(
    "case", [broken for case in INCLUSIONS for broken in broken_inclusions(case)]
)
def test_no_broken_inclusion_proof_holds(case: Inclusion) -> None:
    assert not case.holds()


@pytest.mark.parametrize("case", CONSISTENCIES)
def test_a_published_consistency_proof_holds(case: Consistency) -> None:
    assert case.holds()


@pytest.mark.parametrize(
    "case",
    [broken for case in CONSISTENCIES if case.path for broken in broken_consistencies(case)],
)
def test_no_broken_consistency_proof_holds(case: Consistency) -> None:
    assert not case.holds()


@pytest.mark.parametrize(
    ("old_size", "size", "old_root", "root", "path", "holds"),
    [
        (0, 0, EMPTY_ROOT, EMPTY_ROOT, (), True),
        (0, 1, EMPTY_ROOT, OTHER, (), True),
        (1, 1, OTHER, OTHER, (), True),
        (0, 0, OTHER, EMPTY_ROOT, (), False),
        (1, 1, OTHER, EMPTY_ROOT, (), False),
        (1, 0, OTHER, OTHER, (), False),
        (2, 1, OTHER, OTHER, (), False),
        (1, 2, OTHER, EMPTY_ROOT, (), False),
        (0, 1, EMPTY_ROOT, OTHER, (EMPTY_ROOT,), False),
        (1, 1, OTHER, OTHER, (EMPTY_ROOT,), False),
        (-1, 1, OTHER, OTHER, (), False),
    ],
)
def test_trivial_sizes_are_judged_without_a_path(
    old_size: int, size: int, old_root: bytes, root: bytes, path: Path_, holds: bool
) -> None:
    assert Consistency(old_size, old_root, size, root, path).holds() is holds


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 0), (2, 1), (1, 1), (-1, 1)])
def test_a_leaf_outside_the_tree_is_in_no_tree(index: int, size: int) -> None:
    assert not Inclusion(OTHER, index, size, (), OTHER).holds()


def test_proofs_of_a_real_log_of_a_billion_leaves_hold() -> None:
    root = bytes.fromhex(ARGON["root"])
    path, old_root = hashes_of(ARGON["inclusion"]), bytes.fromhex(ARGON["old_root"])

    included = Inclusion(
        bytes.fromhex(ARGON["leaf_hash"]), ARGON["index"], ARGON["size"], path, root
    )
    consistent = Consistency(
        ARGON["old_size"], old_root, ARGON["size"], root, hashes_of(ARGON["consistency"])
    )

    assert included.holds()
    assert consistent.holds()
    assert not any(broken.holds() for broken in broken_inclusions(included))
    assert not any(broken.holds() for broken in broken_consistencies(consistent))


def path_over(spans: list[proofs.Span], hashes: list[bytes]) -> Path_:
    return tuple(naive_root(hashes[span.begin : span.end]) for span in spans)


@given(st.data())
def test_every_inclusion_proof_holds_and_no_other_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(min_value=1, max_value=600))
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    hashes = leaf_hashes(size)

    path = path_over(proofs.inclusion_spans(index, size), hashes)

    case = Inclusion(hashes[index], index, size, path, naive_root(hashes))
    assert case.holds()
    assert not any(replace(case, index=other).holds() for other in range(size) if other != index)
    assert not any(replace(case, path=broken).holds() for broken in broken_paths(path, case.root))


@given(st.data())
def test_every_consistency_proof_holds_and_no_other_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(min_value=2, max_value=600))
    old_size = data.draw(st.integers(min_value=1, max_value=size - 1))
    hashes = leaf_hashes(size)

    path = path_over(proofs.consistency_spans(old_size, size), hashes)

    case = Consistency(old_size, naive_root(hashes[:old_size]), size, naive_root(hashes), path)
    assert case.holds()
    assert not any(
        replace(case, old_size=other).holds() for other in range(1, size) if other != old_size
    )
    for broken in broken_paths(path, case.old_root, case.root):
        assert not replace(case, path=broken).holds()
