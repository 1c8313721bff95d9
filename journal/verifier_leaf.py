"""The verifier's own reading of a leaf, and of what it commits to.

Source: docs/journal-format.md.
"""

import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_FORM = re.compile(
    rb'\{"ca":"(?P<actor>[0-9a-f]{64})","cp":"(?P<payload>[0-9a-f]{64})",'
    rb'"cs":"(?P<subject>[0-9a-f]{64})",'
    rb'(?:"ec":"(?P<cause>order|loss)","ep":"(?P<part>identity|all)",'
    rb'"es":"(?P<covered>[0-9][0-9,-]{0,59999})",)?'
    rb'"id":"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})",'
    rb'(?:"ke":"(?P<endorsement>[0-9a-f]{128})",)?(?:"kl":"(?P<log>[0-9a-f]{64})",)?'
    rb'(?:"kn":"(?P<name>[!#-*,-\[\]-~]{1,255})",)?(?:"ko":"(?P<former>[!#-*,-\[\]-~]{1,255})",)?'
    rb'(?:"kr":"(?P<retired>[0-9a-f]{64})",)?(?:"ku":(?P<until>[1-9][0-9]{0,15}),)?'
    rb'(?:"kw":"(?P<writer>[0-9a-f]{64})",)?'
    rb'"r":"(?P<retention>lookup|act)","t":"(?P<kind>lookup|admin|control|erase|key)",'
    rb'"ts":(?P<at>[1-9][0-9]{0,15}),"v":1,"w":"(?P<signer>[0-9a-f]{16})"\}'
)
_SIGNATURE = 64
_LONGEST = 65_535

# How many whole months after an entry's own month its openings are kept: identity, act.
_KEPT_MONTHS = {"lookup": (24, 60), "act": (60, 60)}
_YEAR = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Leaf(NamedTuple):
    """A leaf of the right form, its signature not yet checked."""

    whole: bytes
    form: re.Match[bytes]

    def __reduce__(self) -> tuple[Callable[[bytes], "Leaf | None"], tuple[bytes]]:
        """Travel to another process as bytes, and be read there."""
        return read_leaf, (self.whole,)

    @property
    def signature(self) -> bytes:
        """What the writer signed it with."""
        return self.whole[:_SIGNATURE]

    @property
    def text(self) -> bytes:
        """What the writer signed."""
        return self.whole[_SIGNATURE:]

    def word(self, name: str) -> str:
        """Return one of the leaf's fields, empty if it has none of that name."""
        value: bytes | None = self.form[name]
        return "" if value is None else value.decode()

    def beside(self) -> tuple[str, str, int]:
        """Return what stands beside the leaf too: the entry's id, its kind and its time."""
        entry_id, kind, at = self.form.group("id", "kind", "at")
        return entry_id.replace(b"-", b"").decode(), kind.decode(), int(at)

    @property
    def at(self) -> int:
        """The leaf's own time.

        Units: microseconds since 1970, UTC.
        """
        return int(self.word("at"))

    @property
    def covered(self) -> list[tuple[int, int]]:
        """The leaves, first and last of each range, whose openings this one says are gone."""
        text = self.form["covered"]
        return [] if text is None else _ranges(text.decode())

    def expired(self, now: datetime) -> tuple[bool, bool]:
        """Tell whether the identity and the act of this entry have outlived their class."""
        identity, act = _kept_from(now.year, now.month)[self.word("retention")]
        return self.at < identity, self.at < act


def oldest_kept(now: datetime) -> int:
    """Return the instant before which something of an entry has expired.

    Units: microseconds since 1970, UTC.
    """
    return max(cut for cuts in _kept_from(now.year, now.month).values() for cut in cuts)


def read_leaf(leaf: bytes) -> Leaf | None:
    """Read a leaf; None unless its form is the one form there is."""
    found = _FORM.fullmatch(leaf, _SIGNATURE)
    if found is None or len(leaf) > _LONGEST:
        return None
    read = Leaf(leaf, found)
    if found["covered"] is not None and (found["kind"] != b"erase" or not _are_canonical(read)):
        return None
    return read


@dataclass(frozen=True, slots=True)
class Opened:
    """What lies open beside a leaf; a part that has expired or was not to be had is empty."""

    identity: dict[str, str]
    act: dict[str, str]

    def faults(self, leaf: Leaf) -> list[str]:
        """Name what is said here otherwise than the leaf commits to."""
        person, deed, faults = self.identity, self.act, []
        try:
            if person:
                s = bytes.fromhex(person["s"])
                if _commit(s, "subject", person["subject"] or "") != leaf.word("subject"):
                    faults.append("subject")
                if "actor" in person and _commit(s, "actor", person["actor"]) != leaf.word("actor"):
                    faults.append("actor")
            if deed:
                e = bytes.fromhex(deed["e"])
                if _commit(e, "payload", deed["payload"]) != leaf.word("payload"):
                    faults.append("payload")
                if "actor" in deed and _commit(e, "actor", deed["actor"]) != leaf.word("actor"):
                    faults.append("actor")
            if person and deed and ("actor" in person) == ("actor" in deed):
                faults.append("actor")
        except (AttributeError, KeyError, TypeError, ValueError):
            faults.append("form")
        return faults

    def people(self) -> list[tuple[str, str, str]]:
        """Return the people named: as what, found again by the index of which field, and who."""
        named = (("subject", "personal_id", "person:"), ("actor", "phone", "phone:"))
        return [
            (role, field, self.identity[role].removeprefix(prefix))
            for role, field, prefix in named
            if (self.identity.get(role) or "").startswith(prefix)
        ]


def read_opening(plain: bytes | None) -> dict[str, str]:
    """Read an opened part; what cannot be read lacks what it should say."""
    if plain is None:
        return {}
    try:
        said = json.loads(plain.decode())
    except ValueError:
        return {"unreadable": ""}
    return said if isinstance(said, dict) and said else {"unreadable": ""}


def _commit(salt: bytes, label: str, value: str) -> str:
    key = hmac.digest(salt, label.encode(), "sha256")
    return hmac.digest(key, value.encode(), "sha256").hex()


@lru_cache(maxsize=64)
def _kept_from(year: int, month: int) -> dict[str, tuple[int, int]]:
    """Return the first instant of the oldest month that is kept in this one, by class and part."""

    def first_kept(months: int) -> int:
        years, before = divmod(year * _YEAR + month - 1 - months, _YEAR)
        return (datetime(years, before + 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)

    return {
        retention: (first_kept(identity), first_kept(act))
        for retention, (identity, act) in _KEPT_MONTHS.items()
    }


def _ranges(text: str) -> list[tuple[int, int]]:
    parts = (part.partition("-") for part in text.split(","))
    return [(int(first or -1), int(last or first or -1)) for first, _, last in parts]


def _are_canonical(leaf: Leaf) -> bool:
    """Tell whether the leaves it covers are written in the one way there is."""
    try:
        ranges = leaf.covered
    except ValueError:
        return False
    before, parts = -2, []
    for first, last in ranges:
        if not before + 1 < first <= last:
            return False
        parts.append(str(first) if first == last else f"{first}-{last}")
        before = last
    return leaf.word("covered") == ",".join(parts)
