"""What a deployment may choose, read once from the environment; secrets are files, not settings."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import sqlalchemy as sa

from core.databases import database_url
from core.errors import SettingsError

T = TypeVar("T")

PREFIX = "TRADAN_"
_LIFE_RANGE = (120, 600)
_LIFE_RANGE_IN_TESTS = (5, 600)
_SPACING_RANGE = (0, 600)
_REQUESTS_RANGE = (30, 600)
_BUDGET_RANGE = (1_000, 1_000_000_000_000)
_HIGHEST_PORT = 65535


class Mode(StrEnum):
    """What the deployment is for: real citizens, or made-up ones."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


class Route(StrEnum):
    """Whose word a citizen's request comes by (ADR 0029).

    `inbound` is any operator's; `serving` only the one's that serves the number.
    """

    INBOUND = "inbound"
    SERVING = "serving"


class PinProfile(StrEnum):
    """The cost of a PIN's Argon2id hash (ADR 0005)."""

    STANDARD = "standard"
    OWASP = "owasp"


@dataclass(frozen=True, slots=True)
class Bind:
    """An address to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write it as it is given on the command line."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the environment decides."""

    state_dir: Path
    keys_dir: Path
    database_url: sa.URL
    bind: Bind
    public_url: str
    short_code: str | None
    pin_life: timedelta
    pin_spacing: timedelta
    pin_profile: PinProfile
    route: Route
    metrics_bind: Bind | None
    contact_officer: str | None
    legal_basis: str | None
    witness_policy: Path | None
    console_requests_per_minute: int
    budget_hour_dong: int
    budget_day_dong: int
    budget_operator_hour_dong: int
    budget_operator_day_dong: int
    mode: Mode

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises: SettingsError naming every fault at once.
        """
        reader = _Reader(environ)
        mode = reader.take("MODE", Mode, Mode.PRODUCTION, "production, demo or test")
        state_dir = Path(reader.text("STATE_DIR") or "var")
        bind = reader.take("BIND", bind_of, Bind("127.0.0.1", 8000), "HOST:PORT")
        settings = cls(
            state_dir=state_dir,
            keys_dir=Path(reader.text("KEYS_DIR") or state_dir / "keys"),
            database_url=reader.database(state_dir),
            bind=bind,
            public_url=reader.take(
                "PUBLIC_URL", public_url, f"http://{bind}", "https://HOST (http:// for loopback)"
            ),
            short_code=reader.take("SHORT_CODE", _short_code, None, "3 to 15 digits, or +digits"),
            pin_life=reader.seconds("PIN_LIFE_SECONDS", 300, _life_range(mode)),
            pin_spacing=reader.seconds("PIN_SPACING_SECONDS", 60, _SPACING_RANGE),
            pin_profile=reader.take(
                "PIN_PROFILE", PinProfile, PinProfile.STANDARD, "standard or owasp"
            ),
            route=reader.take("ROUTE", Route, Route.INBOUND, "inbound or serving"),
            metrics_bind=reader.take("METRICS_BIND", bind_of, None, "HOST:PORT"),
            contact_officer=reader.text("CONTACT_OFFICER"),
            legal_basis=reader.text("LEGAL_BASIS"),
            witness_policy=reader.take("WITNESS_POLICY", Path, None, "the path of a file"),
            console_requests_per_minute=reader.number(
                "CONSOLE_REQUESTS_PER_MINUTE", 60, _REQUESTS_RANGE, "a whole number"
            ),
            budget_hour_dong=reader.dong("BUDGET_HOUR_DONG", 50_000_000),
            budget_day_dong=reader.dong("BUDGET_DAY_DONG", 500_000_000),
            budget_operator_hour_dong=reader.dong("BUDGET_OPERATOR_HOUR_DONG", 30_000_000),
            budget_operator_day_dong=reader.dong("BUDGET_OPERATOR_DAY_DONG", 300_000_000),
            mode=mode,
        )
        if reader.faults:
            raise SettingsError(reader.faults)
        return settings


class _Reader:
    """Takes values one by one and remembers what was wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str) -> str | None:
        return self._environ.get(PREFIX + name, "").strip() or None

    def take(self, name: str, read: Callable[[str], T], default: T, wanted: str) -> T:
        text = self.text(name)
        if text is None:
            return default
        try:
            return read(text)
        except ValueError:
            self.faults.append(f"{PREFIX}{name} must be {wanted}")
            return default

    def seconds(self, name: str, default: int, allowed: tuple[int, int]) -> timedelta:
        found = self.number(name, default, allowed, "a whole number of seconds")
        return timedelta(seconds=found)

    def dong(self, name: str, default: int) -> int:
        return self.number(name, default, _BUDGET_RANGE, "a whole number of dong")

    def number(self, name: str, default: int, allowed: tuple[int, int], what: str) -> int:
        low, high = allowed

        def read(text: str) -> int:
            if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
                raise ValueError
            return int(text)

        return self.take(name, read, default, f"{what} from {low} to {high}")

    def database(self, state_dir: Path) -> sa.URL:
        try:
            return database_url(self.text("DATABASE_URL") or "tradan.db", state_dir)
        except SettingsError as error:
            self.faults.extend(error.faults)
            return sa.URL.create("sqlite")


def public_url(text: str) -> str:
    """Check a URL that others reach us at, or we them: https, or http on loopback alone.

    Raises: ValueError.
    """
    parts = urlsplit(text)
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not (parts.scheme == "https" or plain) or not parts.hostname:
        raise ValueError
    if parts.query or parts.fragment or "@" in parts.netloc or parts.port == 0:
        raise ValueError
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether *host* can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind_of(text: str) -> Bind:
    """Read an address to listen on.

    Raises: ValueError.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > _HIGHEST_PORT:
        raise ValueError
    return Bind(host, int(port))


def _life_range(mode: Mode) -> tuple[int, int]:
    return _LIFE_RANGE if mode is Mode.PRODUCTION else _LIFE_RANGE_IN_TESTS


def _short_code(text: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{3,15}", text):
        raise ValueError
    return text
