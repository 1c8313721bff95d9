"""A made-up mobile network: hands its subscribers' texts to the gateway and takes what comes back.

It stands where a telecom operator stands, on the far side of a socket: what it sends is signed with
its link's secret, and what it receives it believes only if the signature holds. Nothing here knows
more of the gateway than the contract that every operator gets.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import urllib3
from standardwebhooks import Webhook

from core.clock import Clock
from phone.errors import ForgedError
from phone.mailbox import Delivery, Mailbox

UNREACHED = 0
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIMEOUT = urllib3.Timeout(connect=2, read=10)
_LARGEST_BODY = 8192


@dataclass(frozen=True, slots=True)
class Link:
    """What the gateway gave the network when the link was made."""

    code: str
    title: str
    webhook_path: str
    secret: str = field(repr=False)


class Network:
    """One network, its link to the gateway, and the phones it serves."""

    def __init__(
        self, link: Link, gateway: str, *, short_code: str, mailbox: Mailbox, clock: Clock
    ) -> None:
        self.link = link
        self.code = link.code
        self.title = link.title
        self._inbound = gateway.rstrip("/") + link.webhook_path
        self._webhook = Webhook(link.secret)
        self._short_code = short_code
        self._mailbox = mailbox
        self._clock = clock
        self._http = urllib3.PoolManager(maxsize=4, retries=False, timeout=_TIMEOUT)

    def new_id(self) -> str:
        """Make the id by which this network knows a message."""
        return f"{self.code}-" + "".join(secrets.choice(_ALPHABET) for _ in range(10))

    def submit(self, number: str, text: str, message_id: str) -> int:
        """Hand a text of *number* to the gateway and return the status it answers.

        The same *message_id* again is the same message again, as an operator repeats what it
        believes lost. A status of 0 says that nobody answered.
        """
        self.note(number, text, message_id)
        return self.hand_over(number, text, message_id)

    def note(self, number: str, text: str, message_id: str) -> None:
        """Keep what *number* is about to send, as its phone does."""
        self._mailbox.note_sent(self.code, number, message_id, text, self._clock.now())

    def hand_over(self, number: str, text: str, message_id: str) -> int:
        """Post a text that the phone has kept, and return the status the gateway answers."""
        at = self._clock.now()
        begun = self._clock.monotonic()
        status = self._post(number, text, message_id, at)
        microseconds = round((self._clock.monotonic() - begun) * 1_000_000)
        self._mailbox.note_acknowledged(
            self.code, message_id, status=status, microseconds=microseconds
        )
        return status

    def deliver(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a `message.send` of the gateway to the phone; return the number of copies by now.

        Raises: ForgedError if the gateway did not sign it.
        """
        delivery = self._opened(headers, body)
        return self._mailbox.note_delivered(self.code, delivery, self._clock.now())

    def _post(self, number: str, text: str, message_id: str, at: datetime) -> int:
        written = at.isoformat(timespec="milliseconds")
        content = {
            "type": "message.received",
            "timestamp": written,
            "data": {
                "id": message_id,
                "from": number,
                "to": self._short_code,
                "text": text,
                "received_at": written,
            },
        }
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        event = f"msg_{secrets.token_hex(12)}"
        sent_at = self._clock.now()
        headers = {
            "content-type": "application/json",
            "webhook-id": event,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": self._webhook.sign(event, sent_at, body),
        }
        try:
            answer = self._http.request("POST", self._inbound, body=body.encode(), headers=headers)
        except urllib3.exceptions.HTTPError:
            return UNREACHED
        return answer.status

    def _opened(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        if len(body) > _LARGEST_BODY:
            raise ForgedError("a delivery is larger than any the gateway sends")
        try:
            content = self._webhook.verify(body, dict(headers))
            data = content["data"]
            return Delivery(
                id=str(data["id"]),
                to=str(data["to"]),
                sender=str(data["from"]),
                text=str(data["text"]),
                encoding=str(data["encoding"]),
                segments=int(data["segments"]),
                in_reply_to=str(data["in_reply_to"]),
            )
        except Exception as error:  # the library raises far outside its own errors
            raise ForgedError("a delivery does not bear the gateway's signature") from error
