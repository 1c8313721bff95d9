"""The phones of the tests, with a gateway that is played: see played.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from cli import vendored
from core.clock import SystemClock
from phone.desk import Desk
from phone.links import LinkFolder
from phone.mailbox import Mailbox
from phone.network import Network
from phone.web import make_blueprint
from tests.phone.played import LINK, PlayedGateway, serving


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """The phones' memory, empty."""
    made = Mailbox(tmp_path / "phone" / "mailbox.db")
    yield made
    made.close()


@pytest.fixture
def gateway() -> PlayedGateway:
    """A gateway that nobody has written to."""
    return PlayedGateway()


@pytest.fixture
def desk(tmp_path: Path, mailbox: Mailbox, gateway: PlayedGateway) -> Desk:
    """A desk with one network, whose gateway is not reached yet."""
    folder = LinkFolder(tmp_path / "phone" / "networks")
    folder.keep(LINK)
    return Desk(
        observer=gateway,
        mailbox=mailbox,
        folder=folder,
        gateway="http://127.0.0.1:9",
        short_code="12345",
        clock=SystemClock(),
    )


@pytest.fixture
def app(desk: Desk, gateway: PlayedGateway) -> Flask:
    """The page and the played gateway in one application, as they are in the service."""
    made = Flask("phone-tests")
    made.register_blueprint(make_blueprint(desk))
    vendored.mount(made)
    made.add_url_rule(LINK.webhook_path, "receive", gateway.receive, methods=["POST"])
    return made


@pytest.fixture
def url(app: Flask, desk: Desk, gateway: PlayedGateway) -> Iterator[str]:
    """The application on a real socket."""
    with serving(app) as url:
        desk.gateway = url
        gateway.mt_url = f"{url}/phone/mt/{LINK.code}"
        yield url
        desk.close()
        gateway.finish()


@pytest.fixture
def network(url: str, desk: Desk) -> Network:
    """The network, in reach of its gateway."""
    return desk.networks()[LINK.code]
