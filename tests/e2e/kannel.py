"""Debian's Kannel, started with the file of settings that its page in the documents shows."""

import os
import re
import shutil
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs import pages
from tests.e2e.harness import Deployment
from tests.e2e.listener import free_port
from tests.e2e.waiting import PATIENCE, until

PAGE = pages.ROOT / "docs/operators/kannel.md"
NAME, PASSWORD = "tradan", "a-long-password-of-ours"
_PATHS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/lib/kannel/test"))
_GOT = re.compile(r"Got message [0-9]+: <(\S+) (\S+) text (.*?)>$", re.MULTILINE | re.DOTALL)
_POSTED = re.compile(r"Parsing URL `[^']*/inbound/[^']*\?id=([0-9a-f-]{36})")
Group = dict[str, str]


def program(name: str) -> str:
    """Return the path of one of Kannel's programs; skip where it is not installed."""
    found = shutil.which(name, path=_PATHS)
    if found is None:
        pytest.skip(
            f"no {name} here, so nothing was tried behind Kannel: `make kannel` installs it"
        )
    return found


def groups() -> dict[str, Group]:
    """Read the groups of the page's file, each by its name."""
    (text,) = pages.fenced(PAGE, "ini")
    read = [dict(line.split(" = ", 1) for line in part.splitlines()) for part in text.split("\n\n")]
    return {group["group"]: group for group in read}


@dataclass(slots=True)
class Kannel:
    """One bearerbox and its smsbox, with one SMSC, and the link of a service to it."""

    folder: Path
    smsc: Group
    changes: dict[str, Group] = field(default_factory=dict)
    sendsms_port: int = field(default_factory=free_port)
    code: str = "vinaphone"
    _core_port: int = field(default_factory=free_port)
    _admin_port: int = field(default_factory=free_port)
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def link(self, service: Deployment, code: str, *, through: int | None = None) -> None:
        """Have a service know this Kannel, and this Kannel where to find it."""
        self.code = code
        base = f"http://127.0.0.1:{through or service.port}"
        added = service.read(
            "operator", "add", code, "--kind", "kannel", "--username", NAME,
            "--password-file", str(service.secret_file(PASSWORD)),
            "--send-url", f"http://127.0.0.1:{self.sendsms_port}/cgi-bin/sendsms",
            "--callback-url", base,
        )  # fmt: skip
        self._write(f"{base}{added['webhook_path']}?id=%I&time=%T&charset=%C")

    def start(self) -> None:
        """Start both boxes, and wait until smsbox takes replies."""
        self._start("bearerbox")
        until(lambda: _listens(self._core_port), "bearerbox listens")
        self.start_smsbox()

    def start_smsbox(self) -> None:
        """Start smsbox, and wait until it takes replies."""
        self._start("smsbox")
        until(lambda: _listens(self.sendsms_port), "smsbox listens")
        until(lambda: "Connected to bearerbox" in self.log, "smsbox has found bearerbox")

    def kill_smsbox(self) -> None:
        """End smsbox without warning."""
        process = self._processes.pop("smsbox")
        process.kill()
        process.wait()

    def close(self) -> None:
        """End whatever runs."""
        # Asked to end, bearerbox waits for whatever it still has.
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()

    @property
    def log(self) -> str:
        """All that smsbox has written down."""
        with suppress(FileNotFoundError):
            return (self.folder / "smsbox.log").read_text(errors="backslashreplace")
        return ""

    def posted(self) -> list[str]:
        """Return the id of each message that smsbox has posted, as often as it did."""
        return _POSTED.findall(self.log)

    def _write(self, post_url: str) -> None:
        spool = self.folder / "dlr"
        spool.mkdir(exist_ok=True)
        ours: dict[str, Group] = {
            "core": {
                "admin-port": str(self._admin_port),
                "smsbox-port": str(self._core_port),
                "store-location": f'"{self.folder}/kannel.store"',
                "dlr-spool": f'"{spool}"',
                "log-file": f'"{self.folder}/bearerbox.log"',
            },
            "smsbox": {
                "sendsms-port": str(self.sendsms_port),
                "http-queue-delay": "1",
                "log-file": f'"{self.folder}/smsbox.log"',
                # The ids of messages are read from it.
                "log-level": "0",
            },
            "sms-service": {"post-url": f'"{post_url}"'},
            "sendsms-user": {"password": f'"{PASSWORD}"'},
        }
        told = groups()
        for group, changes in [*ours.items(), *self.changes.items()]:
            assert changes.keys() <= told[group].keys(), f"the page's {group} is not like that"
            told[group] |= changes
        told["smsc"] = {"group": "smsc", **self.smsc, "smsc-id": told["smsc"]["smsc-id"]}
        parts = ("\n".join(f"{k} = {v}" for k, v in group.items()) for group in told.values())
        (self.folder / "kannel.conf").write_text("\n\n".join(parts) + "\n")

    def _start(self, name: str) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            self._processes[name] = subprocess.Popen(
                [program(name), "-v", "4", "kannel.conf"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )


@dataclass(slots=True)
class Handset:
    """A telephone behind `smsc = fake`: a message sent by Kannel's fakesmsc, and what came back."""

    port: int
    folder: Path

    def ask(self, sender: str, text: str) -> str:
        """Send one text and return the first that comes back to the sender."""
        return self.texts(sender, text)[0]

    def texts(self, sender: str, text: str, within: float = PATIENCE) -> list[str]:
        """Send one text, and return what has come back to the sender once something has."""
        said = self.folder / "fakesmsc.out"
        message = f"{sender.lstrip('+')} 1414 text {text}"
        with said.open("wb") as out:
            process = subprocess.Popen(
                [program("fakesmsc"), "-H", "127.0.0.1", "-r", str(self.port), "-i", "0", "-m", "1",
                 "-v", "1", message],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:

            def come() -> list[str]:
                found = _GOT.findall(said.read_text(errors="backslashreplace"))
                return [text for _, to, text in found if to.lstrip("+") == sender.lstrip("+")]

            return until(come, f"a text to {sender}", within=within)
        finally:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
