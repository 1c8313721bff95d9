"""The log's public key as verbs need it that verify: given on the command line, or our own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.exits import USAGE, UsageFault

if TYPE_CHECKING:
    from cli.context import Service
    from journal.note import Verifier


def log_key(service: "Service") -> str:
    """Return the newest of the log's keys that this machine holds, in its written form."""
    # Not by way of the service's own journal, which refuses to open one that is not sound; and
    # of what the database tells only what the key files bear out.
    from journal import published
    from journal.held import HeldKeys
    from journal.log_keys import public_of
    from journal.note import Verifier
    from journal.stored import StoredTree

    origin = service.database.read(published.newest).origin
    found = service.database.read(lambda session: StoredTree(session).all_log_keys())
    held = HeldKeys(service.settings.keys_dir)
    told = [key for key in (found.verifiers if found else ()) if held.seed(key.public)]
    return str(told[-1] if told else Verifier(origin, public_of(held.own())))


def log_keys(service: "Service", given: Sequence[str]) -> "list[Verifier]":
    """Read the keys that were given; else every key that leads to, or follows, the one we hold."""
    from journal.errors import NoteError
    from journal.note import Verifier
    from journal.stored import StoredTree

    try:
        keys = [Verifier.parse(text) for text in given or (log_key(service),)]
    except NoteError as error:
        raise UsageFault(f"--key is no log's key: {error}", USAGE) from error
    if given:
        return keys
    found = service.database.read(lambda session: StoredTree(session).all_log_keys())
    return list(found.ever) if found and keys[0] in found.ever else keys
