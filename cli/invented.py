"""What is played with made-up people: only where nobody real is served, by one at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli import sandbox
from cli.context import Service
from cli.exits import NOT_ALLOWED, UNAVAILABLE, UsageFault

if TYPE_CHECKING:
    from core.settings import Mode

# Until every process of the service has seen a link that was changed.
READ_AGAIN_SECONDS = 1.2


def demonstration(service: Service, what: str, *modes: "Mode") -> Service:
    """Return the deployment to play with: that of the environment, or `demo`'s own.

    Raises: UsageFault where real citizens are served.
    """
    if service.settings.mode in modes:
        return service
    if not (sandbox.HOME / "keys").is_dir():
        raise UsageFault(
            f"{what} in a demonstration only, and there is none here: "
            "run `python app.py demo` in another terminal first.",
            NOT_ALLOWED,
        )
    port = urlsplit(sandbox.url_of(sandbox.HOME) or "").port or sandbox.PORT
    return sandbox.service_of(sandbox.HOME, port)


def gateway_of(service: Service, url: str | None) -> str:
    """Return where the running service is, unless it is told.

    Raises: UsageFault if nothing answers there.
    """
    import urllib3

    settings = service.settings
    gateway = url or sandbox.url_of(settings.state_dir) or settings.public_url
    try:
        urllib3.PoolManager(retries=False, timeout=3).request("GET", f"{gateway}/healthz")
    except urllib3.exceptions.HTTPError as error:
        raise UsageFault(
            f"Nothing answers at {gateway}: start the service with `python app.py demo`, "
            "or say with --url where it is.",
            UNAVAILABLE,
        ) from error
    return gateway


@contextmanager
def alone(state_dir: Path, name: str, fault: str) -> Iterator[None]:
    """Keep a second one from taking the first one's network.

    Raises: UsageFault with *fault* if there is a first one.
    """
    folder = state_dir / "phone"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageFault(fault, NOT_ALLOWED) from error
        yield
