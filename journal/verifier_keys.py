"""The verifier's own reading of the log's names and keys, as the leaves announce them.

Source: docs/journal-format.md.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from journal.verifier_leaf import Leaf
from journal.verifier_log import LogKey, Remembered, holds

_PARTS = ("endorsement", "log", "name", "former", "retired", "until", "writer")
_WRITER = ("endorsement", "writer")


@dataclass(frozen=True, slots=True)
class Link:
    """What holds behind the leaf *seq*: the log's name, and its keys in force, newest last."""

    seq: int
    origin: str
    keys: tuple[bytes, ...]

    def signed(self, public: bytes, purpose: str, value: str, endorsement: str) -> bool:
        """Tell whether a key signed for *value*, under this link's name."""
        message = f"tradan journal {purpose} v1\n{self.origin}\n{value}\n".encode()
        return holds(public, message, bytes.fromhex(endorsement))


@dataclass(slots=True)
class KeyChain:
    """The names and keys of one log; *trusted* are the keys that somebody vouches for.

    Shape: `is_trusted` if one of them was the newest at some point; else nothing follows from them.
    """

    origin: str
    trusted: Collection[bytes]
    links: list[Link] = field(default_factory=list)
    accepted: set[int] = field(default_factory=set)
    is_trusted: bool = False

    def learn(self, leaves: Sequence[tuple[int, Leaf]]) -> None:
        """Follow the chain through these leaves, of which none came before those known."""
        if not self.links:
            names = (leaf.word("former") for _, leaf in leaves)
            # Before the first leaf that names it anew, the log had the name that this leaf tells.
            self.origin = next(filter(None, names), self.origin)
        for seq, leaf in leaves:
            link = self._next(seq, leaf)
            if link is not None:
                self.accepted.add(seq)
                self.links.append(link)
                self.is_trusted |= link.keys[-1] in self.trusted

    def at(self, seq: int) -> Link:
        """Return what holds for the leaf *seq*, and for a checkpoint over so many leaves."""
        if not self.is_trusted:
            return Link(-1, self.origin, tuple(self.trusted))
        if seq > self.links[-1].seq:
            return self.links[-1]
        behind = bisect_left(self.links, seq, key=lambda link: link.seq)
        return self.links[max(0, behind - 1)]

    def head_of(self, note: str, size: int) -> Remembered | None:
        """Return the tree head that a note tells, None if it is not this log's word at *size*."""
        link = self.at(size)
        # Of several that are vouched for where nothing follows, any may have signed.
        keys = link.keys[-1:] if self.is_trusted else link.keys
        heads = (LogKey(link.origin, public).head_of(note) for public in keys)
        return next(filter(None, heads), None)

    def writer(self, leaf: Leaf, seq: int) -> bytes | None:
        """Return the writer that a leaf announces, None unless a log key in force signed for it."""
        writer, endorsement, link = leaf.word("writer"), leaf.word("endorsement"), self.at(seq)
        public = bytes.fromhex(writer)
        if hashlib.sha256(public).hexdigest()[:16] != leaf.word("signer"):
            return None
        signed = (link.signed(each, "writer", writer, endorsement) for each in link.keys)
        return public if any(signed) else None

    def is_proper(self, leaf: Leaf, seq: int) -> bool:
        """Tell whether a leaf says of keys what its kind may say, signed for as it must be."""
        parts = _parts(leaf)
        if leaf.word("kind") != "key":
            return not parts
        return parts == _WRITER or seq in self.accepted

    def _next(self, seq: int, leaf: Leaf) -> Link | None:
        """Return what holds behind a leaf, None if it announces nothing of the log itself."""
        if leaf.word("kind") != "key":
            return None
        if not self.links:
            first = (bytes.fromhex(leaf.word("log")),)
            return Link(seq, self.origin, first) if _parts(leaf) == ("log",) else None
        now = self.links[-1]
        match _parts(leaf):
            case ("endorsement", "log", "until"):
                value, purpose = leaf.word("log"), "log"
                public = bytes.fromhex(value)
                is_fine = all(public not in link.keys for link in self.links)
                link = Link(seq, now.origin, (*now.keys, public))
            case ("endorsement", "retired"):
                value, purpose = leaf.word("retired"), "retired"
                public = bytes.fromhex(value)
                is_fine = public in now.keys[:-1]
                link = Link(seq, now.origin, tuple(key for key in now.keys if key != public))
            case ("endorsement", "name", "former"):
                value, purpose = leaf.word("name"), "name"
                is_fine = leaf.word("former") == now.origin
                link = Link(seq, value, now.keys[-1:])
            case _:
                return None
        is_signed = now.signed(now.keys[-1], purpose, value, leaf.word("endorsement"))
        return link if is_fine and is_signed else None


def _parts(leaf: Leaf) -> tuple[str, ...]:
    return tuple(name for name in _PARTS if leaf.word(name))
