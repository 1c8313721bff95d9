"""Why a signature does not hold: which byte differs, or what was done otherwise in signing.

Only what arrived and our secrets are known, and a signature tells nothing of what it was made over.
So the ways in which people are seen to sign (`sms.links.ways`) are tried until one makes the
signature that came. Nothing here decides whether a message is taken: `http.authenticate` does.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product

from sms.links import ways
from sms.links.ways import LAYOUTS, Way

# Units: seconds. Two looks at a clock for one request lie closer together.
_STAMPS_TRIED = 900
# Every change of one byte is tried: half a million hashes, a second or two.
LONGEST_SEARCHED = 1024
_BLOCK = 64
_BYTE = 256
_HASHES = {16: "md5", 20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}
_EVENT_ID = re.compile(r"[\x21-\x7e]{1,256}")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_MILLISECONDS = re.compile(r"[0-9]{12,14}")
_NAMED = {0x0A: "a line feed", 0x0D: "a carriage return", 0x20: "a blank", 0x09: "a tabulator"}


class Part(StrEnum):
    """What a slip was made in."""

    ID = "webhook-id"
    TIMESTAMP = "webhook-timestamp"
    SIGNATURE = "webhook-signature"
    BODY = "body"
    SECRET = "secret"  # noqa: S105 (a part's name)
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Slip:
    """One thing that was done otherwise than the contract says.

    Units: *byte* counts from 0 in the part as it arrived; None where it is not about one byte.
    """

    part: Part
    says: str
    byte: int | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """A request as it arrived."""

    event_id: str
    timestamp: str
    signature: str
    body: bytes = field(repr=False)

    @property
    def content(self) -> bytes:
        """What its signature must be made over."""
        return b"%b.%b.%b" % (self.event_id.encode(), self.timestamp.encode(), self.body)


@dataclass(frozen=True, slots=True)
class _Try:
    """A key, and the signatures that may have been meant."""

    key: bytes
    wanted: Sequence[Way]

    def made(self, content: bytes) -> Way | None:
        """Return the signature that this key makes of *content*, if it is among the wanted."""
        for mac in self.wanted:
            if hmac.digest(self.key, content, _HASHES[len(mac.value)]) == mac.value:
                return mac
        return None


def explain(secrets: Sequence[str], came: Came, signed: bytes | None = None) -> tuple[Slip, ...]:
    """Say why no live secret signed what came; nothing if one did and all is as it must be.

    Shape: *signed* is what its sender says was signed, id, timestamp and all, where they kept it.
    """
    shape = tuple(_shape(came))
    wanted = tuple(way for way in ways.macs(came.signature) if len(way.value) in _HASHES)
    if not came.signature or not came.event_id or not came.timestamp:
        return shape
    if not wanted:
        return (*shape, Slip(Part.SIGNATURE, "no word of it is v1, and a signature in base64"))
    if signed is not None:
        return (*shape, *_compared(secrets, came, signed, wanted))
    found = _known(secrets, came, wanted)
    if found is None:
        found = _searched(secrets, came, wanted) or (_unknown(came),)
    return (*shape, *found)


def is_in_time(came: Came, at: datetime, tolerance: timedelta) -> bool:
    """Tell whether a request was signed near enough to *at*."""
    return _TIMESTAMP.fullmatch(came.timestamp) is not None and (
        abs(at.timestamp() - int(came.timestamp)) <= tolerance.total_seconds()
    )


def _shape(came: Came) -> Iterator[Slip]:
    """Name what is wrong to the eye, whatever was signed."""
    parts = (
        (Part.ID, came.event_id), (Part.TIMESTAMP, came.timestamp),
        (Part.SIGNATURE, came.signature),
    )  # fmt: skip
    for part, value in parts:
        if not value:
            yield Slip(part, "the header is missing")
    if came.event_id and not _EVENT_ID.fullmatch(came.event_id):
        odd = re.search(r"[^\x21-\x7e]", came.event_id)
        says = "it must be 1 to 256 visible ASCII characters"
        yield Slip(Part.ID, says, odd.start() if odd else None)
    if came.timestamp and not _TIMESTAMP.fullmatch(came.timestamp):
        is_finer = _MILLISECONDS.fullmatch(came.timestamp)
        yield Slip(
            Part.TIMESTAMP, "it is in milliseconds" if is_finer else "it must be whole seconds"
        )
    try:
        came.body.decode()
    except UnicodeDecodeError as error:
        yield Slip(Part.BODY, "it is not UTF-8", error.start)


def _known(secrets: Sequence[str], came: Came, wanted: Sequence[Way]) -> tuple[Slip, ...] | None:
    """Try every way that others are known to sign in; the one that fits is how it was made."""
    parts = [
        _distinct(made)
        for made in (
            ways.ids(came.event_id, came.body), ways.stamps(came.timestamp, came.body),
            ways.bodies(came.body),
        )
    ]  # fmt: skip
    for secret, (layout, slip) in product(secrets, LAYOUTS):
        tries = [(key, _Try(key.value, wanted)) for key in ways.keys(secret)]
        seen: set[bytes] = set()
        for event_id, stamp, body in product(*parts):
            content = layout % {b"id": event_id.value, b"stamp": stamp.value, b"body": body.value}
            if content in seen:
                continue
            seen.add(content)
            for key, one in tries:
                if (mac := one.made(content)) is not None:
                    chosen = (key, Way(b"", slip), event_id, stamp, body, mac)
                    return tuple(_slips(came, chosen))
    return None


def _slips(came: Came, chosen: Sequence[Way]) -> Iterator[Slip]:
    """Put into words how a signature was made."""
    key, layout, event_id, stamp, body, mac = chosen
    if key.slip:
        yield Slip(Part.SECRET, key.slip)
    if layout.slip:
        yield Slip(Part.METHOD, layout.slip)
    if event_id.slip:
        yield _difference(Part.ID, event_id.slip, event_id.value, came.event_id.encode())
    if stamp.slip:
        yield _difference(Part.TIMESTAMP, stamp.slip, stamp.value, came.timestamp.encode())
    if body.slip:
        yield _difference(Part.BODY, body.slip, body.value, came.body)
    if mac.slip:
        yield Slip(Part.SIGNATURE, mac.slip)
    if (name := _HASHES[len(mac.value)]) != "sha256":
        yield Slip(Part.METHOD, f"the hash is {name.upper()} and must be SHA-256")


def _searched(secrets: Sequence[str], came: Came, wanted: Sequence[Way]) -> tuple[Slip, ...]:
    """Try other seconds, and every change of one byte of the body."""
    for secret in secrets:
        key = next(ways.keys(secret)).value
        for found in (_other_second(_Try(key, wanted), came), _other_byte(key, came, wanted)):
            if found is not None:
                slip, mac = found
                return (slip, Slip(Part.SIGNATURE, mac.slip)) if mac.slip else (slip,)
    return ()


def _other_second(one: _Try, came: Came) -> tuple[Slip, Way] | None:
    if not _TIMESTAMP.fullmatch(came.timestamp):
        return None
    sent = int(came.timestamp)
    head, tail = came.event_id.encode(), came.body
    for away in sorted(range(-_STAMPS_TRIED, _STAMPS_TRIED + 1), key=abs):
        mac = one.made(b"%b.%d.%b" % (head, sent + away, tail))
        if mac is not None:
            signed = str(sent + away).encode()
            says = f"another second was signed, {abs(away)} s {'later' if away > 0 else 'earlier'}"
            return _difference(Part.TIMESTAMP, says, signed, came.timestamp.encode()), mac
    return None


def _other_byte(key: bytes, came: Came, wanted: Sequence[Way]) -> tuple[Slip, Way] | None:
    """Find the one byte of the body that was changed, added or lost on the way."""
    macs = {way.value: way for way in wanted if len(way.value) == hashlib.sha256().digest_size}
    if len(came.body) > LONGEST_SEARCHED or not macs:
        return None
    padded = key.ljust(_BLOCK, b"\0")
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    inner.update(b"%b.%b." % (came.event_id.encode(), came.timestamp.encode()))
    every = [bytes([value]) for value in range(_BYTE)]
    for place in range(len(came.body) + 1):
        kept, rest = came.body[place : place + 1], came.body[place + 1 :]
        tails = [(byte + rest, byte) for byte in every if kept and byte != kept]
        tails += [(byte + kept + rest, byte) for byte in every]
        tails += [(rest, b"")] if kept else []
        for tail, _ in tails:
            begun, whole = inner.copy(), outer.copy()
            begun.update(tail)
            whole.update(begun.digest())
            if (mac := macs.get(whole.digest())) is not None:
                says = "one byte is not the one that was signed"
                signed = came.body[:place] + tail
                return _difference(Part.BODY, says, signed, came.body), mac
        inner.update(kept)
    return None


def _compared(
    secrets: Sequence[str], came: Came, signed: bytes, wanted: Sequence[Way]
) -> Iterator[Slip]:
    """Hold what arrived against what its sender says was signed."""
    if (place := _first_difference(signed, came.content)) is not None:
        yield _placed(came, signed, place)
    for secret in secrets:
        for key in ways.keys(secret):
            if (mac := _Try(key.value, wanted).made(signed)) is not None:
                yield from _slips(came, (key, Way(b""), Way(b""), Way(b""), Way(b""), mac))
                return
    says = "no live secret of this link makes the signature that came of what they say was signed"
    yield Slip(Part.SECRET, f"{says}: theirs is another one")


def _placed(came: Came, signed: bytes, place: int) -> Slip:
    starts = {
        Part.ID: 0, Part.TIMESTAMP: len(came.event_id.encode()) + 1,
        Part.BODY: len(came.event_id.encode()) + len(came.timestamp.encode()) + 2,
    }  # fmt: skip
    part = max((name for name in starts if starts[name] <= place), key=lambda name: starts[name])
    start = starts[part]
    return _difference(part, "it is not what was signed", signed[start:], came.content[start:])


def _difference(part: Part, says: str, signed: bytes, arrived: bytes) -> Slip:
    place = _first_difference(signed, arrived)
    if place is None:
        return Slip(part, says)
    there, here = _shown(signed, place), _shown(arrived, place)
    return Slip(part, f"{says}; byte {place} was {there} when signed and is {here}", place)


def _first_difference(one: bytes, other: bytes) -> int | None:
    if one == other:
        return None
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _shown(text: bytes, place: int) -> str:
    """Name one byte and nothing around it: what surrounds it is a citizen's message."""
    if place >= len(text):
        return "not there"
    value = text[place]
    return f"0x{value:02x}" + (f" ({_NAMED[value]})" if value in _NAMED else "")


def _unknown(came: Came) -> Slip:
    says = "no live secret of this link signed these bytes: most likely theirs is another one"
    if len(came.body) > LONGEST_SEARCHED:
        return Slip(Part.SECRET, f"{says}, or the body was changed on its way")
    return Slip(Part.SECRET, f"{says}, or more than one byte of the body was changed on its way")


def _distinct(made: Iterator[Way]) -> list[Way]:
    """Keep the first of those that come to the same."""
    found: dict[bytes, Way] = {}
    for way in made:
        found.setdefault(way.value, way)
    return list(found.values())
