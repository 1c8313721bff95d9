"""An SMSC that nobody here wrote: npm's `smpp`, in a Node process that tests tell what to do."""

import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmark import smsc_package
from benchmark.errors import NoSmscError
from benchmark.smsc_package import PACKAGE
from tests.e2e.listener import free_port

SYSTEM_ID = "tradan"
PASSWORD = "s3cret"
SHORT_CODE = "1414"
_SCRIPT = Path(__file__).with_name("smsc.js")
_WAIT_SECONDS = 20.0
Event = dict[str, Any]


def install(config: pytest.Config) -> Path:
    """Return a folder with the package, installed once and kept; skip where there is no Node."""
    try:
        return smsc_package.installed(config.cache.mkdir(PACKAGE.replace("@", "-")))
    except NoSmscError as error:
        pytest.skip(f"nothing was tried against npm's smpp: {error}")


class Smsc:
    """One SMSC, and what has happened to it so far."""

    def __init__(
        self, folder: Path, *, key: str = "", cert: str = "", port: int | None = None
    ) -> None:
        self.port = port or free_port()
        self.events: list[Event] = []
        self._came = threading.Condition()
        told = {"port": self.port, "key": key, "cert": cert}
        self._process = subprocess.Popen(
            ["node", str(_SCRIPT), json.dumps(told)],
            cwd=folder,
            env={"NODE_PATH": str(folder / "node_modules"), "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.wait("listening")

    def tell(self, **command: object) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def behave(self, **mode: str | float) -> None:
        """Change how it answers from now on."""
        count = len(self.of("mode"))
        self.tell(do="mode", mode=mode)
        self.wait("mode", count + 1)

    def deliver(self, *all_of_them: Mapping[str, Any]) -> None:
        """Deliver these without waiting for answers, named by their place or their `name`."""
        named = [
            {"name": one.get("name", place), "pdu": {k: v for k, v in one.items() if k != "name"}}
            for place, one in enumerate(all_of_them)
        ]
        self.tell(do="deliver", all=named)

    def of(self, kind: str) -> list[Event]:
        """Return what has happened of one kind."""
        with self._came:
            return [event for event in self.events if event["event"] == kind]

    def wait(self, kind: str, count: int = 1, within: float = _WAIT_SECONDS) -> Sequence[Event]:
        """Wait until so much of a kind has happened, and return it."""
        gives_up_at = time.monotonic() + within
        with self._came:
            while True:
                found = [event for event in self.events if event["event"] == kind]
                if len(found) >= count:
                    return found
                left = gives_up_at - time.monotonic()
                assert left > 0, f"{len(found)} of {count} {kind}: {self.events[-8:]}"
                self._came.wait(left)

    def statuses(self, count: int, within: float = _WAIT_SECONDS) -> dict[Any, int]:
        """Wait for so many answers to what was delivered, and return them by name."""
        return {e["name"]: e["status"] for e in self.wait("answer", count, within)}

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                with self._came:
                    self.events.append(json.loads(line))
                    self._came.notify_all()
        except ValueError:
            return  # closed meanwhile


def mo(sender: str, text: str, **changes: object) -> dict[str, Any]:
    """Write the deliver_sm of a citizen's message."""
    return {
        "source_addr": sender.lstrip("+"),
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "destination_addr": SHORT_CODE,
        "short_message": {"hex": text.encode("latin-1").hex()},
        "data_coding": 3,
        **changes,
    }
