"""Signatures that are not of our making: by the Python library, and by npm's where Node is."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.e2e import wire
from tests.e2e.links import HttpLink, envelope, message
from tests.e2e.people import Person

PACKAGE = "standardwebhooks@1.0.0"
SCRIPT = """
const { Webhook } = require("standardwebhooks");
const { secret, id, timestamp, body, headers } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const webhook = new Webhook(secret);
if (headers) webhook.verify(body, headers);  // throws unless genuine
console.log(webhook.sign(id, new Date(timestamp * 1000), body));
"""


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """A folder outside this tree with the npm package, installed once and kept."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no Node here: npm's standardwebhooks was not tried")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "tradan-tests" / PACKAGE
    if not (folder / "node_modules" / "standardwebhooks").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
        done = subprocess.run(
            [*install, PACKAGE], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"npm could not install {PACKAGE}: {done.stderr.strip()[-200:]}")
    return folder / "node_modules"


def node(node_modules: Path, **given: Any) -> str:  # noqa: ANN401 (any JSON)
    """Verify and sign with npm's implementation."""
    done = subprocess.run(
        ["node", "-e", SCRIPT],
        env={"PATH": os.environ["PATH"], "NODE_PATH": str(node_modules)},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def post(link: HttpLink, body: bytes, event_id: str, at: int, signature: str) -> wire.Response:
    """Send *body* under a signature that was made elsewhere."""
    headers = [
        ("Content-Type", wire.JSON),
        ("webhook-id", event_id),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", signature),
    ]
    return wire.request(link.port, "POST", link.path, body, headers)


def test_what_the_python_library_signs_goes_through(telco: HttpLink, person: Person) -> None:
    data = message(person.phone, "trợ giúp")
    body, now = envelope(data), datetime.now(UTC)
    signature = Webhook(telco.operator.secret).sign("evt_python", now, body.decode())

    answer = post(telco, body, "evt_python", int(now.timestamp()), signature)

    assert (answer.status, answer.document) == (202, {"id": data["id"]})
    assert telco.operator.reply_to(data["id"]).verified


def test_what_npm_signs_goes_through_and_npm_verifies_the_reply(
    node_modules: Path, telco: HttpLink, person: Person
) -> None:
    data = message(person.phone, f"DC {person.personal_id}")
    body, at = envelope(data), int(datetime.now(UTC).timestamp())
    secret = telco.operator.secret
    signature = node(node_modules, secret=secret, id="evt_npm", timestamp=at, body=body.decode())

    answer = post(telco, body, "evt_npm", at, signature)
    reply = telco.operator.reply_to(data["id"])
    signed_again = node(
        node_modules,
        secret=secret,
        id=reply.headers["webhook-id"],
        timestamp=int(reply.headers["webhook-timestamp"]),
        body=reply.body.decode(),
        headers={name: value for name, value in reply.headers.items() if "webhook" in name},
    )

    assert (answer.status, answer.document) == (202, {"id": data["id"]})
    assert signed_again in reply.headers["webhook-signature"].split(" ")
