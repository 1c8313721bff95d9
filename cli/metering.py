"""Where a deployment's processes keep what they count, so that one page shows all of it."""

import os
import shutil
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.settings import Settings

# The library reads this name when it is first imported, and counts in files of that folder.
_SHARED = "PROMETHEUS_MULTIPROC_DIR"
_FOLDER = "metrics"


def share(settings: "Settings", environ: MutableMapping[str, str]) -> Path | None:
    """Let this process and its children count together; call before anything is counted.

    Shape: the folder to remove at the end, None where one process counts alone or a parent shares.
    """
    if settings.database_url.get_backend_name() == "sqlite" or _SHARED in environ:
        return None
    home = settings.state_dir / _FOLDER
    for old in home.glob("*"):
        if not Path(f"/proc/{old.name}").exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = home / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    environ[_SHARED] = str(folder)
    return folder


def apart(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child that is not to count with this deployment."""
    return {name: value for name, value in environ.items() if name != _SHARED}


def serve(settings: "Settings") -> None:
    """Answer for metrics on their own address, where one is set."""
    if settings.metrics_bind is None:
        return
    from prometheus_client import start_http_server

    from sms.health import registry

    # Another process of this deployment on this machine may answer there already.
    with suppress(OSError):
        start_http_server(settings.metrics_bind.port, settings.metrics_bind.host, registry())
