"""A log in files read by arithmetic of the tests' own: every tile, bundle and the root."""

import base64
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Read = Callable[[str], bytes]


def number(n: int) -> str:
    """Write a tile's number as C2SP tlog-tiles does."""
    digits = f"{n:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: list[bytes]) -> bytes:
    """Compute a root by the definition of RFC 6962."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node(root_of(hashes[:split]), root_of(hashes[split:]))


def leaves_of(bundle: bytes) -> list[bytes]:
    leaves = []
    while bundle:
        length = bundle[0] << 8 | bundle[1]
        assert len(bundle) >= 2 + length
        leaves.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return leaves


def head_of(note: str, public: bytes) -> tuple[str, int, bytes]:
    """Read a checkpoint that the log's key signed."""
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = text.split("\n")
    lines = [line.split(" ") for line in signatures.splitlines()]
    signature = next(base64.b64decode(line[2]) for line in lines if line[1] == origin)
    Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], f"{text}\n".encode())
    return origin, int(size), base64.b64decode(root)


def path(level: int | str, n: int, width: int) -> str:
    return f"tile/{level}/{number(n)}" + ("" if width == 256 else f".p/{width}")


def pieces(count: int) -> list[tuple[int, int]]:
    """Return number and width of each tile of a level that holds so many hashes."""
    widths = [256] * (count // 256) + ([count % 256] if count % 256 else [])
    return list(enumerate(widths))


def expected_paths(size: int) -> set[str]:
    """Return the path of every tile and bundle of a tree of this size."""
    paths = {path("entries", n, width) for n, width in pieces(size)}
    level, count = 0, size
    while count:
        paths |= {path(level, n, width) for n, width in pieces(count)}
        level, count = level + 1, count // 256
    return paths


def read_whole(read: Read, public: bytes) -> list[bytes]:
    """Check a whole log against its key, and return its leaves."""
    _, size, root = head_of(read("checkpoint").decode(), public)
    leaves = [
        leaf for n, width in pieces(size) for leaf in leaves_of(read(path("entries", n, width)))
    ]
    hashes = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    assert len(hashes) == size
    assert root_of(hashes) == root
    level = 0
    while hashes:
        for n, width in pieces(len(hashes)):
            assert read(path(level, n, width)) == b"".join(hashes[n * 256 : n * 256 + width])
        full = len(hashes) // 256
        hashes = [root_of(hashes[n * 256 : n * 256 + 256]) for n in range(full)]
        level += 1
    return leaves


def reader(folder: Path) -> Read:
    return lambda name: (folder / name).read_bytes()


def read_range(read: Read, public: bytes, numbers: list[int]) -> list[bytes]:
    """Check the bundles of these numbers against the key by way of the tiles above them."""
    _, size, root = head_of(read("checkpoint").decode(), public)
    above = [
        read(path(1, n, width))[at * 32 : at * 32 + 32]
        for n, width in pieces(size // 256)
        for at in range(width)
    ]
    rest = size % 256
    edge = read(path(0, size // 256, rest)) if rest else b""

    def subtree(begin: int, end: int) -> bytes:
        if end - begin == 256 and begin % 256 == 0:
            return above[begin // 256]
        if end - begin == 1:
            at = 32 * (begin % 256)
            return edge[at : at + 32]
        split = 1
        while split * 2 < end - begin:
            split *= 2
        return node(subtree(begin, begin + split), subtree(begin + split, end))

    assert subtree(0, size) == root
    leaves = []
    for n in numbers:
        width = min(256, size - n * 256)
        bundle = leaves_of(read(path("entries", n, width)))
        hashes = [sha256(b"\x00" + leaf).digest() for leaf in bundle]
        assert b"".join(hashes) == read(path(0, n, width))
        assert root_of(hashes) == above[n] if width == 256 else b"".join(hashes) == edge
        leaves += bundle
    return leaves


def check_manifest(read: Read, names: set[str]) -> dict[str, str]:
    """Check that a manifest names every other file with its digest; return its heading."""
    lines = read("MANIFEST").decode().splitlines()
    heading = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
    listed = {line[66:]: line[:64] for line in lines if not line.startswith("# ")}
    assert set(listed) == names - {"MANIFEST"}
    assert all(sha256(read(name)).hexdigest() == digest for name, digest in listed.items())
    assert int(heading["files"]) == len(listed) == len(lines) - len(heading)
    return heading
