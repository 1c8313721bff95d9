"""A gateway played by the tests: it signs, answers and seals as the real one does, from memory.

It lets the phone's own parts be tested without the service. That the two speak alike is shown by
the tests that run the real one.
"""

import json
import secrets
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import urllib3
from flask import Flask, request
from standardwebhooks import Webhook
from werkzeug.serving import make_server

from core.clock import SystemClock
from journal.proofs import inclusion_spans
from journal.receipts import receipt_of
from journal.tree import leaf_hash, node_hash
from phone.inside import Inside, Sealing
from phone.network import Link
from phone.subscribers import Subscriber
from sms import segments

SECRET = "whsec_" + "c2VjcmV0IG9mIGEgbmV0d29yayB0aGF0IGlzIG1hZGUgdXA="
LINK = Link("hong-ha", "Hồng Hà", "/sms/hong-ha/inbound", SECRET)
SUBSCRIBERS = (
    Subscriber("Nguyễn Thị Phương Thảo", "+84912345678", "999185000101"),
    Subscriber("Trần Văn Đức", "+84912345679", "999075000202"),
    Subscriber("Đặng Ngọc Ánh", "+84912345680", "999301000303"),
)
PIN = "482913"
ANSWERS = {
    "DC": f"CSDLDC: Ma xac thuc {PIN}, hieu luc 5 phut. Tra loi: XN {PIN}. Khong dua ma cho bat ky "
    "ai, ke ca can bo. Neu khong phai ban yeu cau, soan HUY",
    "XN": "CSDLDC: NGUYEN THI PHUONG THAO, nu, sinh 1985, so ...101, the het han 03/2030, thuong "
    "tru P. Cua Nam, TP Ha Noi. Ma GD 7F3K92. Sai: den Cong an cap xa",
    "HD": "CSDLDC: Soan DC cach so dinh danh 12 so, roi XN cach ma 6 so. Cach khac: VNeID, cong "
    "dich vu, Cong an cap xa",
}
SILENT = "SHH"
REPLIES = {"DC": "PIN", "XN": "RESULT", "HD": "HELP"}


def proof_of(leaves: list[bytes], index: int) -> tuple[tuple[bytes, ...], bytes]:
    """Return the proof of one leaf and the root, by the definition (RFC 6962, 2.1)."""

    def root(begin: int, end: int) -> bytes:
        if end - begin == 1:
            return leaves[begin]
        half = 1 << (end - begin - 1).bit_length() - 1
        return node_hash(root(begin, begin + half), root(begin + half, end))

    size = len(leaves)
    path = tuple(root(span.begin, span.end) for span in inclusion_spans(index, size))
    return path, root(0, size)


@dataclass(slots=True)
class PlayedGateway:
    """Answers what it understands; keeps what an observer may see."""

    mt_url: str = ""
    leaves: list[bytes] = field(default_factory=lambda: [leaf_hash(b"%d" % n) for n in range(11)])
    accepted: list[str] = field(default_factory=list)
    known: dict[str, tuple[Inside, int | None]] = field(default_factory=dict)
    pause: timedelta = timedelta(milliseconds=20)
    _threads: list[threading.Thread] = field(default_factory=list)
    _clock: SystemClock = field(default_factory=SystemClock)
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def subscribers(self) -> tuple[Subscriber, ...]:
        """Return the invented people of the tests."""
        return SUBSCRIBERS

    def insides(self, network: str, message_ids: Collection[str]) -> Mapping[str, Inside]:
        """Return what happened, with proofs under the newest head."""
        assert network == LINK.code
        return {
            each: replace(inside, sealing=None if place is None else self._sealing(place))
            for each, (inside, place) in list(self.known.items())
            if each in message_ids
        }

    def receive(self) -> tuple[str, int]:
        """Take one `message.received` as the real one does, and answer it beside."""
        body = request.get_data()
        try:
            Webhook(SECRET).verify(body, dict(request.headers))
        except Exception:  # noqa: BLE001 (the library raises far outside its own errors)
            return "", 401
        message = json.loads(body)["data"]
        self.accepted.append(message["id"])
        if message["id"] not in self.known:
            stored_at = self._clock.now()
            self.known[message["id"]] = (self._stored(message["id"], stored_at), None)
            thread = threading.Thread(target=self._answer, args=(message,))
            self._threads.append(thread)
            thread.start()
        return json.dumps({"id": message["id"]}), 202

    def finish(self) -> None:
        """Wait until everything is answered."""
        for thread in self._threads:
            thread.join()

    def _stored(self, message_id: str, at: datetime) -> Inside:
        return Inside(
            operator_message_id=message_id, command=None, state="received", reason=None,
            received_at=at, stored_at=at, handled_at=None, reply=None, reply_state=None,
            encoding=None, segments=None, accepted_at=None, part_price=30000, sealing=None,
        )  # fmt: skip

    def _answer(self, message: dict[str, str]) -> None:
        threading.Event().wait(self.pause.total_seconds())
        command = message["text"].split()[0].upper()
        if command == SILENT:
            inside, _ = self.known[message["id"]]
            over = replace(inside, state="refused", handled_at=self._clock.now())
            self.known[message["id"]] = (over, None)
            return
        reply = REPLIES.get(command, "SYNTAX")
        text = ANSWERS.get(command, "CSDLDC: Tin nhan chua dung cu phap. Xem huong dan: soan HD")
        place = None
        if reply in {"PIN", "RESULT"}:
            place = len(self.leaves)
            self.leaves.append(leaf_hash(message["id"].encode()))
        inside, _ = self.known[message["id"]]
        handled = replace(
            inside, command=command, state="answered" if place else "refused",
            reason=None if place else "not-understood", handled_at=self._clock.now(), reply=reply,
            reply_state="queued", encoding="gsm7", segments=1,
        )  # fmt: skip
        self.known[message["id"]] = (handled, place)
        self.send(message["from"], text, message["id"])
        done = replace(handled, reply_state="accepted", accepted_at=self._clock.now())
        self.known[message["id"]] = (done, place)

    def send(
        self, to: str, text: str, in_reply_to: str, message_id: str = "", secret: str = SECRET
    ) -> int:
        """Post one `message.send` and return the status of the answer."""
        measured = segments.measure(text)
        now = self._clock.now()
        message_id = message_id or secrets.token_hex(8)
        data = {
            "id": message_id, "to": to, "from": "12345", "text": text,
            "encoding": measured.encoding, "segments": measured.segments,
            "expires_at": now.isoformat(), "in_reply_to": in_reply_to,
        }  # fmt: skip
        body = json.dumps({"type": "message.send", "timestamp": now.isoformat(), "data": data})
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(message_id, now, body),
        }
        return self._http.request("POST", self.mt_url, body=body, headers=headers).status

    def _sealing(self, index: int) -> Sealing:
        leaf = self.leaves[index]
        path, root = proof_of(self.leaves, index)
        receipt = receipt_of(leaf)
        size = len(self.leaves)
        return Sealing(index, leaf, receipt, size, root, path, holds=True, sealed_at=None)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve *app* on a free port of this machine for as long as the block lasts."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
