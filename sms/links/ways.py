"""Ways in which requests come to be signed otherwise than the contract says, as seen at others.

Each yields what may have been signed, or signed with, and in words what was done; the contract's
own way comes first and needs no words.
"""

import json
import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

_PREFIX = "whsec_"
_LINE_ENDS = b"\r\n"
_MARK = b"\xef\xbb\xbf"
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32,128}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_LABELLED = re.compile(r"(?:([A-Za-z][A-Za-z0-9]*)([,=:]))?(.*)")
_LENGTHS = frozenset({16, 20, 32, 48, 64})
# One HMAC in hexadecimal, which somebody has put into base64 after that.
_LENGTHS_OF_TEXT = frozenset({64, 128})
_INDENTS = (None, 2, 4)
_ORDINARY = (",", ":")
LAYOUTS = (
    (b"%(id)b.%(stamp)b.%(body)b", None),
    (b"%(stamp)b.%(id)b.%(body)b", "the timestamp was put before the id"),
    (b"%(stamp)b.%(body)b", "the id was left out"),
    (b"%(id)b.%(body)b", "the timestamp was left out"),
    (b"%(body)b", "id and timestamp were left out"),
    (b"%(id)b%(stamp)b%(body)b", "the full stops between id, timestamp and body were left out"),
    (b"%(id)b\n%(stamp)b\n%(body)b", "id, timestamp and body were joined by line ends"),
    (b"%(id)b:%(stamp)b:%(body)b", "id, timestamp and body were joined by colons"),
    (b"%(id)b.%(stamp)b", "the body was left out"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A value that may have been used, and what was done to come to it; None: what must be."""

    value: bytes
    slip: str | None = None


def keys(secret: str) -> Iterator[Way]:
    """Yield the keys that people make of a secret."""
    text = secret.removeprefix(_PREFIX)
    key = b64decode(text)
    yield Way(key)
    yield Way(text.encode(), "the key was the text after whsec_, not decoded from base64")
    yield Way(secret.encode(), "the key was the whole text of the secret, whsec_ and all")
    yield Way(f"{secret}\n".encode(), "the key was the line of the secret's file, its end and all")
    yield Way(f"{text}\n".encode(), "the key was the text after whsec_ with a line end")
    yield Way(key + b"\n", "a line end came behind the decoded key")
    yield Way(key.hex().encode(), "the key was its own hexadecimal text, not its bytes")
    yield Way(b"", "the key was empty")


def ids(event_id: str, body: bytes) -> Iterator[Way]:
    """Yield what may have been signed as the id."""
    yield Way(event_id.encode())
    if (told := _at(body, "data", "id")) is not None:
        yield Way(told, "data.id was signed in place of the header webhook-id")
    yield Way(event_id.strip().encode(), "the id was signed without the white space around it")


def stamps(timestamp: str, body: bytes) -> Iterator[Way]:
    """Yield what may have been signed as the timestamp."""
    yield Way(timestamp.encode())
    yield Way(timestamp.encode() + b"000", "the timestamp was signed in milliseconds")
    yield Way(timestamp[:-3].encode(), "the timestamp was signed in seconds, and sent in others")
    if (told := _at(body, "timestamp")) is not None:
        yield Way(told, "the body's timestamp was signed in place of the header's")


def bodies(body: bytes) -> Iterator[Way]:
    """Yield what may have been signed as the body."""
    yield Way(body)
    yield Way(body.rstrip(_LINE_ENDS), "it was signed without the line end that was sent behind it")
    hint = "(with curl: --data-binary, not --data)"
    yield Way(body + b"\n", f"it was signed with a line end behind it that was not sent {hint}")
    yield Way(body + b"\r\n", f"it was signed with CR LF behind it that were not sent {hint}")
    yield Way(body.replace(b"\r\n", b"\n"), "it was signed with LF and sent with CR LF")
    yield Way(body.replace(b"\n", b"\r\n"), "it was signed with CR LF and sent with LF")
    yield Way(body.strip(), "it was signed without the white space around it")
    yield Way(body.removeprefix(_MARK), "it was signed without the byte order mark that was sent")
    yield Way(_MARK + body, "it was signed with a byte order mark that was not sent")
    yield from _in_other_codes(body)
    yield from _written_anew(body)
    yield Way(b64encode(body), "its base64 was signed")
    yield Way(sha256(body).hexdigest().encode(), "its SHA-256 in hexadecimal was signed")


def macs(header: str) -> Iterator[Way]:
    """Yield what the header of signatures may have been meant to hold."""
    words = header.strip().strip("\"'").split()
    for word in words:
        found = _LABELLED.fullmatch(word)
        if found is None:
            continue
        label, separator, text = found.groups()
        told = None if (label, separator) == ("v1", ",") else "it must begin with v1 and a comma"
        if told and "v1," in words:
            told = "white space stands behind v1 and the comma"
        whole = [(text, told)] if told is None else [(text, told), (word, told)]
        for value, slip in whole:
            yield from _decoded(value, slip)


def _decoded(text: str, told: str | None) -> Iterator[Way]:
    if _HEXADECIMAL.fullmatch(text) and len(text) % 2 == 0:
        yield Way(bytes.fromhex(text), _both(told, "it is in hexadecimal and must be in base64"))
    if not _BASE64.fullmatch(text):
        return
    bare = text.rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    usual = padded.translate(str.maketrans("-_", "+/"))
    try:
        value = b64decode(usual, validate=True)
    except ValueError:
        return
    slip = told
    if usual != padded:
        slip = _both(slip, "it is in the URL's base64 (- and _) and must have + and /")
    if text != padded:
        slip = _both(slip, "the = at its end are missing or too many")
    elif b64encode(value).decode() != usual:
        slip = _both(slip, "its last sign carries bits that belong to nothing")
    if len(value) in _LENGTHS:
        yield Way(value, slip)
    if len(value) in _LENGTHS_OF_TEXT and _HEXADECIMAL.fullmatch(value.decode("latin-1")):
        told = "the hexadecimal text was put into base64, not the bytes"
        yield Way(bytes.fromhex(value.decode("latin-1")), _both(slip, told))


def _both(first: str | None, second: str) -> str:
    return second if first is None else f"{first}; {second}"


def _in_other_codes(body: bytes) -> Iterator[Way]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    for form in ("NFC", "NFD"):
        made = unicodedata.normalize(form, text).encode()
        yield Way(made, f"it was signed in the Unicode form {form} and sent in another")
    for code in ("latin-1", "cp1258", "utf-16-le", "utf-16"):
        try:
            yield Way(text.encode(code), f"it was signed in {code} and sent in UTF-8")
        except UnicodeEncodeError:
            continue


def _written_anew(body: bytes) -> Iterator[Way]:
    """Yield the same JSON as other libraries, or the same one later, would write it."""
    document = _document(body)
    for content, what in ((document, "the same JSON"), (document.get("data"), "data alone")):
        if not isinstance(content, dict) or not content:
            continue
        for is_sorted in (False, True):
            for is_ascii in (True, False):
                for indent in _INDENTS:
                    for separators in (None,) if indent else (_ORDINARY, None):
                        text = json.dumps(
                            content, sort_keys=is_sorted, ensure_ascii=is_ascii, indent=indent,
                            separators=separators,
                        )  # fmt: skip
                        yield from _escaped(text, what)


def _escaped(text: str, what: str) -> Iterator[Way]:
    told = f"{what}, written another time, was signed: sign the very bytes that go out"
    yield Way(_bytes(text), told)
    yield Way(_bytes(text.replace("/", "\\/")), f"{told} (slashes are escaped there)")
    for_web = text
    for sign in "<>&":
        for_web = for_web.replace(sign, f"\\u{ord(sign):04x}")
    yield Way(_bytes(for_web), f"{told} (signs of HTML are escaped there)")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _document(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _at(body: bytes, *names: str) -> bytes | None:
    found: object = _document(body)
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return _bytes(found) if isinstance(found, str) else None
