"""The operators' door, through the Flask client: every header and byte is ours to choose."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import sqlalchemy as sa
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from cli.context import Service
from cli.web import make_app
from cli.wiring import receiver_of
from core.db import Database
from core.errors import UnavailableError
from core.settings import Settings
from sms.links import registry
from sms.links.model import LinkKind
from sms.links.registry import NewLink
from sms.signals import Signal
from sms.tables import INBOUND
from tests.e2e.wire import FORM, JSON, webhook_signature
from tests.fakes import FixedClock

SECRET = "whsec_" + "Zmlyc3Qgc2VjcmV0IG9mIHRoZSBvcGVyYXRvci4uLi4u"
SECOND = "whsec_" + "c2Vjb25kIHNlY3JldCBvZiB0aGUgb3BlcmF0b3IuLi4u"
STRANGE = "whsec_" + "c29tZWJvZHkgZWxzZSdzIHNlY3JldC4uLi4uLi4uLi4u"
TOKEN, OTHER_TOKEN = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
ACCOUNT = "AC" + "a" * 32
NUMBER = "+18445550100"
PUBLIC = "https://gateway.example"
PHONE = "+84912345678"
HTTP, TWILIO = "hong-ha", "abroad"


class Away:
    """A database that is away while a test wants it away."""

    def __init__(self, inner: Database) -> None:
        self.dialect, self.url = inner.dialect, inner.url
        self.inner, self.away = inner, False
        self.checkpoint, self.close = inner.checkpoint, inner.close

    def write(self, work: object) -> object:
        """Write, unless away."""
        self._come()
        return self.inner.write(work)  # type: ignore[arg-type]  # whatever the service writes

    def read(self, work: object) -> object:
        """Read, unless away."""
        self._come()
        return self.inner.read(work)  # type: ignore[arg-type]  # whatever the service reads

    def reserved(self) -> "Away":
        """Return itself: what is away is away for the off switch too."""
        return self

    def _come(self) -> None:
        if self.away:
            raise UnavailableError("away")


@dataclass(slots=True)
class Door:
    """The web application with an HTTP link and a Twilio link."""

    client: FlaskClient
    service: Service
    database: Away
    clock: FixedClock
    twilio_path: str
    serials: Iterator[int] = field(default_factory=count)

    def event(self, **data: object) -> dict[str, object]:
        """Make a `message.received` event that is in order, but for *data*."""
        now = self.clock.now()
        written = {
            "id": f"m-{next(self.serials)}", "from": PHONE, "to": "12345", "text": "HD",
            "received_at": now.isoformat(),
        }  # fmt: skip
        written.update(data)  # type: ignore[arg-type]  # whatever a test wants there
        return {"type": "message.received", "timestamp": now.isoformat(), "data": written}

    def headers(
        self, body: bytes, *, secret: str = SECRET, at: datetime | None = None, event_id: str = ""
    ) -> dict[str, str]:
        """Sign a body as the operator does."""
        event_id = event_id or f"evt-{next(self.serials)}"
        timestamp = str(int((at or self.clock.now()).timestamp()))
        return {
            "content-type": JSON,
            "webhook-id": event_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": webhook_signature(secret, event_id, timestamp, body),
        }

    def post(
        self, body: bytes | Mapping[str, object], headers: Mapping[str, str] | None = None,
        *, path: str = f"/sms/{HTTP}/inbound", changes: Mapping[str, str | None] | None = None,
        **signing: object,
    ) -> TestResponse:  # fmt: skip
        """Send a body, signed unless told otherwise, with some headers changed or left out."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: dict[str, str | None] = dict(headers or self.headers(raw, **signing))  # type: ignore[arg-type]  # options of `headers`
        sent.update(changes or {})
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.client.post(path, data=raw, headers=kept)

    def form(self, **changes: str | None) -> dict[str, str]:
        """Make Twilio's form, in order but for *changes*."""
        sid = f"SM{next(self.serials):032x}"
        written: dict[str, str | None] = {
            "MessageSid": sid, "SmsMessageSid": sid, "SmsSid": sid, "AccountSid": ACCOUNT,
            "From": PHONE, "To": NUMBER, "Body": "HD", "NumMedia": "0", "ApiVersion": "2010-04-01",
        }  # fmt: skip
        written.update(changes)
        return {name: value for name, value in written.items() if value is not None}

    def twilio(
        self, form: Mapping[str, str], *, token: str = TOKEN, body: bytes | None = None,
        path: str | None = None, url: str | None = None, content_type: str = FORM,
        signature: str | None = None,
    ) -> TestResponse:  # fmt: skip
        """Send a form, signed over the public address unless told otherwise."""
        signed = url or PUBLIC + self.twilio_path
        made = signature or RequestValidator(token).compute_signature(signed, dict(form))
        return self.client.post(
            path or self.twilio_path,
            data=urlencode(form).encode() if body is None else body,
            headers={"content-type": content_type, "x-twilio-signature": made},
            base_url="http://attacker.example",
        )

    def stored(self) -> list[sa.Row[tuple[object, ...]]]:
        """Return every stored message."""
        query = sa.select(INBOUND).order_by(INBOUND.c.id)
        return list(self.database.inner.read(lambda s: s.execute(query).all()))

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))


@contextmanager
def opened(
    database: Database, keys_dir: Path, state_dir: Path, clock: FixedClock, **link: object
) -> Iterator[Door]:
    """Open the door over a database."""
    state_dir.mkdir(exist_ok=True)
    settings = Settings.from_env(
        {
            "TRADAN_STATE_DIR": str(state_dir),
            "TRADAN_KEYS_DIR": str(keys_dir),
            "TRADAN_DATABASE_URL": database.url.render_as_string(hide_password=False),
            "TRADAN_PUBLIC_URL": PUBLIC,
            "TRADAN_MODE": "test",
        }
    )
    service, away = Service.of(settings), Away(database)
    service.clock = clock
    service.__dict__["raw_database"] = away
    now = clock.now()
    http = NewLink(code=HTTP, kind=LinkKind.HTTP, url="https://op.example", secret=SECRET, **link)  # type: ignore[arg-type]  # parts of a link
    twilio = NewLink(
        code=TWILIO, kind=LinkKind.TWILIO, url="https://api.example", secret=TOKEN,
        account_sid=ACCOUNT, from_number=NUMBER, **link,  # type: ignore[arg-type]  # parts of a link
    )  # fmt: skip
    keyring = service.keyring
    database.write(lambda s: [registry.add(s, keyring, new, now) for new in (http, twilio)])
    found = service.links.get(TWILIO)
    assert found is not None
    client = make_app(service, receiver_of(service, Signal())).test_client()
    try:
        yield Door(client, service, away, clock, found.webhook_path)
    finally:
        service.journal.close()
