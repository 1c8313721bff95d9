"""The log's public key as verbs need it that verify: given on the command line, or our own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.exits import USAGE, UsageFault

if TYPE_CHECKING:
    from cli.context import Service
    from journal.note import Verifier


def log_key(service: "Service") -> str:
    """Return the deployment's own log key in its written form."""
    # Not by way of the service's own journal, which refuses to open one that is not sound.
    from core import keys
    from journal import published
    from journal.note import Signer

    origin = service.database.read(published.newest).origin
    return str(Signer(origin, keys.load(service.settings.keys_dir).log).verifier)


def log_keys(service: "Service", given: Sequence[str]) -> "list[Verifier]":
    """Read the keys that were given; the deployment's own if none was."""
    from journal.errors import NoteError
    from journal.note import Verifier

    try:
        return [Verifier.parse(text) for text in given or (log_key(service),)]
    except NoteError as error:
        raise UsageFault(f"--key is no log's key: {error}", USAGE) from error
