"""Openings: what an entry says beside its leaf, read again by those who may."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.errors import DecryptionError
from core.keyring import Keyring, Sealed
from journal.errors import Fault, JournalFault
from journal.leaf import SIGNATURE_BYTES, commitment


@dataclass(frozen=True, slots=True)
class Act:
    """What was done; *actor* is an office, or None where a citizen acted."""

    salt: bytes = field(repr=False)
    payload_text: str = field(repr=False)
    actor: str | None = field(repr=False)

    @property
    def payload(self) -> Mapping[str, Any]:
        """Return the payload by its names."""
        read: Mapping[str, Any] = json.loads(self.payload_text)
        return read


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom an entry is about; *actor* is the telephone of a citizen, None where an office acted."""

    salt: bytes = field(repr=False)
    subject: str | None = field(repr=False)
    actor: str | None = field(repr=False)


def act(keyring: Keyring, entry_id: UUID, key_id: int | None, blob: bytes | None) -> Act | None:
    """Open what was done, None if that is gone."""
    read = _opened(keyring, "enc_act", entry_id, key_id, blob)
    if read is None:
        return None
    return Act(bytes.fromhex(read["e"]), read["payload"], read.get("actor"))


def identity(
    keyring: Keyring, entry_id: UUID, key_id: int | None, blob: bytes | None
) -> Identity | None:
    """Open whom an entry is about, None if that is gone."""
    read = _opened(keyring, "enc_identity", entry_id, key_id, blob)
    if read is None:
        return None
    return Identity(bytes.fromhex(read["s"]), read["subject"], read.get("actor"))


def see_that_they_fit(leaf: bytes, what: Act, who: Identity) -> None:
    """See that openings are those that their leaf commits to.

    Raises: JournalFault if they are not.
    """
    told = json.loads(leaf[SIGNATURE_BYTES:])
    actor_salt, actor = (what.salt, what.actor) if what.actor else (who.salt, who.actor or "")
    found = (
        commitment(actor_salt, b"actor", actor.encode()).hex(),
        commitment(what.salt, b"payload", what.payload_text.encode()).hex(),
        commitment(who.salt, b"subject", (who.subject or "").encode()).hex(),
    )
    if found != (told["ca"], told["cp"], told["cs"]):
        raise JournalFault(
            Fault.ENTRY_FORGED,
            "an entry does not say what its leaf commits to: keep the database as it is and run "
            "`journal verify`, which names what differs",
        )


def _opened(
    keyring: Keyring, column: str, entry_id: UUID, key_id: int | None, blob: bytes | None
) -> dict[str, Any] | None:
    """Open one part; what is erased, and what no key opens any more, is gone."""
    if key_id is None or blob is None:
        return None
    try:
        plain = keyring.decrypt(
            Sealed(key_id, blob), table="journal_open", column=column, row=entry_id.bytes
        )
    except DecryptionError:
        return None
    read: dict[str, Any] = json.loads(plain)
    return read
