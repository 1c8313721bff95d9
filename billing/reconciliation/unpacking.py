"""Unpacks an operator's file into a folder of ours, once: what is digested is what is read.

Nothing is believed about a file: what it unpacks to is bounded in size and in ratio while it
unpacks, and text is UTF-8, one record a line.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from billing.reconciliation.errors import CdrFileError

# A file of a gigabyte or more is refused, packed or unpacked: it comes in parts.
LARGEST = 1_000_000_000
# Call records pack to a fifth or a tenth.
MOST_RATIO = 100
LONGEST_LINE = 64 * 1024
BLOCK = 4 * 1024 * 1024
_RATIO_FROM = 16 * 1024 * 1024
_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Tell = Callable[[int, int], None]


class Kind(StrEnum):
    """What an operator sends."""

    CSV = "csv"
    PARQUET = "parquet"
    WORKBOOK = "xlsx"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file as it lies in our folder.

    Shape: *digest* is that of the file as it came. Units: *lines* of a CSV, its last one included,
    which is in *last* alone where the mapping has a trailer.
    """

    kind: Kind
    path: Path
    digest: str
    lines: int = 0
    last: str = ""


def unpack(file: Path, folder: Path, *, has_trailer: bool, tell: Tell) -> Unpacked:
    """Bring *file* into *folder*; *tell* is told how many bytes of how many are read.

    Raises: CdrFileError.
    """
    size = file.stat().st_size
    if size >= LARGEST:
        raise CdrFileError.whole("it has a gigabyte or more: send the month in several files")
    digest = hashlib.sha256()
    with file.open("rb") as source:
        start = source.read(len(_ZIP))
        source.seek(0)
        blocks = _blocks(source, digest.update, lambda done: tell(done, size))
        if start in (_ZIP, _PARQUET):
            kind = Kind.WORKBOOK if start == _ZIP else Kind.PARQUET
            path = folder / f"came.{kind}"
            with path.open("wb") as copy:
                copy.writelines(blocks)
            return Unpacked(kind, path, digest.hexdigest())
        is_gzip = start.startswith(_GZIP)
        path = folder / "came.csv"
        with path.open("wb") as copy:
            text = _Text(copy, holds_last=has_trailer)
            for block in _inflated(blocks) if is_gzip else blocks:
                text.feed(block)
            text.end()
    return Unpacked(Kind.CSV, path, digest.hexdigest(), text.lines, text.last)


def _blocks(
    source: BinaryIO, digest: Callable[[bytes], None], tell: Callable[[int], None]
) -> Iterator[bytes]:
    done = 0
    while block := source.read(BLOCK):
        done += len(block)
        if done >= LARGEST:
            raise CdrFileError.whole("it grew to a gigabyte or more while it was read")
        digest(block)
        yield block
        tell(done)


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip, of several members too, within the limits."""
    stream, packed, unpacked = zlib.decompressobj(wbits=31), 0, 0
    try:
        for block in blocks:
            packed, rest = packed + len(block), block
            while rest:
                if stream.eof:
                    stream = zlib.decompressobj(wbits=31)
                made = stream.decompress(rest, BLOCK)
                rest = stream.unused_data if stream.eof else stream.unconsumed_tail
                unpacked += len(made)
                _hold(packed, unpacked)
                yield made
    except zlib.error as error:
        raise CdrFileError.whole("its gzip is broken") from error
    if not stream.eof:
        raise CdrFileError.whole("its gzip ends too early: part of it is missing")


def _hold(packed: int, unpacked: int) -> None:
    if unpacked >= LARGEST:
        raise CdrFileError.whole(
            "it unpacks to a gigabyte or more: send the month in several files"
        )
    if unpacked > _RATIO_FROM and unpacked > packed * MOST_RATIO:
        raise CdrFileError.whole(
            f"it unpacks to more than {MOST_RATIO} times its size: no call records do"
        )


class _Text:
    """Writes text on whole lines at a time, and sees that it is text of one record a line."""

    def __init__(self, out: BinaryIO, *, holds_last: bool) -> None:
        self.lines = 0
        self.last = ""
        self._out = out
        self._holds_last = holds_last
        self._rest = b""
        self._held = b""
        self._size = 0

    def feed(self, block: bytes) -> None:
        """Take a block as it comes."""
        if self._size == 0 and not self._rest:
            if block.startswith(_UTF_16):
                raise CdrFileError.whole("it is UTF-16: save it as CSV UTF-8", line=1)
            if block.startswith((_GZIP, _ZIP, _PARQUET)):
                raise CdrFileError.whole("it is packed twice")
            block = block.removeprefix(_BOM)
        data = self._rest + block
        cut = data.rfind(b"\n") + 1
        self._rest = data[cut:]
        if len(self._rest) > LONGEST_LINE:
            raise CdrFileError.whole("the line has no end: this is no CSV", self._line(data[:cut]))
        if cut:
            self._take(data[:cut])

    def end(self) -> None:
        """Take what stands after the last line break, and let go of the last line or hold it."""
        if self._rest:
            self._take(self._rest + b"\n")
        if self._holds_last:
            self.last = self._held.decode().rstrip("\r\n")
        else:
            self._out.write(self._held)

    def _take(self, block: bytes) -> None:
        self._see(block)
        self.lines += block.count(b"\n")
        self._size += len(block)
        cut = block.rfind(b"\n", 0, -1) + 1
        if cut:
            self._out.write(self._held)
            self._out.write(block[:cut])
            self._held = block[cut:]
        else:
            self._out.write(self._held)
            self._held = block

    def _see(self, block: bytes) -> None:
        if not block.isascii():
            try:
                block.decode()
            except UnicodeDecodeError as error:
                line = self._line(block[: error.start])
                raise CdrFileError.whole(
                    "it is not UTF-8 here: save it as CSV UTF-8", line
                ) from None
        if (at := block.find(b"\0")) >= 0:
            raise CdrFileError.whole("a zero byte: this is no text", self._line(block[:at]))
        has_returns = b"\r" in block
        if has_returns and block.count(b"\r") != block.count(b"\r\n"):
            raise CdrFileError.whole(
                "a carriage return inside a line", self._line(block[: _lone_return(block)])
            )
        for blank in (b"\n\n", b"\n\r\n") if has_returns else (b"\n\n",):
            if (at := block.find(blank)) >= 0:
                raise CdrFileError.whole("an empty line", self._line(block[: at + 1]))
        if block.startswith((b"\n", b"\r\n")):
            raise CdrFileError.whole("an empty line", self.lines + 1)

    def _line(self, before: bytes) -> int:
        return self.lines + before.count(b"\n") + 1


def _lone_return(block: bytes) -> int:
    at = block.find(b"\r")
    while block[at : at + 2] == b"\r\n":
        at = block.find(b"\r", at + 1)
    return at
