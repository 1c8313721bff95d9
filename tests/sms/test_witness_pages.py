"""What the public page and the machines' page say of the witnesses."""

import json
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.settings import Settings
from journal.journal import Journal
from journal.witnessing import Witnessing
from sms import health, status
from tests.journal.bodies import Bodies, gather
from tests.sms.gateway import Gateway
from tests.sms.public import BROWSER

MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def bodies(sqlite_gateway: Gateway, tmp_path: Path) -> Bodies:
    """Three bodies of which two are a quorum."""
    journal = sqlite_gateway.journal
    return gather(tmp_path / "bodies", journal.verifier_key, sqlite_gateway.clock)


@pytest.fixture
def pages(
    sqlite_gateway: Gateway, bodies: Bodies, keys_dir: Path, tmp_path: Path
) -> Iterator[FlaskClient]:
    """The pages of a gateway that goes by the policy of these bodies."""
    gateway = sqlite_gateway
    journal = Journal.open(
        gateway.database, gateway.keyring, keys_dir, gateway.state_dir, gateway.journal.origin,
        gateway.clock, bodies.policy,
    )  # fmt: skip
    yield client(gateway, journal, tmp_path)
    journal.close()


def client(gateway: Gateway, journal: Journal, state_dir: Path) -> FlaskClient:
    settings = Settings.from_env({"TRADAN_STATE_DIR": str(state_dir)})
    database, clock = gateway.database, gateway.clock
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(status.make_blueprint(settings, database, gateway.links, journal, clock))
    app.register_blueprint(health.make_blueprint(database, journal, clock, with_metrics=False))
    return app.test_client()


def push(gateway: Gateway, bodies: Bodies) -> None:
    Witnessing(gateway.database, bodies.policy, gateway.clock, bodies.post).push()


def read(pages: FlaskClient, address: str) -> Any:  # noqa: ANN401 (JSON is of any shape)
    return json.loads(pages.get(address).data)


def page(pages: FlaskClient) -> str:
    return unescape(pages.get("/status", headers={"Accept": BROWSER}).text)


def test_both_pages_tell_of_a_quorum_its_lateness_and_its_lack(
    pages: FlaskClient, sqlite_gateway: Gateway, bodies: Bodies
) -> None:
    gateway, told = sqlite_gateway, []
    before = read(pages, "/status")["journal"], page(pages)
    push(gateway, bodies)
    shown = page(pages)
    for step in (timedelta(), 11 * MINUTES, 4 * HOURS):
        gateway.clock.advance(step)
        ready, public = read(pages, "/readyz"), read(pages, "/status")
        told.append((ready["warnings"], ready["checks"]["journal"], public["state"]))
    late = page(pages)

    assert (before[0]["witnessed_at"], before[0]["witnessed_by"]) == (None, [])
    assert "Chưa đủ nhân chứng xác nhận" in before[1]
    assert told == [
        ([], True, "running"), (["witnesses"], True, "running"), (["witnesses"], False, "stopped"),
    ]  # fmt: skip
    log = read(pages, "/status")["journal"]
    assert log["witnessed_at"] == "2026-03-02T05:00:00+00:00"
    assert (log["witnessed_size"], len(log["witnessed_by"])) == (2, 3)
    assert "Nhân chứng xác nhận lúc" in shown
    assert "2 mục; a.example/w, b.example/w, c.example/w" in shown
    assert "đã quá lâu" in late
    assert "đã quá lâu" not in shown


def test_without_a_policy_nothing_is_said_of_witnesses(
    sqlite_gateway: Gateway, tmp_path: Path
) -> None:
    pages = client(sqlite_gateway, sqlite_gateway.journal, tmp_path)

    assert "Nhân chứng" not in page(pages)
    assert read(pages, "/readyz")["warnings"] == []
