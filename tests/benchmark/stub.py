"""A service that keeps the operators' contract and nothing else, to try the load on."""

import json
import threading
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from uuid import uuid4

import urllib3
from standardwebhooks import Webhook

PIN_TEXT = "CSDLDC: Ma xac thuc {}, hieu luc 5 phut. Tra loi: XN {}. Khong dua ma cho ai"
RESULT_TEXT = "CSDLDC: TRAN VAN THU, nam, sinh 1990, so ...{}, Ma GD 7F3K92"
WRONG_TEXT = "CSDLDC: Ma xac thuc khong dung, con 2 lan thu. Ma GD 7F3K92"
NOMATCH_TEXT = "CSDLDC: Khong thuc hien duoc yeu cau tu so thue bao nay. Ma GD 7F3K92"
SYNTAX_TEXT = "CSDLDC: Tin nhan chua dung cu phap. Xem huong dan: soan HD"


@dataclass
class StubService:
    """Answers messages of the people it knows, over real sockets and with real signatures."""

    secret: str
    send_url: str
    phones: dict[str, str]
    pin_reply: str = PIN_TEXT
    signs_with: str = ""
    copies: int = 1
    port: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    statuses: list[int] = field(default_factory=list)
    _pins: dict[str, tuple[str, str]] = field(default_factory=dict)
    _waiting: Queue[dict[str, str] | None] = field(default_factory=Queue)

    def answer(self, text: str, phone: str) -> str:
        word, *rest = text.split()
        if word == "DC":
            if self.phones[rest[0]] != phone:
                return NOMATCH_TEXT
            pin = f"{len(self._pins):06d}"
            self._pins[phone] = (pin, rest[0])
            return self.pin_reply.format(pin, pin)
        if word == "XN":
            pin, personal_id = self._pins[phone]
            return RESULT_TEXT.format(personal_id[-3:]) if rest == [pin] else WRONG_TEXT
        return SYNTAX_TEXT

    def take(self, data: dict[str, str]) -> None:
        self.acknowledged[data["id"]] += 1
        if self.acknowledged[data["id"]] == 1:
            self._waiting.put(data)

    def send(self) -> None:
        """Hand replies over until told to stop."""
        http = urllib3.PoolManager()
        while (data := self._waiting.get()) is not None:
            text = self.answer(data["text"], data["from"])
            for _ in range(self.copies):
                event = str(uuid4())
                reply = {"id": event, "to": data["from"], "text": text, "in_reply_to": data["id"]}
                body = json.dumps({"type": "message.send", "data": reply})
                now = datetime.now(UTC)
                headers = {
                    "content-type": "application/json",
                    "webhook-id": event,
                    "webhook-timestamp": str(int(now.timestamp())),
                    "webhook-signature": Webhook(self.signs_with or self.secret).sign(
                        event, now, body
                    ),
                }
                answer = http.request("POST", self.send_url, body=body, headers=headers)
                self.statuses.append(answer.status)
        http.clear()

    def stop(self) -> None:
        self._waiting.put(None)


def a_secret(byte: bytes = b"k") -> str:
    return "whsec_" + b64encode(byte * 32).decode()


def key_of(secret: str) -> bytes:
    return b64decode(secret.removeprefix("whsec_"))


@contextmanager
def served(stub: StubService) -> Iterator[StubService]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            Webhook(stub.secret).verify(body, dict(self.headers))
            data = json.loads(body)["data"]
            answer = json.dumps({"id": data["id"]}).encode()
            self.send_response(202)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()
            stub.take(data)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (http.server's name)
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        stub.port = server.server_port
        threads = [
            threading.Thread(target=server.serve_forever),
            threading.Thread(target=stub.send),
        ]
        for thread in threads:
            thread.start()
        try:
            yield stub
        finally:
            stub.stop()
            server.shutdown()
            for thread in threads:
                thread.join()
