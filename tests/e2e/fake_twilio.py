"""Twilio's REST API, as far as the service uses it: takes messages and notes them down."""

import json
import secrets
import threading
from collections import deque
from dataclasses import dataclass
from urllib.parse import parse_qs

from tests.e2e.listener import Listener, Request
from tests.e2e.waiting import PATIENCE, until

CREATED = 201


@dataclass(frozen=True, slots=True)
class Posted:
    """One request to make a message."""

    path: str
    authorization: str
    form: dict[str, list[str]]

    def value(self, name: str) -> str:
        """Return the one value of a field."""
        (only,) = self.form[name]
        return only


class FakeTwilio:
    """An account at Twilio and its API, which makes every message unless told otherwise."""

    def __init__(self) -> None:
        self.account_sid = f"AC{secrets.token_hex(16)}"
        self.token = secrets.token_hex(16)
        self.number = "+12025550143"
        self.posted: list[Posted] = []
        self.answers: deque[int] = deque()
        self._lock = threading.Lock()
        self._listener = Listener(self._receive)
        self._listener.open()

    @property
    def api_url(self) -> str:
        """Return the base of the API."""
        return self._listener.url

    def close(self) -> None:
        """End."""
        self._listener.close()

    def sent_to(self, phone: str) -> list[Posted]:
        """Return what was posted for *phone*."""
        return [posted for posted in list(self.posted) if posted.form.get("To") == [phone]]

    def message_to(self, phone: str, number: int = 1, *, within: float = PATIENCE) -> Posted:
        """Wait for the *number*-th message to *phone*."""
        what = f"message {number} to be posted to the API"
        return until(lambda: self.sent_to(phone)[number - 1 : number], what, within=within)[0]

    def _receive(self, request: Request) -> None:
        form = parse_qs(request.body.decode(), keep_blank_values=True)
        authorization = request.headers.get("Authorization", "")
        with self._lock:
            self.posted.append(Posted(request.path, authorization, form))
            status = self.answers.popleft() if self.answers else CREATED
        sid = f"SM{secrets.token_hex(16)}"
        made = {"sid": sid, "status": "queued", "account_sid": self.account_sid, "body": ""}
        refused = {"code": 20429, "message": "refused", "status": status}
        request.answer(status, json.dumps(made if status == CREATED else refused).encode())
