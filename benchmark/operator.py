"""The made-up operator, a process of its own: its subscribers' messages in, our replies out.

It is told what to do by lines of JSON on its standard input and answers with lines of JSON, so it
ends when whoever started it ends. What it does costs CPU on the machine that is measured, so its
own is reported apart.
"""

import csv
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from benchmark.conversation import Reply
from benchmark.load import SHORT_CODE, Mint, Round
from benchmark.people import Turn, read, turns
from benchmark.sockets import Inbox, Poller, Posters
from benchmark.tally import Order
from benchmark.wire import ACCEPTED, REFUSED, Message, Signer, Target
from core.clock import Clock, SystemClock

_PIECE = 65536
_IDLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Link:
    """The link as the service made it; the secret stays in its file."""

    port: int
    webhook_path: str
    secret_file: str
    short_code: str = SHORT_CODE


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply that was handed over, and when."""

    in_reply_to: str
    text: str
    at: float


@dataclass(slots=True)
class Operator:
    """Runs the rounds that it is told to run."""

    clock: Clock
    out: TextIO
    poller: Poller = field(default_factory=Poller)
    inbox: Inbox = field(init=False)
    _accepted: list[tuple[str, Reply]] = field(default_factory=list)
    _heard: list[Heard] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _faults: Counter[str] = field(default_factory=Counter)
    _link: Link | None = None
    _signer: Signer = field(default_factory=lambda: Signer(b""))
    _mint: Mint | None = None
    _turns: Iterator[Turn] = field(default_factory=lambda: iter(()))
    _round: Round | None = None
    _left: bytes = b""
    _ended: bool = False

    def __post_init__(self) -> None:
        """Listen for what the service hands over."""
        self.inbox = Inbox(self.poller, self._handed_over)

    def serve(self, number: int) -> None:
        """Do what the lines on the file of this *number* say, until it is closed."""
        self.poller.watch(number, lambda: self._told(os.read(number, _PIECE)))
        self._say({"port": self.inbox.port})
        while not self._ended:
            wait = self._round.tick() if self._round else _IDLE_SECONDS
            self.poller.turn(wait)
            self._listen()
            if self._round and self._round.over:
                self._finish(self._round)

    def _told(self, data: bytes) -> None:
        self._ended = not data
        *lines, self._left = (self._left + data).split(b"\n")
        for line in lines:
            (word, value), *_ = json.loads(line).items()
            self._obey(word, value)

    def _obey(self, word: str, value: Any) -> None:  # noqa: ANN401 (what JSON holds)
        match word:
            case "link":
                self._take(Link(**value))
            case "people":
                self._turns = turns(read(Path(value["file"])), value["seed"])
                self._say({"people": value["file"]})
            case "round":
                self._begin(Order(**value))
            case "accepted":
                self._write(Path(value))
                self._say({"accepted": len(self._accepted)})
            case _:
                raise ValueError(f"no such order: {word}")

    def _take(self, link: Link) -> None:
        self._link = link
        self._signer = Signer.of(Path(link.secret_file).read_text(encoding="ascii"))
        host = f"127.0.0.1:{link.port}"
        target = Target(host.encode(), link.webhook_path.encode(), self._signer)
        self._mint = Mint(target, self.clock, link.short_code)
        self._say({"link": link.webhook_path})

    def _begin(self, order: Order) -> None:
        if self._link is None or self._mint is None:
            raise ValueError("a round needs a link")
        posters = Posters(self.poller, self._link.port, order.clients)
        self._round = Round(order, self._turns, posters, self._mint, self._accept)
        self._round.begin()

    def _finish(self, done: Round) -> None:
        self._round = None
        done.posters.close()
        done.tally.faults.update(self._faults)
        self._faults.clear()
        self._say({"outcome": asdict(done.outcome())})

    def _accept(self, message_id: str, due: Reply) -> None:
        self._accepted.append((message_id, due))

    def _handed_over(self, message: Message) -> bytes:
        if not message.signed_by(self._signer):
            self._faults["signature-does-not-hold"] += 1
            return REFUSED
        data = json.loads(message.body)["data"]
        if data["id"] in self._seen:
            self._faults["handed-over-again"] += 1
        else:
            self._seen.add(data["id"])
            self._heard.append(Heard(data["in_reply_to"], data["text"], time.monotonic()))
        return ACCEPTED

    def _listen(self) -> None:
        """Read the replies, once the service has been told that they were taken over."""
        heard, self._heard = self._heard, []
        for one in heard:
            if self._round is None:
                self._faults["reply-between-rounds"] += 1
            else:
                self._round.heard(one.in_reply_to, one.text, one.at)

    def _write(self, path: Path) -> None:
        with path.open("w", encoding="ascii", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(("operator_message_id", "due"))
            writer.writerows(self._accepted)

    def _say(self, words: dict[str, object]) -> None:
        self.out.write(json.dumps(words) + "\n")
        self.out.flush()


if __name__ == "__main__":
    try:
        Operator(SystemClock(), sys.stdout).serve(sys.stdin.fileno())
    except KeyboardInterrupt:
        sys.exit(130)
