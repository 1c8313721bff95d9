"""Who may write: the keys that `key` entries announced, each signed for by the log key."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.orm import Session

from journal import leaf as leaves
from journal.leaf import SIGNATURE_BYTES, Announcement
from journal.tables import JOURNAL_ENTRY, JOURNAL_LEAF


@dataclass(frozen=True, slots=True)
class Read:
    """A leaf as far as its form and its writer's signature hold."""

    id: str
    kind: str
    microseconds: int


class Writers:
    """The announced writers of one log."""

    def __init__(self, origin: str, log_public: bytes) -> None:
        self._origin = origin
        self._log = Ed25519PublicKey.from_public_bytes(log_public)
        self._context = leaves.leaf_context(origin)
        self._keys: dict[str, Ed25519PublicKey] = {}

    def load(self, session: Session) -> None:
        """Learn the writers that sealed entries announced."""
        announced = sa.select(JOURNAL_ENTRY.c.leaf).where(
            JOURNAL_ENTRY.c.kind == "key",
            sa.exists().where(JOURNAL_LEAF.c.entry_id == JOURNAL_ENTRY.c.id),
        )
        self.learn(session.execute(announced.order_by(JOURNAL_ENTRY.c.id)).scalars())

    def learn(self, announcements: Iterable[bytes]) -> None:
        """Learn the writers that these leaves announce; a leaf that does not hold teaches none."""
        for leaf in announcements:
            self.read(leaf)

    def knows(self, public: bytes) -> bool:
        """Tell whether this key was announced."""
        return leaves.writer_id(public) in self._keys

    def read(self, leaf: bytes) -> Read | None:
        """Read a leaf; None if it is not canonical or no announced writer signed it.

        One that announces a writer is signed by that writer, and makes it known.
        """
        signature, text = leaf[:SIGNATURE_BYTES], leaf[SIGNATURE_BYTES:]
        try:
            said = json.loads(text)
            canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
            if canonical != text or said["v"] != 1:
                return None
            key = self._announced(said) if said["t"] == "key" else self._keys.get(said["w"])
            if key is None:
                return None
            key.verify(signature, self._context + text)
            read = Read(said["id"], said["t"], said["ts"])
        except (InvalidSignature, KeyError, TypeError, ValueError):
            return None
        self._keys[said["w"]] = key
        return read

    def _announced(self, said: dict[str, str]) -> Ed25519PublicKey | None:
        if "kw" not in said:
            return self._keys.get(said["w"])
        writer = bytes.fromhex(said["kw"])
        self._log.verify(
            bytes.fromhex(said["ke"]), leaves.endorsement_context(self._origin, writer)
        )
        if leaves.writer_id(writer) != said["w"]:
            return None
        return Ed25519PublicKey.from_public_bytes(writer)


def announce_writer(origin: str, log_seed: bytes, writer: bytes) -> Announcement:
    """Let *writer* write: sign for it with the log key."""
    key = Ed25519PrivateKey.from_private_bytes(log_seed)
    endorsement = key.sign(leaves.endorsement_context(origin, writer))
    return Announcement(writer=writer.hex(), endorsement=endorsement.hex())


def announce_log(log_public: bytes) -> Announcement:
    """Tell which key signs the checkpoints."""
    return Announcement(log=log_public.hex())
