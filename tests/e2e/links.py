"""The citizen's side of a link: what a handset sends through an operator, and what comes back."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from tests.e2e import wire
from tests.e2e.fake_operator import FakeOperator, Mt
from tests.e2e.fake_twilio import FakeTwilio
from tests.e2e.people import Person

SHORT_CODE = "1414"
ACCEPTED = 202
_PIN = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_CODE = re.compile(r"(?<=Ma GD )[0-9A-Z]{6}")


@dataclass(frozen=True, slots=True)
class HttpLink:
    """A link of the kind `http`: an operator, and the path on which the service hears it."""

    code: str
    port: int
    path: str
    operator: FakeOperator = field(repr=False)

    def post(self, body: bytes, *, at: datetime | None = None) -> wire.Response:
        """Sign *body*, now unless told, and send it."""
        return wire.signed_post(self.port, self.path, self.operator.secret, body, at=at)

    def offer(self, data: dict[str, Any]) -> wire.Response:
        """Send one message, whatever becomes of it."""
        return self.post(envelope(data))

    def send(self, sender: str, text: str, **changes: Any) -> str:  # noqa: ANN401 (any JSON)
        """Send one message that must be accepted, and return its id."""
        data = message(sender, text, **changes)
        response = self.offer(data)
        assert response.status == ACCEPTED, response
        assert response.document == {"id": data["id"]}
        return str(data["id"])

    def ask(self, sender: str, text: str, **changes: Any) -> Mt:  # noqa: ANN401 (any JSON)
        """Send one message and wait for its answer."""
        return self.operator.reply_to(self.send(sender, text, **changes))

    def outlast_a_retry(self, sender: str) -> None:
        """Wait as long as a reply takes that is refused once: whoever else retries has done so."""
        self.operator.plan(sender, 503)
        self.operator.copy(self.send(sender, "PHI"), 2)

    def look_up(self, person: Person) -> Mt:
        """Have *person* ask for their record, send the PIN back, and read the result."""
        asked = self.ask(person.phone, f"DC {person.personal_id}")
        return self.ask(person.phone, f"XN {pin_in(asked)}")


@dataclass(frozen=True, slots=True)
class TwilioLink:
    """A link of the kind `twilio`."""

    code: str
    port: int
    path: str
    public_url: str
    twilio: FakeTwilio = field(repr=False)

    def post(self, form: dict[str, str], *, token: str | None = None) -> wire.Response:
        """Sign *form* with the real library and send it."""
        token = token or self.twilio.token
        return wire.twilio_post(self.port, self.path, token, form, public_url=self.public_url)

    def form(self, sender: str, text: str, **changes: str) -> dict[str, str]:
        """Write what Twilio posts for one message."""
        sid = f"SM{token_hex(16)}"
        return {
            "ToCountry": "US",
            "MessageSid": sid,
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "AccountSid": self.twilio.account_sid,
            "ApiVersion": "2010-04-01",
            "From": sender,
            "FromCity": "",
            "To": self.twilio.number,
            "Body": text,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            **changes,
        }


def message(sender: str, text: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
    """Write the data of one citizen's message, but for the *changes*."""
    return {
        "id": f"mo-{token_hex(8)}",
        "from": sender,
        "to": SHORT_CODE,
        "text": text,
        "received_at": datetime.now(UTC).isoformat(),
        **changes,
    }


def envelope(data: object) -> bytes:
    """Write the body of an event about one citizen's message."""
    now = datetime.now(UTC).isoformat()
    return json.dumps({"type": "message.received", "timestamp": now, "data": data}).encode()


def pins_in(reply: Mt) -> list[str]:
    """Return every free-standing group of six digits: a PIN reply has one, no other reply any."""
    return _PIN.findall(reply.text)


def pin_in(reply: Mt) -> str:
    """Return the PIN of a PIN reply."""
    (pin,) = set(pins_in(reply))
    return pin


def wrong(pin: str, by: int = 1) -> str:
    """Return another PIN."""
    return f"{(int(pin) + by) % 1_000_000:06d}"


def code_in(text: str) -> str:
    """Return the transaction code of a reply."""
    (code,) = _CODE.findall(text)
    return str(code)


def masked(text: str) -> str:
    """Hide the transaction code of a reply."""
    return _CODE.sub("······", text)
