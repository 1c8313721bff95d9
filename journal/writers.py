"""Who may write: the keys that `key` entries announced, each signed for by a log key in force."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from journal import leaf as leaves
from journal.leaf import SIGNATURE_BYTES
from journal.log_keys import OF_A_WRITER, LogKeys
from journal.stored import StoredTree

# Where the name of its writer stands in every leaf: at the end, before a quotation mark and brace.
_NAME = slice(-18, -2)


@dataclass(frozen=True, slots=True)
class Read:
    """A leaf as far as its form and its writer's signature hold."""

    id: str
    kind: str
    microseconds: int


class Writers:
    """The announced writers of one log."""

    def __init__(self) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {}
        # Sealed announcements, of many writers long gone: checked when one of theirs comes.
        self._sealed: dict[str, bytes] = {}
        self._size = 0

    def read(self, leaf: bytes, tree: StoredTree, log_keys: LogKeys) -> Read | None:
        """Read a leaf that waits; None if it is not canonical or no announced writer signed it.

        One that announces a writer is signed by that writer, and makes it known. One that changes
        the keys of the log never waits: it is sealed as it is written.
        """
        signature, text = leaf[:SIGNATURE_BYTES], leaf[SIGNATURE_BYTES:]
        try:
            said = json.loads(text)
            canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
            if canonical != text or said["v"] != 1:
                return None
            if said["t"] == "key":
                key = _announced(said, log_keys.endorses)
            else:
                key = self._known(said["w"], tree, log_keys)
            if key is None:
                return None
            key.verify(signature, leaves.leaf_context(log_keys.origin) + text)
            read = Read(said["id"], said["t"], said["ts"])
        except (InvalidSignature, KeyError, TypeError, ValueError):
            return None
        self._keys[said["w"]] = key
        return read

    def _known(self, name: str, tree: StoredTree, log_keys: LogKeys) -> Ed25519PublicKey | None:
        """Return the key of a writer, from what is sealed if it is not known yet."""
        if name not in self._keys:
            size = tree.head().size
            # What was read of a transaction that came to nothing is read again.
            for start in (self._size, 0):
                self._learn(tree.key_leaves(start, size))
                if name in self._sealed:
                    break
            self._size = size
            leaf = self._sealed.pop(name, None)
            if leaf is None:
                return None
            # Whichever log key signed for it in its time: what is sealed was looked at then.
            key = _announced(json.loads(leaf[SIGNATURE_BYTES:]), log_keys.endorsed)
            if key is None:
                return None
            self._keys[name] = key
        return self._keys[name]

    def _learn(self, announcements: Iterable[tuple[int, bytes]]) -> None:
        for _, leaf in announcements:
            if OF_A_WRITER in leaf:
                self._sealed[leaf[_NAME].decode(errors="replace")] = leaf


def _announced(
    said: Mapping[str, str], is_endorsed: Callable[[bytes, bytes], bool]
) -> Ed25519PublicKey | None:
    writer = bytes.fromhex(said["kw"])
    if leaves.writer_id(writer) != said["w"]:
        return None
    if not is_endorsed(writer, bytes.fromhex(said["ke"])):
        return None
    return Ed25519PublicKey.from_public_bytes(writer)
