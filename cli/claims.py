"""What a `run` takes for itself before anything starts: its address, and a SQLite database."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import NOT_ALLOWED, UsageFault

if TYPE_CHECKING:
    from core.settings import Bind


def see_free(bind: "Bind", said: str = "TRADAN_BIND") -> None:
    """See that nobody listens on the address *said*: our server would share it, not fail on it.

    Raises: UsageFault.
    """
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind.host, bind.port))
        except OSError as error:
            raise UsageFault(
                f"{bind} cannot be listened on ({error.strerror}): end what listens there, "
                f"or set {said} to another address.",
                NOT_ALLOWED,
            ) from error


@contextlib.contextmanager
def whole(database: Path) -> Iterator[None]:
    """Hold a SQLite database as its only service: a second one would send everything again.

    Raises: UsageFault if another service holds it.
    """
    descriptor = os.open(database.with_name(f"{database.name}.run"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UsageFault(
            f"Another service runs on {database}, and SQLite carries one: end that one, or use "
            "PostgreSQL for more.",
            NOT_ALLOWED,
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)
