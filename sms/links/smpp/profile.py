"""How one operator speaks SMPP: where it is bound to, and in what its SMSC differs from others.

Kept as JSON in the link's row; read and written here alone. Whatever is wrong is told at once, when
the link is added.
"""

import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sms.deliveries import Delivery
from sms.links.errors import LinkError
from sms.links.smpp import alphabet, receipt_text
from sms.links.smpp.alphabet import Alphabet
from sms.message_ids import IdBase, IdBases

MOST_HOSTS = 4
MOST_WINDOW = 100
_HOST = re.compile(r"[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9:])?")
_NAME = re.compile(r"[\x21-\x7e]{1,15}")
_PASSWORD = re.compile(r"[\x21-\x7e]{1,8}")
_SHORT = re.compile(r"[\x20-\x7e]{0,12}")
_HIGHEST_PORT = 65535
_HIGHEST_BYTE = 255
_HIGHEST_TAG = 65535
_REPEAT_SECONDS = (0, 900)
_LONGEST_PATTERN = 500
_ZONE = (-720, 840)


class Binding(StrEnum):
    """How many sessions one SMSC is bound by, and as what."""

    TRANSCEIVER = "transceiver"
    TX_RX = "tx+rx"


class NumberFormat(StrEnum):
    """How a citizen's number is written in submit_sm."""

    INTERNATIONAL = "international"  # 84912345678
    PLUS = "plus"  # +84912345678
    NATIONAL = "national"  # 0912345678


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One operator's SMPP.

    Shape: *tls_certificate* is PEM, empty for a private line. Units: *window* in submit_sm without
    an answer, for each bind; *repeat_seconds* is how long the same text of the same sender is a
    repeat, where the operator gives messages no id (*message_id_tag*).
    """

    hosts: tuple[str, ...]
    port: int
    system_id: str
    system_type: str = ""
    bind: Binding = Binding.TRANSCEIVER
    tls_certificate: str = field(default="", repr=False)
    window: int = 10
    source_ton: int = 0
    source_npi: int = 0
    destination_ton: int = 1
    destination_npi: int = 1
    number_format: NumberFormat = NumberFormat.INTERNATIONAL
    service_type: str = ""
    codings: Mapping[int, Alphabet] = field(default_factory=lambda: dict(alphabet.CODINGS))
    message_id_tag: int | None = None
    repeat_seconds: int = 60
    receipt_pattern: str = receipt_text.PATTERN
    receipt_states: Mapping[str, Delivery] = field(
        default_factory=lambda: dict(receipt_text.STATES)
    )
    receipt_zone_minutes: int = 420
    accepted_id_base: IdBase = IdBase.TEXT
    receipt_id_base: IdBase = IdBase.TEXT

    @property
    def ids(self) -> IdBases:
        """How it writes the ids of our messages."""
        return IdBases(self.accepted_id_base, self.receipt_id_base)

    @property
    def url(self) -> str:
        """Where it is bound to, for people."""
        scheme = "smpps" if self.tls_certificate else "smpp"
        hosts = ",".join(f"[{host}]" if ":" in host else host for host in self.hosts)
        return f"{scheme}://{hosts}:{self.port}"


def make(given: Mapping[str, Any]) -> Profile:
    """Make a profile of values as JSON has them.

    Raises: LinkError naming the first that is wrong.
    """
    known = {one.name for one in fields(Profile)}
    if strange := sorted(given.keys() - known):
        raise LinkError(f"nothing is called {strange[0]}; there are {', '.join(sorted(known))}")
    read: dict[str, Any] = {}
    for name, value in given.items():
        try:
            read[name] = _READERS[name](value)
        except (KeyError, TypeError, ValueError, OSError, re.error) as error:
            raise LinkError(f"{name} must be {_WANTED[name]}") from error
    if missing := [name for name in ("hosts", "port", "system_id") if name not in read]:
        raise LinkError(f"{missing[0]} is missing: it must be {_WANTED[missing[0]]}")
    return Profile(**read)


def dump(profile: Profile) -> str:
    """Write a profile as JSON."""
    values = {one.name: getattr(profile, one.name) for one in fields(Profile)}
    return json.dumps(values, separators=(",", ":"), sort_keys=True)


@lru_cache(maxsize=256)
def load(text: str) -> Profile:
    """Read a profile that `dump` wrote.

    Raises: LinkError.
    """
    return make(json.loads(text))


def check_password(text: str) -> str:
    """Check what a bind is made with.

    Raises: LinkError, quoting nothing of it.
    """
    if not _PASSWORD.fullmatch(text):
        raise LinkError("the password must be 1 to 8 visible ASCII characters, as SMPP 3.4 has it")
    return text


def _hosts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_HOSTS:
        raise ValueError
    return tuple(_matching(_HOST, one) for one in value)


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError
    return value


def _within(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError
    return value


def _byte(value: object) -> int:
    return _within(value, 0, _HIGHEST_BYTE)


def _certificate(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    if value:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=value)
    return value


def _codings(value: object) -> Mapping[int, Alphabet]:
    given = {_byte(int(key)): Alphabet(name) for key, name in _items(value)}
    return {**alphabet.CODINGS, **given}


def _states(value: object) -> Mapping[str, Delivery]:
    given = {key.upper(): Delivery(state) for key, state in _items(value)}
    return {**receipt_text.STATES, **given}


def _items(value: object) -> list[tuple[str, str]]:
    if not isinstance(value, Mapping):
        raise TypeError
    return [(str(key), str(word)) for key, word in value.items()]


def _pattern(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_PATTERN:
        raise ValueError
    if "id" not in re.compile(value).groupindex:
        raise ValueError
    return value


_READERS: Mapping[str, Any] = {
    "hosts": _hosts,
    "port": lambda value: _within(value, 1, _HIGHEST_PORT),
    "system_id": lambda value: _matching(_NAME, value),
    "system_type": lambda value: _matching(_SHORT, value),
    "bind": Binding,
    "tls_certificate": _certificate,
    "window": lambda value: _within(value, 1, MOST_WINDOW),
    "source_ton": _byte,
    "source_npi": _byte,
    "destination_ton": _byte,
    "destination_npi": _byte,
    "number_format": NumberFormat,
    "service_type": lambda value: _matching(re.compile(r"[\x20-\x7e]{0,5}"), value),
    "codings": _codings,
    "message_id_tag": lambda value: None if value is None else _within(value, 1, _HIGHEST_TAG),
    "repeat_seconds": lambda value: _within(value, *_REPEAT_SECONDS),
    "receipt_pattern": _pattern,
    "receipt_states": _states,
    "receipt_zone_minutes": lambda value: _within(value, *_ZONE),
    "accepted_id_base": IdBase,
    "receipt_id_base": IdBase,
}
_WORDS = {kind: ", ".join(kind) for kind in (Binding, NumberFormat, Alphabet, Delivery, IdBase)}
_BYTE = "a number from 0 to 255"
_WANTED: Mapping[str, str] = {
    "hosts": f"1 to {MOST_HOSTS} names or addresses of hosts",
    "port": "a port",
    "system_id": "1 to 15 visible ASCII characters",
    "system_type": "at most 12 ASCII characters",
    "bind": f"one of {_WORDS[Binding]}",
    "tls_certificate": "a certificate in PEM",
    "window": f"a number from 1 to {MOST_WINDOW}",
    "source_ton": _BYTE,
    "source_npi": _BYTE,
    "destination_ton": _BYTE,
    "destination_npi": _BYTE,
    "number_format": f"one of {_WORDS[NumberFormat]}",
    "service_type": "at most 5 ASCII characters",
    "codings": f"an object of data_coding numbers with each one of {_WORDS[Alphabet]}",
    "message_id_tag": "the number of an optional parameter",
    "repeat_seconds": "a number from {} to {}".format(*_REPEAT_SECONDS),
    "receipt_pattern": "a regular expression with a group called id",
    "receipt_states": f"an object of words with each one of {_WORDS[Delivery]}",
    "receipt_zone_minutes": "how many minutes its clock is ahead of UTC",
    "accepted_id_base": f"one of {_WORDS[IdBase]}",
    "receipt_id_base": f"one of {_WORDS[IdBase]}",
}
