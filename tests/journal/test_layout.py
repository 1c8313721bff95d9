import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journal import layout
from journal.errors import LayoutError
from journal.layout import ENTRIES, Resource

indexes = st.integers(min_value=0, max_value=2**56)
widths = st.integers(min_value=1, max_value=256)
levels = st.integers(min_value=ENTRIES, max_value=63)

# The examples of C2SP tlog-tiles, and the edges of its words.
PATHS = {
    "tile/0/x001/x234/067": Resource(0, 1_234_067),
    "tile/0/000": Resource(0, 0),
    "tile/0/273.p/112": Resource(0, 273, 112),
    "tile/1/001.p/17": Resource(1, 1, 17),
    "tile/2/000.p/1": Resource(2, 0, 1),
    "tile/63/999": Resource(63, 999),
    "tile/7/x001/000.p/255": Resource(7, 1000, 255),
    "tile/entries/x001/x234/067": Resource(ENTRIES, 1_234_067),
    "tile/entries/000.p/8": Resource(ENTRIES, 0, 8),
}
NO_PATHS = [
    "",
    "tile/0/0",
    "tile/0/0000",
    "tile/0/00",
    "tile/00/000",
    "tile/01/000",
    "tile/64/000",
    "tile/100/000",
    "tile/-1/000",
    "tile/+1/000",
    "tile/0/x000/001",
    "tile/0/x000/x001/002",
    "tile/0/001/002",
    "tile/0/x001",
    "tile/0/X001/002",
    "tile/0/000.p",
    "tile/0/000.p/",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/0/000.p/256",
    "tile/0/000.p/257",
    "tile/0/000.p/999",
    "tile/0/000.p/1/",
    "tile/0/000/",
    "/tile/0/000",
    "tile/0//000",
    "tile/0/000\n",
    "tile/0/٠٠٠",
    "tile/entries/../0/000",
    "tile/entry/000",
    "tile/0/" + "x999/" * 6 + "999",
    "checkpoint",
]


@pytest.mark.parametrize(("path", "resource"), PATHS.items())
def test_a_path_reads_and_is_written_as_the_standard_has_it(path: str, resource: Resource) -> None:
    assert layout.parse(path) == resource
    assert resource.path == path


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_is_no_path_reads_as_none(path: str) -> None:
    assert layout.parse(path) is None


@given(levels, indexes, widths)
def test_every_path_reads_back(level: int, n: int, width: int) -> None:
    resource = Resource(level, n, width)

    assert layout.parse(resource.path) == resource


@given(st.text(st.sampled_from("tile/entris0123456789x.p"), max_size=40))
@example("tile/0/000")
def test_a_path_that_reads_is_the_one_that_is_written(path: str) -> None:
    resource = layout.parse(path)

    assert resource is None or resource.path == path


def test_a_tree_of_seventy_thousand_has_the_tiles_the_standard_counts() -> None:
    widths = {
        level: [each.width for each in layout.resources(level, 70_000)]
        for level in (ENTRIES, *layout.levels_of(70_000))
    }

    assert widths == {
        ENTRIES: [256] * 273 + [112],
        0: [256] * 273 + [112],
        1: [256, 17],
        2: [1],
    }


def test_a_tree_of_one_full_tile_has_one_hash_above_it() -> None:
    assert [list(layout.resources(level, 256)) for level in layout.levels_of(256)] == [
        [Resource(0, 0)],
        [Resource(1, 0, 1)],
    ]


def test_an_empty_tree_has_no_tiles() -> None:
    assert not layout.levels_of(0)
    assert not list(layout.resources(0, 0))
    assert not list(layout.resources(ENTRIES, 0))


@given(st.integers(min_value=0, max_value=2**40), st.integers(min_value=0, max_value=5))
def test_a_level_is_wide_as_the_tree_is_large(size: int, level: int) -> None:
    last = size // 256**level // 256

    assert layout.width_at(level, last, size) == size // 256**level % 256
    assert layout.width_at(level, last + 1, size) == 0
    assert last == 0 or layout.width_at(level, last - 1, size) == 256
    assert (level in layout.levels_of(size)) == (size >= 256**level)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_gives_back_its_leaves(leaves: list[bytes]) -> None:
    assert layout.decode_bundle(layout.encode_bundle(leaves)) == leaves


def test_a_bundle_is_lengths_and_leaves() -> None:
    assert layout.encode_bundle([b"abc", b"", b"\x00" * 258]) == (
        b"\x00\x03abc" + b"\x00\x00" + b"\x01\x02" + b"\x00" * 258
    )


def test_the_longest_leaf_fits_and_one_byte_more_does_not() -> None:
    longest = b"x" * 65_535

    assert layout.decode_bundle(layout.encode_bundle([longest])) == [longest]
    with pytest.raises(LayoutError):
        layout.encode_bundle([longest + b"x"])


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x00\x03ab", b"\x00\x01a\x00", b"\x00\x01a" * 257, b"\xff\xff"]
)
def test_bytes_that_are_no_bundle_are_refused(data: bytes) -> None:
    with pytest.raises(LayoutError):
        layout.decode_bundle(data)


@pytest.mark.parametrize("hashes", [b"", b"x" * 31, b"x" * 33, b"x" * 32 * 257])
def test_bytes_that_are_no_tile_are_refused(hashes: bytes) -> None:
    with pytest.raises(LayoutError):
        layout.split_tile(hashes)


def test_a_tile_is_its_hashes() -> None:
    hashes = [bytes([n]) * 32 for n in range(256)]

    assert layout.split_tile(b"".join(hashes)) == hashes
