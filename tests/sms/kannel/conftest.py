"""What the tests of Kannel links share: a door with one, spoken to as Kannel's smsbox does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from core.db import Database
from core.keyring import Sealed
from sms import inbound
from sms.inbound import Content
from sms.links import kannel_profile, registry
from sms.links.kannel_profile import Profile
from sms.links.model import Link, LinkKind
from sms.links.registry import NewLink
from sms.tables import INBOUND
from tests.fakes import FixedClock
from tests.sms.door import Door, opened

CODE, PHONE, PASSWORD = "vinaphone", "84912345678", "correct-horse"
TEXT = 'text/plain; charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class Smsbox:
    """Kannel's smsbox, before the door."""

    door: Door
    link: Link

    @property
    def path(self) -> str:
        """Where it brings messages."""
        return self.link.webhook_path

    def get(
        self, path: str | None = None, query: str | None = None, **changes: str | None
    ) -> TestResponse:
        """Bring a message as `get-url` does, but for the changes."""
        return self.door.client.get(f"{path or self.path}?{query or urlencode(message(**changes))}")

    def post(
        self,
        text: bytes = b"HD",
        content_type: str = TEXT,
        headers: Mapping[str, str] | None = None,
        query: str | None = None,
        path: str | None = None,
    ) -> TestResponse:
        """Bring a message as `post-url` does with `send-sender = true`."""
        told = {"x-kannel-from": PHONE, "x-kannel-to": "1414", **(headers or {})}
        return self.door.client.post(
            f"{path or self.path}?{f'id={uuid4()}' if query is None else query}",
            data=text,
            headers={"content-type": content_type, **told},
        )

    def raw(
        self, query: bytes, body: bytes | None = None, content_type: str = TEXT
    ) -> TestResponse:
        """Bring whatever octets, by `get-url` if there is no body."""
        return self.door.client.open(
            self.path,
            method="GET" if body is None else "POST",
            environ_overrides={"QUERY_STRING": query.decode("latin-1")},
            data=body,
            headers={"content-type": content_type},
        )

    def report(self, **said: str) -> TestResponse:
        """Fetch the address of receipts, filled in."""
        return self.door.client.get(f"{self.path.replace('inbound', 'status')}?{urlencode(said)}")

    def contents(self) -> list[Content]:
        """Return what was stored, in its order."""
        keyring = self.door.service.keyring
        return [
            inbound.open_content(keyring, row.id, Sealed(row.key_id, row.blob))
            for row in self.door.database.inner.read(
                lambda s: s.execute(INBOUND.select().order_by(INBOUND.c.id)).all()
            )
        ]


def message(**changes: str | None) -> dict[str, str]:
    """Write what stands in the query of a message, in order but for the changes."""
    written: dict[str, str | None] = {
        "id": str(uuid4()), "from": PHONE, "to": "1414", "text": "HD", "charset": "UTF-8",
    }  # fmt: skip
    written.update({name.rstrip("_"): value for name, value in changes.items()})
    return {name: value for name, value in written.items() if value is not None}


def percent(octets: bytes) -> str:
    """Write octets as Kannel does in an address."""
    return quote(octets, safe="")


@pytest.fixture
def smsbox(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Smsbox]:
    """A smsbox before a door on SQLite."""
    with opened(sqlite_database, keys_dir, tmp_path / "door", clock) as door:
        yield before(door)


@pytest.fixture
def each(database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Smsbox]:
    """A smsbox before a door on each kind of database."""
    with opened(database, keys_dir, tmp_path / "door", clock) as door:
        yield before(door)


def before(door: Door) -> Smsbox:
    """Add a link of the kind kannel."""
    new = NewLink(
        code=CODE,
        kind=LinkKind.KANNEL,
        url="http://127.0.0.1:9/cgi-bin/sendsms",
        secret=PASSWORD,
        profile=kannel_profile.dump(Profile(username="tradan")),
    )
    keyring, now = door.service.keyring, door.clock.now()
    door.database.inner.write(lambda s: registry.add(s, keyring, new, now))
    door.later(2)
    link = door.service.links.get(CODE)
    assert link is not None
    return Smsbox(door, link)
