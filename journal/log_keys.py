"""The log's name and keys, as the leaves of the tree announce them, one after another.

Each link is signed for by the newest key before it. docs/journal-format.md, ADR 0018.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from journal.leaf import SIGNATURE_BYTES, Announcement
from journal.note import Verifier

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = frozenset({"ke", "kl", "kn", "ko", "kr", "ku", "kw"})
# Most leaves of the kind `key` announce a writer; they are told apart without being read.
OF_A_WRITER = b'"kw":'
_OF_A_NAME = b'"ko":'

# What a log key signs to let another key, or a name, follow.
_NEXT = "tradan journal log v1"
_RETIRED = "tradan journal retired v1"
_NAMED = "tradan journal name v1"
_WRITER = "tradan journal writer v1"


@dataclass(frozen=True, slots=True)
class LogKeys:
    """What holds for a checkpoint over *size* leaves, and for the leaf that comes next.

    Shape: *signing* are the public keys in force, the newest last; *ever* all keys that were, under
    the name they had; *first* the first under the present name; *until* ends the older one's time.
    """

    origin: str
    size: int = 0
    signing: tuple[bytes, ...] = ()
    ever: tuple[Verifier, ...] = ()
    first: Verifier | None = None
    until: datetime | None = None
    former_origin: str | None = None

    @property
    def newest(self) -> Verifier:
        """The key that has to sign."""
        return Verifier(self.origin, self.signing[-1])

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """All keys in force, the newest last."""
        return tuple(Verifier(self.origin, public) for public in self.signing)

    def after(self, leaves: Iterable[tuple[int, bytes]], size: int) -> "LogKeys":
        """Return what holds at *size*, after these leaves of the kind `key`; each with its place.

        A leaf that announces no log key, or whose endorsement does not hold, changes nothing.
        """
        changes = (leaf for _, leaf in leaves if OF_A_WRITER not in leaf)
        return replace(reduce(_step, changes, self), size=size)

    def endorses(self, writer: bytes, endorsement: bytes) -> bool:
        """Tell whether a key in force signed for a writer."""
        statement = _statement(_WRITER, self.origin, writer.hex())
        return any(_holds(public, statement, endorsement) for public in self.signing)

    def endorsed(self, writer: bytes, endorsement: bytes) -> bool:
        """Tell whether any key that ever was in force signed for a writer."""
        return any(
            _holds(key.public, _statement(_WRITER, key.name, writer.hex()), endorsement)
            for key in self.ever
        )


def read(name: str, leaves: Sequence[tuple[int, bytes]], size: int) -> LogKeys:
    """Return what holds at *size*, from every leaf of the kind `key`; the log is *name* now."""
    former = (_former(leaf) for _, leaf in leaves if _OF_A_NAME in leaf)
    return LogKeys(next(filter(None, former), name)).after(leaves, size)


def announce_first(public: bytes) -> Announcement:
    """Tell which key signs the checkpoints of a new log."""
    return Announcement(log=public.hex())


def announce_next(origin: str, newest: bytes, public: bytes, until: datetime) -> Announcement:
    """Let another key follow the one whose seed *newest* is."""
    endorsement = _sign(newest, _NEXT, origin, public.hex())
    microseconds = (until - _EPOCH) // timedelta(microseconds=1)
    return Announcement(endorsement=endorsement, log=public.hex(), until=microseconds)


def announce_retired(origin: str, newest: bytes, public: bytes) -> Announcement:
    """Tell that a key signs no more."""
    endorsement = _sign(newest, _RETIRED, origin, public.hex())
    return Announcement(endorsement=endorsement, retired=public.hex())


def announce_name(origin: str, newest: bytes, name: str) -> Announcement:
    """Begin a new log over the same leaves, under another name."""
    endorsement = _sign(newest, _NAMED, origin, name)
    return Announcement(endorsement=endorsement, name=name, former_name=origin)


def announce_writer(origin: str, log_seed: bytes, writer: bytes) -> Announcement:
    """Let *writer* write."""
    endorsement = _sign(log_seed, _WRITER, origin, writer.hex())
    return Announcement(endorsement=endorsement, writer=writer.hex())


def public_of(seed: bytes) -> bytes:
    """Return the public half of a key."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _former(leaf: bytes) -> str | None:
    try:
        former = json.loads(leaf[SIGNATURE_BYTES:])["ko"]
    except (KeyError, TypeError, ValueError):
        return None
    return former if isinstance(former, str) else None


def _step(keys: LogKeys, leaf: bytes) -> LogKeys:
    try:
        said = json.loads(leaf[SIGNATURE_BYTES:])
        match sorted(_PARTS & said.keys()):
            case ["kl"] if not keys.signing:
                return _begun(keys, bytes.fromhex(said["kl"]))
            case ["ke", "kl", "ku"] if _is_signed(keys, _NEXT, said["kl"], said["ke"]):
                return _followed(keys, bytes.fromhex(said["kl"]), said["ku"])
            case ["ke", "kr"] if _is_signed(keys, _RETIRED, said["kr"], said["ke"]):
                return _retired(keys, bytes.fromhex(said["kr"]))
            case ["ke", "kn", "ko"] if said["ko"] == keys.origin and _is_signed(
                keys, _NAMED, said["kn"], said["ke"]
            ):
                return _named(keys, said["kn"])
            case _:
                return keys
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return keys


def _begun(keys: LogKeys, public: bytes) -> LogKeys:
    first = Verifier(keys.origin, public)
    return replace(keys, signing=(public,), ever=(first,), first=first)


def _followed(keys: LogKeys, public: bytes, microseconds: int) -> LogKeys:
    if public in {key.public for key in keys.ever}:
        return keys
    return replace(
        keys,
        signing=(*keys.signing, public),
        ever=(*keys.ever, Verifier(keys.origin, public)),
        until=_EPOCH + timedelta(microseconds=microseconds),
    )


def _retired(keys: LogKeys, public: bytes) -> LogKeys:
    left = tuple(key for key in keys.signing if key != public or key == keys.signing[-1])
    return replace(keys, signing=left, until=keys.until if len(left) > 1 else None)


def _named(keys: LogKeys, name: str) -> LogKeys:
    public = keys.signing[-1]
    first = Verifier(name, public)
    return replace(
        keys,
        origin=name,
        signing=(public,),
        ever=(*keys.ever, first),
        first=first,
        until=None,
        former_origin=keys.origin,
    )


def _is_signed(keys: LogKeys, purpose: str, value: str, endorsement: str) -> bool:
    statement = _statement(purpose, keys.origin, value)
    return bool(keys.signing) and _holds(keys.signing[-1], statement, bytes.fromhex(endorsement))


def _sign(seed: bytes, *statement: str) -> str:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(_statement(*statement)).hex()


def _statement(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _holds(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
