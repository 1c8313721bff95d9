"""A console over a real database, and officers who are logged in to it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache

from cli import vendored
from console import web
from console.access import invitations, officers
from console.access.invitations import InvitationKind
from console.access.meter import Cap
from console.access.officers import Officer
from console.access.roles import Role
from console.errors import OverCapError
from console.guard import Guard
from core.db import Database
from core.keyring import Keyring
from core.settings import Settings
from journal.journal import Journal
from sms.links.registry import LinkRegistry
from tests.fakes import FixedClock
from tests.sms.gateway import Gateway, opened

FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


@dataclass(slots=True)
class House:
    """A deployment with a console."""

    gateway: Gateway
    settings: Settings
    clock: FixedClock
    app: Flask = field(init=False)
    guard: Guard = field(init=False)

    @property
    def database(self) -> Database:
        return self.gateway.database

    @property
    def keyring(self) -> Keyring:
        return self.gateway.keyring

    @property
    def journal(self) -> Journal:
        return self.gateway.journal

    @property
    def links(self) -> LinkRegistry:
        return self.gateway.links

    def ask(self, sender: str | None, text: str) -> str:
        """Send a message as a citizen does and return the text of the reply."""
        self.gateway.send(sender, text)
        self.gateway.handle()
        # Who seals is another thread: a reply leaves a moment after.
        for _ in range(500):
            told = self.gateway.outbox()
            if told:
                return told[0].text
            threading.Event().wait(0.01)
        raise AssertionError("no reply left")

    def officer(self, name: str, *roles: Role) -> Officer:
        """Add an officer."""
        now = self.clock.now()
        return self.database.write(lambda s: officers.add(s, name, name.title(), roles, now))

    def invited(self, officer: Officer, kind: InvitationKind) -> str:
        """Invite an officer and return the token."""
        now = self.clock.now()
        return self.database.write(
            lambda s: invitations.invite(s, officer, kind, self.keyring, now)
        )

    def entered(self, name: str, *roles: Role) -> "Visit":
        """Log a new officer in."""
        self.officer(name, *roles)
        return self.entered_again(Visit(self, self.app.test_client(), name))

    def entered_again(self, visit: "Visit") -> "Visit":
        """Log an officer in whose session is over."""
        token = self.invited(visit.officer(), InvitationKind.ENTER)
        visit.client.post(f"/console/invitation/{token}", headers=FROM_HERE)
        return visit

    def spend(self, officer: Officer, cap: Cap, amount: int = 1) -> None:
        """Count what an officer has looked at."""
        self.guard._desk.meter.spend(officer, cap, amount)

    def is_refused(self, officer: Officer, cap: Cap) -> bool:
        """Tell whether one more is too much."""
        try:
            self.spend(officer, cap)
        except OverCapError:
            return True
        return False


@dataclass(slots=True)
class Visit:
    """A browser that an officer uses."""

    house: House
    client: FlaskClient
    name: str = ""

    def officer(self) -> Officer:
        """Return the officer whose browser it is."""
        return self.house.database.read(lambda s: officers.by_name(s, self.name))

    @property
    def form_token(self) -> str:
        """Return what the forms of this session carry."""
        with self.client:
            self.client.get("/console/control")
            return self.house.guard.token_against_forgery()

    def post(self, path: str, **form: str) -> tuple[int, str]:
        """Send a form as the page would; return status and where it leads."""
        answer = self.client.post(
            path, data={"form_token": self.form_token, **form}, headers=FROM_HERE
        )
        return answer.status_code, answer.headers.get("Location", "")

    def get(self, path: str) -> tuple[int, str]:
        """Open a page; return status and text."""
        answer = self.client.get(path)
        return answer.status_code, answer.get_data(as_text=True)


@contextmanager
def sealing(gateway: Gateway) -> Iterator[None]:
    """Seal what waits, as a worker beside the console does."""
    over = threading.Event()

    def seal() -> None:
        while not over.wait(0.01):
            gateway.seal()

    thread = threading.Thread(target=seal)
    if gateway.database.dialect == "postgresql":
        thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.is_alive():
            thread.join()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Keep templates once compiled: to compile them takes longer than to fill them."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def house(
    database: Database,
    keyring: Keyring,
    keys_dir: Path,
    tmp_path: Path,
    clock: FixedClock,
    compiled: FileSystemBytecodeCache,
) -> Iterator[House]:
    """Make a deployment with a console; on PostgreSQL entries are sealed as soon as written."""
    with opened(database, keyring, keys_dir, tmp_path / "state-of-house", clock) as gateway:
        environ = {"TRADAN_STATE_DIR": str(gateway.state_dir), "TRADAN_MODE": "test"}
        made = House(gateway, Settings.from_env(environ), clock)
        made.app = Flask("console-tests")
        made.app.jinja_env.bytecode_cache = compiled
        made.guard = web.mount(made.app, made)
        vendored.mount(made.app)
        with sealing(gateway):
            yield made


@pytest.fixture
def enter(house: House) -> Callable[..., Visit]:
    """Log officers in by name and roles."""
    return house.entered
