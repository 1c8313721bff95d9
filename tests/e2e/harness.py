"""A service of the tests' own, started and driven as a user does it: by `python app.py VERB`."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests import verbs
from tests.e2e import wire
from tests.e2e.fake_operator import FakeOperator
from tests.e2e.fake_twilio import FakeTwilio
from tests.e2e.links import SHORT_CODE, HttpLink, TwilioLink
from tests.e2e.listener import free_port
from tests.e2e.people import People, Person, write_csv
from tests.e2e.waiting import until

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_URL = "https://sms.tradan.example"
OFFICER = "Le Thi Thu Canh, 0240000000"
LEGAL_BASIS = "Luat Can cuoc 26/2023/QH15"
_START_SECONDS = 120.0
_VERB_SECONDS = 120
_ENDS = ("answered", "refused", "expired", "suspended", "quarantined")
_UNSENT = ("None", "queued", "sending")
_DRAIN_SECONDS = 30


@dataclass(slots=True)
class Deployment:
    """A state folder, a database, and the processes that serve them."""

    home: Path
    database_url: str | None = None  # None: the SQLite file of the state folder
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    people: People = field(default_factory=People)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    http: dict[str, HttpLink] = field(default_factory=dict)
    twilio: dict[str, TwilioLink] = field(default_factory=dict)
    _open: list[FakeOperator | FakeTwilio] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Return the kind of database."""
        return "postgresql" if self.database_url else "sqlite"

    @property
    def state_dir(self) -> Path:
        """Return the state folder."""
        return self.home / "state"

    @property
    def keys_dir(self) -> Path:
        """Return the folder of the key files."""
        return self.state_dir / "keys"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of every process: nothing is inherited but the way to programs."""
        settings = {
            "STATE_DIR": str(self.state_dir),
            "BIND": f"127.0.0.1:{self.port}",
            "PUBLIC_URL": PUBLIC_URL,
            "SHORT_CODE": SHORT_CODE,
            "CONTACT_OFFICER": OFFICER,
            "LEGAL_BASIS": LEGAL_BASIS,
            "MODE": "test",
            **({"DATABASE_URL": self.database_url} if self.database_url else {}),
            **self.settings,
        }
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **inherited,
            "LANG": "C.UTF-8",
            **{f"TRADAN_{name}": value for name, value in settings.items()},
        }

    @property
    def log(self) -> str:
        """Return all that the serving processes have said so far."""
        return "".join(
            path.read_text(errors="backslashreplace") for path in sorted(self.home.glob("run.*"))
        )

    def cli(self, *words: str, seconds: float = _VERB_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run one verb to its end."""
        return verbs.run(words, environ=self.environment, seconds=seconds)

    def do(self, *words: str) -> str:
        """Run one verb that must succeed, and return its data."""
        done = self.cli(*words)
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def read(self, *words: str) -> dict[str, Any]:
        """Run one verb that must succeed, and return its JSON."""
        document: dict[str, Any] = json.loads(self.do(*words, "--json"))
        return document

    def start(self, *flags: str, ready: str | None = "/readyz") -> subprocess.Popen[bytes]:
        """Start `run` in a process group of its own and wait until the page *ready* says so."""
        number = len(self.processes)
        with self._file(number, "out") as out, self._file(number, "err") as err:
            process = subprocess.Popen(
                [sys.executable, "app.py", "run", *flags],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.processes.append(process)
        if ready:
            what = f"{ready} of the started service"
            until(lambda: self._answers(process, ready), what, within=_START_SECONDS)
        return process

    def stop(self) -> list[int]:
        """Ask every process to end, in order of its start, and return their exit codes."""
        codes = []
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                codes.append(process.wait(_DRAIN_SECONDS))
        return codes

    def kill(self, process: subprocess.Popen[bytes], *, group: bool) -> None:
        """End a process, or its whole group, without warning, and wait until the port is free."""
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        until(lambda: not self._listens(), "the killed service gives its port back")

    def close(self) -> None:
        """End whatever still runs."""
        for process in self.processes:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for fake in self._open:
            fake.close()

    def operator(self, *, is_open: bool = True) -> FakeOperator:
        """Make an operator that ends with this deployment."""
        made = FakeOperator(is_open=is_open)
        self._open.append(made)
        return made

    def add_http(self, code: str, *options: str, operator: FakeOperator | None = None) -> HttpLink:
        """Add a link of the kind `http`."""
        operator = operator or self.operator()
        kind = ("--kind", "http", "--send-url", operator.send_url)
        file = self.secret_file(operator.secret)
        added = self.read("operator", "add", code, *kind, "--secret-file", str(file), *options)
        assert added["code"] == code
        self.http[code] = HttpLink(code, self.port, str(added["webhook_path"]), operator)
        return self.http[code]

    def add_twilio(self, code: str, *options: str) -> TwilioLink:
        """Add a link of the kind `twilio`."""
        twilio = FakeTwilio()
        self._open.append(twilio)
        kind = ("--kind", "twilio", "--account-sid", twilio.account_sid, "--from", twilio.number)
        token = ("--token-file", str(self.secret_file(twilio.token)), "--api-url", twilio.api_url)
        added = self.read("operator", "add", code, *kind, *token, *options)
        path = str(added["webhook_path"])
        self.twilio[code] = TwilioLink(code, self.port, path, PUBLIC_URL, twilio)
        return self.twilio[code]

    def secret_file(self, secret: str) -> Path:
        """Write a secret where only its owner reads it."""
        path = self.home / f"secret-{secrets.token_hex(4)}"
        path.touch(mode=0o600)
        path.write_text(f"{secret}\n")
        return path

    def import_people(self, *people: Person, options: tuple[str, ...] = ()) -> None:
        """Import *people*, all of whom must go in."""
        path = self.home / f"people-{secrets.token_hex(4)}.csv"
        self.do("import", "people", str(write_csv(path, people)), *options)

    def new_person(self, **changes: str) -> Person:
        """Make a person and import them."""
        person = self.people.make(**changes)
        self.import_people(person)
        return person

    def report(self, link: HttpLink | TwilioLink, message_id: str) -> dict[str, Any]:
        """Return what became of a message, by the operator's own id."""
        return self.read("operator", "report", link.code, message_id)

    def until_handled(self, link: HttpLink | TwilioLink, message_id: str) -> str:
        """Wait until a message has come to its end, and return its state."""

        def end() -> str | None:
            state = str(self.report(link, message_id)["state"])
            return state if state in _ENDS else None

        return str(until(end, "the end of the message"))

    def until_sent(self, link: HttpLink | TwilioLink, message_id: str) -> str:
        """Wait until nothing more will be done for the reply to a message; return its state."""

        def end() -> str | None:
            state = str(self.report(link, message_id)["reply_state"])
            return None if state in _UNSENT else state

        return str(until(end, "the end of the reply"))

    def reply_class(self, link: HttpLink | TwilioLink, message_id: str) -> str:
        """Return the name of the reply that a message got."""
        return str(self.report(link, message_id)["reply"]).upper()

    def journal_size(self) -> int:
        """Return the number of sealed entries."""
        return int(self.read("journal", "head")["size"])

    def get(self, path: str, *, accept: str = "*/*") -> wire.Response:
        """Read one page."""
        return wire.get(self.port, path, accept=accept)

    def _file(self, number: int, name: str) -> IO[bytes]:
        return (self.home / f"run.{number:02d}.{name}").open("wb")

    def _answers(self, process: subprocess.Popen[bytes], page: str) -> bool:
        assert process.poll() is None, f"`run` ended with {process.returncode}: {self.log}"
        with suppress(OSError):
            return self.get(page).status == 200
        return False

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
