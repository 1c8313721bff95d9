"""One round of load: conversations held side by side, in a closed loop or at a fixed rate."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex

from benchmark.conversation import Reply, Say, hold, recognise
from benchmark.people import Turn
from benchmark.sockets import Posters
from benchmark.tally import Order, Outcome, Span, Tally
from benchmark.wire import Message, Target
from core.clock import Clock

SHORT_CODE = "8099"

_ACCEPTED = 202
_LONGEST_WAIT = 0.05
_BODY = (
    b'{"type":"message.received","timestamp":"%b","data":{"id":"%b","from":"%b","to":"%b",'
    b'"text":"%b","received_at":"%b"}}'
)


class Mint:
    """Makes signed messages of subscribers, each under an id of its own."""

    def __init__(self, target: Target, clock: Clock, short_code: str = SHORT_CODE) -> None:
        self._target = target
        self._clock = clock
        self._short_code = short_code.encode()
        self._run = token_hex(4)
        self._numbers = count(1)
        self._written_at = -1.0
        self._stamps = (b"", b"")

    def next_id(self) -> str:
        """Return an id that no message has yet."""
        return f"{self._run}-{next(self._numbers)}"

    def request(self, message_id: str, phone: str, text: str) -> bytes:
        """Write out one message as it is posted at this moment."""
        epoch, instant = self._now()
        event = message_id.encode()
        body = _BODY % (
            instant, event, phone.encode(), self._short_code, text.encode(), instant
        )  # fmt: skip
        return self._target.request(event, epoch, body)

    def _now(self) -> tuple[bytes, bytes]:
        if time.monotonic() - self._written_at > 1:  # to the second is exact enough, and cheaper
            self._written_at = time.monotonic()
            now = self._clock.now()
            instant = now.isoformat(timespec="seconds").encode()
            self._stamps = (str(int(now.timestamp())).encode(), instant)
        return self._stamps


@dataclass(slots=True)
class Step:
    """A message under way and what has come of it."""

    turn: Turn
    talk: Generator[Say, str, None]
    say: Say
    message_id: str
    began_at: float
    posted_at: float
    posts: int
    accepted_at: float = 0.0
    heard_at: float = 0.0
    acknowledgement: bytes = b""
    reply: str = ""

    @property
    def over(self) -> bool:
        """Whether it is acknowledged, as often as it was posted, and answered."""
        return self.posts == 0 and self.heard_at > 0


@dataclass(slots=True)
class Round:
    """Holds conversations until its time is over, then lets those under way end."""

    order: Order
    turns: Iterator[Turn]
    posters: Posters
    mint: Mint
    accepted: Callable[[str, Reply], None]
    tally: Tally = field(default_factory=Tally)
    _open: dict[str, Step] = field(default_factory=dict)
    _used_up: bool = False
    _all_begun: bool = False
    _began_at: float = 0.0
    _cpu: float = 0.0
    _due: int = 0
    _looked_at: float = 0.0

    def begin(self) -> None:
        """Start the clock, and in a closed loop every client's first conversation."""
        self._cpu = time.process_time()
        self._began_at = self._looked_at = time.monotonic()
        if self.order.rate is None:
            for _ in range(self.order.clients):
                self._converse(self._began_at)

    def tick(self) -> float:
        """Start what is due and give up what waits too long; return the seconds until the next."""
        now = time.monotonic()
        if now - self._looked_at > 1:
            self._looked_at = now
            self._give_up(now)
        if self.order.rate is None:
            return _LONGEST_WAIT
        while (due := self._began_at + self._due / self.order.rate) < self._ends_at:
            if due > now:
                return min(due - now, _LONGEST_WAIT)
            self._due += 1
            self._converse(due)
        self._all_begun = True
        return _LONGEST_WAIT

    @property
    def over(self) -> bool:
        """Whether the time has passed and nothing is under way."""
        if self.order.rate is None:
            self._all_begun = time.monotonic() >= self._ends_at
        return (self._all_begun or self._used_up) and not self._open

    def heard(self, message_id: str, text: str, at: float) -> None:
        """Take in the reply that was handed over *at* this moment for one of our messages."""
        step = self._open.get(message_id)
        if step is None:
            self.tally.faults["reply-to-nothing-open"] += 1
            return
        if step.heard_at:
            self.tally.faults["reply-handed-over-twice"] += 1
            return
        step.heard_at, step.reply = at, text
        if step.over:
            self._advance(step)

    def outcome(self) -> Outcome:
        """Sum the round up."""
        seconds = self.order.seconds
        if self._used_up:
            seconds = min(seconds, time.monotonic() - self._began_at)
        return self.tally.outcome(
            self.order,
            seconds=seconds,
            operator_cpu=time.process_time() - self._cpu,
            used_up=self._used_up,
        )

    @property
    def _ends_at(self) -> float:
        return self._began_at + self.order.seconds

    def _converse(self, due: float) -> None:
        turn = next(self.turns, None)
        if turn is None:
            self._used_up = True
            return
        talk = hold(turn)
        self._say(turn, talk, next(talk), began_at=due)

    def _say(
        self, turn: Turn, talk: Generator[Say, str, None], say: Say, *, began_at: float
    ) -> None:
        posts = 2 if say.twice else 1
        now = time.monotonic()
        step = Step(turn, talk, say, self.mint.next_id(), began_at, now, posts)
        self._open[step.message_id] = step
        self._post(step)

    def _post(self, step: Step) -> None:
        def request() -> bytes:
            step.posted_at = time.monotonic()
            if not step.acknowledgement and step.say.due in {Reply.PIN, Reply.NOMATCH}:
                self.tally.took(Span.LATE, step.posted_at - step.began_at)
            return self.mint.request(step.message_id, step.turn.phone, step.say.text)

        def answered(answer: Message | None) -> None:
            self._answered(step, answer)

        self.posters.post(request, answered)

    def _answered(self, step: Step, answer: Message | None) -> None:
        now = time.monotonic()
        if answer is None or answer.status != _ACCEPTED:
            fault = "connection-broken" if answer is None else f"status-{answer.status}"
            self._fail(step, fault)
            return
        self.tally.messages += 1
        self.tally.took(Span.ACCEPT, now - step.posted_at)
        step.posts -= 1
        if step.acknowledgement:
            if step.acknowledgement != answer.body:
                self.tally.faults["repeat-acknowledged-otherwise"] += 1
        else:
            step.accepted_at, step.acknowledgement = now, answer.body
            self.accepted(step.message_id, step.say.due)
        if step.posts:
            self._post(step)
        elif step.over:
            self._advance(step)

    def _advance(self, step: Step) -> None:
        if self._open.pop(step.message_id, None) is None:
            return  # given up meanwhile
        reply = recognise(step.reply, step.turn.person)
        self.tally.replies[reply] += 1
        if reply is not step.say.due:
            self._fail(step, f"{reply}-instead-of-{step.say.due}")
            return
        self._measure(step)
        try:
            say = step.talk.send(step.reply)
        except StopIteration:
            self._next_client()
        else:
            self._say(step.turn, step.talk, say, began_at=step.began_at)

    def _measure(self, step: Step) -> None:
        waited = step.heard_at - step.accepted_at
        if step.say.due is Reply.PIN:
            self.tally.took(Span.PIN, waited)
            self.tally.took(Span.ANSWER, waited)
        elif step.say.due is Reply.RESULT:
            self.tally.took(Span.RESULT, waited)
            self.tally.took(Span.ANSWER, waited)
            self.tally.took(Span.LOOKUP, step.heard_at - step.began_at)
            self.tally.lookups += 1
            self.tally.in_time += step.heard_at <= self._ends_at

    def _fail(self, step: Step, fault: str) -> None:
        self.tally.faults[fault] += 1
        self._open.pop(step.message_id, None)
        step.talk.close()
        self._next_client()

    def _next_client(self) -> None:
        now = time.monotonic()
        if self.order.rate is None and now < self._ends_at:
            self._converse(now)

    def _give_up(self, now: float) -> None:
        late = [step for step in self._open.values() if now - step.posted_at > self.order.patience]
        for step in late:
            self._fail(step, "no-reply" if step.accepted_at else "no-acknowledgement")
