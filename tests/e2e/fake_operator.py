"""A telecom operator: takes the service's messages, checks their signature, and notes them down."""

import base64
import json
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.e2e.listener import Listener, Request
from tests.e2e.waiting import PATIENCE, until

OK = 200
_PATH = "/send"


class Wreck(Enum):
    """Ways of not answering."""

    RESET = "the connection is cut after the request was read"
    STALL = "nothing comes until the test lets go"


@dataclass(slots=True)
class Mt:
    """One message that the service handed over, as it came."""

    headers: dict[str, str]
    body: bytes
    verified: bool
    arrived_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    answered: int | None = None  # the status that it is answered with; None where it is not

    @property
    def document(self) -> dict[str, Any]:
        """Return the whole body."""
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def data(self) -> dict[str, Any]:
        """Return what the message is about."""
        inner: dict[str, Any] = self.document["data"]
        return inner

    @property
    def text(self) -> str:
        """Return what the citizen reads."""
        return str(self.data["text"])


Answer = int | Wreck | Callable[[Mt], int]


class FakeOperator:
    """An operator's sending interface: accepts everything unless it was told otherwise."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.secret = new_secret()
        self.messages: list[Mt] = []
        self.strays: list[str] = []  # what came that is no message
        self._plans: dict[str, deque[Answer]] = defaultdict(deque)
        self._let_go = threading.Event()
        self._listener = Listener(self._receive)
        if is_open:
            self.open()

    @property
    def send_url(self) -> str:
        """Return where the service is to hand messages over."""
        return f"{self._listener.url}{_PATH}"

    def open(self) -> None:
        """Begin to accept connections."""
        self._listener.open()

    def shut(self) -> None:
        """Refuse connections."""
        self._listener.shut()

    def close(self) -> None:
        """End, letting go of whatever is stalled."""
        self.let_go()
        self._listener.close()

    def let_go(self) -> None:
        """End every stalled request without an answer."""
        self._let_go.set()

    def plan(self, phone: str, *answers: Answer) -> None:
        """Answer the next messages to *phone* so, one by one."""
        self._plans[phone].extend(answers)

    def copies(self, message_id: str) -> list[Mt]:
        """Return every message that answers the citizen's message *message_id*."""
        return [mt for mt in list(self.messages) if mt.data["in_reply_to"] == message_id]

    def reply_to(self, message_id: str, *, within: float = PATIENCE) -> Mt:
        """Wait for the answer to the citizen's message *message_id*."""
        return self.copy(message_id, 1, within=within)

    def copy(self, message_id: str, number: int, *, within: float = PATIENCE) -> Mt:
        """Wait for the *number*-th copy of the answer to *message_id*."""
        what = f"copy {number} of the answer to {message_id}"
        arrived = until(lambda: self.copies(message_id)[number - 1 : number], what, within=within)
        return arrived[0]

    def _receive(self, request: Request) -> None:
        if request.command != "POST" or request.path != _PATH:
            self.strays.append(f"{request.command} {request.path}")
            request.answer(OK)
            return
        mt = self._read(request)
        self.messages.append(mt)
        plan = self._plans[str(mt.data["to"])]
        answer = plan.popleft() if plan else OK
        if answer is Wreck.STALL:
            self._let_go.wait()
            request.reset()
        elif answer is Wreck.RESET:
            request.reset()
        else:
            mt.answered = int(answer(mt) if callable(answer) else answer)
            request.answer(mt.answered)

    def _read(self, request: Request) -> Mt:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            Webhook(self.secret).verify(request.body, headers)
        except WebhookVerificationError:
            return Mt(headers, request.body, verified=False)
        return Mt(headers, request.body, verified=True)


def new_secret() -> str:
    """Make a Standard Webhooks secret."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
