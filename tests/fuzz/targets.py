"""What is fuzzed: for each parser of what others send, what must hold of it for any input."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.fuzz import kept, of_kannel, of_smpp, of_texts
from tests.fuzz.mutating import Pool
from tests.fuzz.watching import Arc, Watcher


@dataclass(frozen=True, slots=True)
class Target:
    """One parser, and how many lines an input of so many bytes may run at most."""

    name: str
    check: Callable[[bytes], None]
    tokens: Sequence[bytes]
    most_lines: int
    most_lines_a_byte: int

    def pool(self) -> Pool:
        """Return what its inputs are made of to begin with."""
        return Pool(kept.load(self.name), self.tokens)

    def run(self, octets: bytes) -> set[Arc]:
        """Check one input, and that the work it makes is in keeping with its size."""
        watcher = Watcher()
        watcher.run(self.check, octets)
        most = self.most_lines + self.most_lines_a_byte * len(octets)
        assert watcher.lines <= most, f"{watcher.lines} lines for {len(octets)} bytes"
        return watcher.arcs


_OF_PDUS = (
    b"\0", b"\x80\0\0\x05", b"\0\0\0\x05", b"\0\0\0\x04", b"\x80\0\0\0", b"\x04\x24\0\x02",
    b"\0\x1e\0\x05", b"\x04\x27\0\x01\x02", b"\x02\x0c\0\x02\x01\x2c", b"\x02\x0e\0\x01\x02",
    b"\x02\x0f\0\x01\x01", b"\x14\0\0\x03abc", b"\x05\0\x03\x07\x02\x01", b"\x40", b"\x04",
)  # fmt: skip
_OF_HEADERS = (
    b"\x05\0\x03\x07\x02\x01", b"\x06\x08\x04\x01\x07\x02\x02", b"\0\x03", b"\x08\x04", b"\x24\x01",
    b"\x05\x04\0\0\0\0", b"\0", b"\x01", b"\x1b", b"\x1b\x65", b"\xd8\x3d\xde\x00",
)  # fmt: skip
_OF_RECEIPTS = (
    b"id:", b" sub:001", b" dlvrd:001", b" submit date:2611221535", b" done date:2611221536",
    b" done date:", b" stat:DELIVRD", b" stat:", b" err:000", b" err:", b" text:", b" ", b":",
    b"261122153601", b"0x1A", b"EXPIRED", b"\0",
)  # fmt: skip
_OF_NOTICES = (
    b'"type":"message.status"', b'"type":"number.barred"', b'"data":{', b"}", b"{", b"[", b"]",
    b",", b":", b'"', b"\\u0000", b"\\ud800", b"\\", b"null", b"true", b"NaN", b"1e999", b"-0",
    b'"id":"', b'"part":', b'"error":"', b'"done_at":"', b'"to":"', b'"until":"', b'"number":"',
    b"2026-03-02T04:59:60Z", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-23:59",
    b"+84912345678", b"0912 345 678", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80",
)  # fmt: skip
_OF_TEXTS = (
    b"DC ", b"XN ", b"KHOA ", b"MO ", b"NK ", b"SAI ", b"KT ", b"HUY", b"001085123456", b"482913",
    b"7F3K92", b"6XWY-2WXN-B8G1-58GX", b" gui 1414", b"O", b"I", b"l", b"-", b".", b" ", b"\n",
    b"\r\n", "Đ".encode(), "ứ".encode(), "\u0301".encode(), "\u200b".encode(), "\u2028".encode(),
    "\uff10".encode(), "\ufdfa".encode(), "ﬃ".encode(), "İ".encode(), "ß".encode(), b"\xff",
)  # fmt: skip
_OF_FORMS = (
    b"&", b"=", b"%", b"%00", b"+", b"%2B84912345678", b"MessageSid", b"From", b"Body", b"To",
    b"AccountSid", b"SmsSid", b"SmsMessageSid", b"SmsStatus", b"SM" + b"a" * 32, b"MessageSid="
    b"AC" + b"a" * 32, b"%C4%90", b"%ED%A0%80", b"ErrorCode=30007", b"MessageStatus=delivered",
)  # fmt: skip

_OF_REQUESTS = (
    b"&", b"=", b"%", b"%00", b"%ff", b"%D8%3D", b"id=", b"&from=", b"&to=", b"&text=", b"&time=",
    b"&type=", b"&charset=", b"utf-8", b"UTF-16BE", b"\n", b"\ntext/plain\n", b"; charset=latin1",
    b"\napplication/octet-stream\n", b"1772427600", b"99999999999", b"01980000-0000-7000-8000-0000",
)  # fmt: skip

TARGETS = {
    target.name: target
    for target in (
        Target("pdus", of_smpp.pdus, _OF_PDUS, 2000, 20),
        Target("headers", of_smpp.headers, _OF_HEADERS, 2000, 30),
        Target("receipts", of_smpp.receipts, _OF_RECEIPTS, 500, 5),
        Target("notices", of_texts.notices, _OF_NOTICES, 1000, 10),
        Target("folding", of_texts.folding, _OF_TEXTS, 6000, 60),
        Target("forms", of_texts.forms, _OF_FORMS, 10_000, 100),
        Target("requests", of_kannel.requests, _OF_REQUESTS, 1000, 10),
    )
}
