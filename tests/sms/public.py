"""The public page of a deployment that the tests shape."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from billing import tariffs
from core.clock import vietnam_day
from core.db import Database
from core.keyring import Keyring
from core.settings import Settings
from journal.journal import Journal
from records import stops
from records.stops import Order, Scope, StopReason
from sms import status
from sms.links import registry
from sms.links.model import LinkKind
from sms.links.registry import LinkRegistry, NewLink
from tests.fakes import FixedClock

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
OFFICER = "Lê Thị Thu Cảnh <024 0000 0000>"
SECRET = "whsec_" + "A" * 43 + "="


@dataclass
class Public:
    """The public page of a deployment, and what stands behind it."""

    client: FlaskClient
    database: Database
    keyring: Keyring
    clock: FixedClock
    state_dir: Path

    def get(self, address: str = "/status", accept: str | None = "*/*") -> TestResponse:
        return self.client.get(address, headers={"Accept": accept} if accept else {})

    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.get().data)
        return document

    def page(self, address: str = "/status") -> str:
        return unescape(self.get(address, BROWSER).text)

    def add(self, code: str, price: int | None = None, **changes: Any) -> int:  # noqa: ANN401 (any of NewLink's)
        new = NewLink(code=code, secret=SECRET, **self._kind(changes))
        now = self.clock.now()

        def work(session: sa.orm.Session) -> int:
            link_id = registry.add(session, self.keyring, new, now)
            if price is not None:
                tariffs.set_price(session, new.operator or code, vietnam_day(now), price)
            return link_id

        link_id = self.database.write(work)
        self.clock.advance(timedelta(seconds=2))
        return link_id

    def stop(self, scope: Scope, key: str = "") -> None:
        now = self.clock.now()
        self.database.write(
            lambda s: stops.stop(
                s, Order(scope=scope, key=key, reason=StopReason.SECURITY, by="x"), now
            )
        )

    def _kind(self, changes: dict[str, Any]) -> dict[str, Any]:
        usual = {"kind": LinkKind.HTTP, "url": "https://sms.example/mt", "assessed_by": "console:x"}
        return {**usual, **changes}


def made(
    database: Database,
    keyring: Keyring,
    keys_dir: Path,
    tmp_path: Path,
    clock: FixedClock,
    mode: str,
) -> Iterator[Public]:
    """Make the page of a deployment that runs in *mode*."""
    state_dir = tmp_path / "standing"
    state_dir.mkdir()
    settings = Settings.from_env(
        {
            "TRADAN_MODE": mode,
            "TRADAN_STATE_DIR": str(state_dir),
            "TRADAN_SHORT_CODE": "12345",
            "TRADAN_CONTACT_OFFICER": OFFICER,
            "TRADAN_LEGAL_BASIS": "Luật Căn cước 26/2023/QH15",
        }
    )
    journal = Journal.open(database, keyring, keys_dir, state_dir, "tradan/gateway.example", clock)
    app = Flask(__name__, static_folder=None)
    links = LinkRegistry(database, keyring, clock)
    app.register_blueprint(status.make_blueprint(settings, database, links, journal, clock))
    yield Public(app.test_client(), database, keyring, clock, state_dir)
    journal.close()
