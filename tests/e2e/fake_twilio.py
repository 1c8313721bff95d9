"""Twilio's REST API, as far as the service uses it: takes messages, notes and lists them."""

import json
import secrets
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.e2e.listener import Listener, Request
from tests.e2e.waiting import PATIENCE, until

OK, CREATED = 200, 201
PAGE = 2


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
        self.listed: list[dict[str, list[str]]] = []
        self.messages: list[dict[str, object]] = []
        self.is_listing = True
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

    def add(
        self, sender: str, to: str, body: str, *, direction: str, at: datetime | None = None
    ) -> str:
        """Have a message, the newest of all, and return its id."""
        sid = f"SM{secrets.token_hex(16)}"
        made = format_datetime(at or datetime.now(UTC))
        self.messages.insert(
            0,
            {
                "sid": sid, "status": "queued", "account_sid": self.account_sid, "body": body,
                "from": sender, "to": to, "direction": direction, "date_created": made,
                "date_sent": made,
            },
        )  # fmt: skip
        return sid

    def _receive(self, request: Request) -> None:
        if request.command == "GET":
            self._list(request)
            return
        form = parse_qs(request.body.decode(), keep_blank_values=True)
        authorization = request.headers.get("Authorization", "")
        with self._lock:
            self.posted.append(Posted(request.path, authorization, form))
            status = self.answers.popleft() if self.answers else CREATED
        if status == CREATED:
            sender, to, body = (form.get(name, [""])[0] for name in ("From", "To", "Body"))
            self.add(sender, to, body, direction="outbound-api")
        refused = {"code": 20429, "message": "refused", "status": status}
        answer = self.messages[0] if status == CREATED else refused
        request.answer(status, json.dumps(answer).encode())

    def _list(self, request: Request) -> None:
        """List the newest first, a page at a time."""
        parts = urlsplit(request.path)
        asked = parse_qs(parts.query)
        self.listed.append(asked)
        if not self.is_listing:
            request.answer(500, b"{}")
            return
        found = [
            message
            for message in self.messages
            if all(
                [str(message[key])] == asked.get(name, [str(message[key])])
                for name, key in (("To", "to"), ("From", "from"))
            )
        ]
        page = int(asked.get("Page", ["0"])[0])
        shown = found[page * PAGE : (page + 1) * PAGE]
        kept = {name: values[0] for name, values in asked.items()} | {"Page": str(page + 1)}
        more = len(found) > (page + 1) * PAGE
        following = f"{parts.path}?{urlencode(kept)}" if more else None
        listed = {"messages": shown, "next_page_uri": following, "page": page, "page_size": PAGE}
        request.answer(OK, json.dumps(listed).encode())
