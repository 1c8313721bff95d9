"""A gateway without a network: the real stages over a real database, stepped by hand."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import UUID

import sqlalchemy as sa

from billing import usage
from core.clock import vietnam_day
from core.db import Database
from core.keyring import Keyring, row_id
from core.phone import Msisdn
from core.settings import PinProfile
from journal.journal import Journal
from records import citizens, people
from records.embedded import EmbeddedRegister, shared_by
from records.locks import CitizenLimits
from records.personal_id import PersonalId
from records.pins import PinHasher, PinPolicy
from records.quotas import SenderLimits
from records.register import Record, Register
from sms import inbound, outbound, outbox
from sms.decision import Policy
from sms.dispatch import Claimed, NotStarted, Result
from sms.facts import Loader
from sms.groundwork import Preparer
from sms.guards import Guards
from sms.halt import Halt
from sms.handler import Handler
from sms.inbound import Arrival, Receipt
from sms.links import registry
from sms.links.model import Accepted, Envelope, Link, LinkKind, Outcome, Outgoing
from sms.links.registry import LinkRegistry, NewLink
from sms.outbound import Delivery
from sms.routes import Routes
from sms.signals import Signal
from sms.tables import INBOUND, OUTBOUND
from sms.trips import Trips
from tests.fakes import FixedClock

P = ParamSpec("P")
T = TypeVar("T")

SECRET = "whsec_" + "c2VjcmV0IG9mIGFuIG9wZXJhdG9yIHRoYXQgaXMgbm9ib2R5"
SHORT_CODE = "12345"
TEST, REAL, OTHER = "playground", "hong-ha", "other"
POLICY = Policy(
    pin=PinPolicy(), sender=SenderLimits(), citizen=CitizenLimits(), legal_basis="Luật 26/2023"
)


class Inline(Executor):
    """Does at once what it is given, so that a test runs in one thread and in one order."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run *fn* now."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (it is the future's to raise)
            future.set_exception(error)
        return future


@dataclass(slots=True)
class FickleRegister:
    """The register of the tests: the embedded one, unless told to misbehave."""

    inner: Register
    trouble: Exception | None = None
    instead: Record | None = None
    asked: int = 0

    def find(self, ids: Sequence[PersonalId]) -> Mapping[PersonalId, Record | None]:
        """Answer as the embedded register does, or raise, or answer for somebody else."""
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        if self.instead is not None:
            return dict.fromkeys(ids, self.instead)
        return self.inner.find(ids)


@dataclass(slots=True)
class FakeOperator:
    """Takes every reply, or does with it what a test says."""

    received: list[tuple[str, Outgoing]] = field(default_factory=list)
    outcome: Callable[[Outgoing], Outcome] = field(default=lambda _reply: Accepted())

    async def send(self, link: Link, outgoing: Outgoing, now: datetime) -> Outcome:
        """Take a reply."""
        self.received.append((link.code, outgoing))
        return self.outcome(outgoing)

    def close(self) -> None:
        """Have nothing to let go of."""


@dataclass(frozen=True, slots=True)
class Told:
    """One reply as it left: to whom, of which kind, in which words."""

    message_id: UUID
    link: str
    to: str
    reply: str
    text: str = field(repr=False)


@dataclass(slots=True)
class Gateway:
    """Everything between the webhook and the operators, with a clock that stands still."""

    database: Database
    keyring: Keyring
    clock: FixedClock
    journal: Journal
    links: LinkRegistry
    register: FickleRegister
    operator: FakeOperator
    delivery: Delivery
    state_dir: Path
    policy: Policy
    handler: Handler
    serials: Iterator[int] = field(default_factory=count)

    def person(self, **changes: object) -> Record:
        """Put a made-up person into the register who may look themselves up, but for *changes*."""
        return self.population(1, **changes)[0]

    def population(self, size: int, **changes: object) -> list[Record]:
        """Put so many different people into the register."""
        day = vietnam_day(self.clock.now())
        made = people.generate(size, 1000 + next(self.serials), day)
        records = [replace(one, **changes) for one in made]  # type: ignore[arg-type]  # fields of a record, by name
        citizens.store(self.database, self.keyring, records)
        return records

    def link(self, code: str = TEST) -> Link:
        """Return a link by its code."""
        found = self.links.get(code)
        assert found is not None
        return found

    def send(
        self,
        sender: str | None,
        text: str,
        *,
        code: str = TEST,
        message_id: str | None = None,
        age: timedelta = timedelta(),
    ) -> Receipt:
        """Hand a message over as the webhook does."""
        arrival = self._arrival(sender, text, code, message_id, age)
        return self.database.write(lambda session: inbound.store(session, [arrival]))[0]

    def send_all(self, messages: Iterable[tuple[str, str]]) -> None:
        """Hand many messages over in one commit, each a sender and a text."""
        arrivals = [self._arrival(*each, TEST, None, timedelta()) for each in messages]
        self.database.write(lambda s: inbound.store(s, arrivals))

    def _arrival(
        self, sender: str | None, text: str, code: str, message_id: str | None, age: timedelta
    ) -> Arrival:
        now = self.clock.now()
        serial = message_id or f"m-{next(self.serials)}"
        envelope = Envelope(serial, sender or "", SHORT_CODE, text, now - age)
        return inbound.prepare(self.keyring, self.link(code), envelope, now)

    def handle(self) -> int:
        """Run HANDLE until nobody waits, then SEAL; return how many messages were claimed."""
        total = 0
        while claimed := self.handler.run_once():
            total += claimed
            assert total < 1000, "the queue does not come to an end"
        self.seal()
        return total

    def seal(self) -> None:
        """Do what the sealer does where there is one."""
        if self.database.dialect == "postgresql":
            while self.journal.seal_once():
                pass

    def outbox(self) -> list[Told]:
        """Run SEND once: claim every reply that may leave now and hand it over."""
        now = self.clock.now()
        told: list[Told] = []
        results = [self.deliver(claimed, told) for claimed in self.claim()]

        def record(session: sa.orm.Session) -> None:
            outbox.record(session, results, now)
            usage.record(session, outbound._usage(results, now, self.links))

        self.database.write(record)
        return told

    def claim(self) -> list[Claimed]:
        """Claim what may leave now."""
        now = self.clock.now()

        def work(session: sa.orm.Session) -> list[Claimed]:
            may_disclose = self.journal.obstacle(session, now) is None
            return outbox.claim(session, now, limit=1000, may_disclose=may_disclose)

        return self.database.write(work)

    def deliver(self, claimed: Claimed, told: list[Told]) -> Result:
        """Hand one reply over as a sending thread does, and keep it in *told* if it left."""
        self.operator.received.clear()
        outcome = self.start(claimed, self.clock.monotonic() + 1)
        for link, reply in self.operator.received:
            told.append(Told(claimed.inbound_id, link, reply.to, claimed.reply, reply.text))
        return Result(claimed, outcome)

    def start(self, claimed: Claimed, licensed_until: float) -> Outcome | NotStarted:
        """Start one reply; the operator of the tests answers at once, so there is no waiting."""
        link = self.links.by_id(claimed.link_id)
        try:
            self.delivery.deliver(claimed, link, licensed_until).send(None)
        except StopIteration as end:
            outcome: Outcome | NotStarted = end.value
            return outcome
        raise AssertionError("the operator of the tests made a reply wait")

    def ask(self, sender: str | None, text: str, **options: object) -> Told | None:
        """Send one message, handle it, and return the reply to it."""
        self.send(sender, text, **options)  # type: ignore[arg-type]  # the options of `send`
        self.handle()
        told = self.outbox()
        assert len(told) <= 1, "one message, at most one reply"
        return told[0] if told else None

    def says(self, sender: str | None, text: str, **options: object) -> str | None:
        """Send one message and return the kind of the reply to it."""
        told = self.ask(sender, text, **options)
        return told.reply if told else None

    def pin(self, person: Record, command: str = "DC", **options: object) -> str:
        """Ask for a PIN and return it."""
        told = self.ask(person.phone, f"{command} {person.personal_id}", **options)
        assert told is not None
        assert told.reply == "PIN", told.reply
        return pin_in(told.text)

    def message(self, serial: int = -1) -> sa.Row[tuple[object, ...]]:
        """Return the row of a message, the newest unless told."""
        rows = self.rows(INBOUND)
        return sorted(rows, key=lambda row: row.id)[serial]

    def rows(self, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
        """Return every row of a table."""
        return list(self.database.read(lambda s: s.execute(sa.select(table)).all()))

    def sender_id(self, number: str) -> int:
        """Return the key of a sender."""
        return row_id(self.keyring.index("phone", number))

    def citizen_id(self, person: Record) -> int:
        """Return the key of a citizen."""
        return row_id(self.keyring.index("personal_id", person.personal_id))

    def replies(self) -> list[sa.Row[tuple[object, ...]]]:
        """Return every row of the outbox, sent or not."""
        return self.rows(OUTBOUND)

    def another_handler(self, register: Register | None = None) -> Handler:
        """Make a second handler, as another process has one."""
        return make_handler(self, register or self.register)


def pin_in(text: str) -> str:
    """Return the PIN that a text gives."""
    return text.split("XN ")[1][:6] if "XN " in text else text.split("PIN ")[1][:6]


def other_than(pin: str) -> str:
    """Return a PIN that is not this one."""
    return f"{(int(pin) + 1) % 10**6:06d}"


def stranger(number: int = 0) -> Msisdn:
    """Return a mobile that nobody in the register has."""
    return Msisdn(f"+8456{number:07d}")


def make_handler(gateway: Gateway, register: Register) -> Handler:
    """Make HANDLE as the wiring does."""
    return Handler(
        database=gateway.database,
        keyring=gateway.keyring,
        journal=gateway.journal,
        links=gateway.links,
        loader=Loader(
            keyring=gateway.keyring,
            journal=gateway.journal,
            state_dir=gateway.state_dir,
            sharing=shared_by,
        ),
        preparer=Preparer(
            PinHasher(gateway.keyring, PinProfile.STANDARD), register, Inline(), gateway.policy
        ),
        guards=Guards(
            gateway.database,
            gateway.keyring,
            gateway.links,
            gateway.clock,
            budgets=gateway.policy.budgets,
            pin_life=gateway.policy.pin.life,
        ),
        routes=Routes(gateway.links),
        trips=Trips(Halt(gateway.database, gateway.journal, gateway.state_dir, gateway.clock)),
        policy=gateway.policy,
        clock=gateway.clock,
        written=Signal(),
    )


@contextmanager
def opened(
    database: Database, keyring: Keyring, keys_dir: Path, state_dir: Path, clock: FixedClock,
    policy: Policy = POLICY,
) -> Iterator[Gateway]:  # fmt: skip
    """Open a gateway with a link for tests, one for real people, and another of those."""
    state_dir.mkdir(exist_ok=True)
    now = clock.now()

    def add(session: sa.orm.Session) -> None:
        for code in (TEST, REAL, OTHER):
            new = NewLink(
                code=code, kind=LinkKind.HTTP, url="https://operator.example", secret=SECRET,
                is_test=code == TEST, assessed_by="tests",
            )  # fmt: skip
            registry.add(session, keyring, new, now)

    database.write(add)
    journal = Journal.open(database, keyring, keys_dir, state_dir, "tradan/gateway.example", clock)
    links, operator = LinkRegistry(database, keyring, clock), FakeOperator()
    gateway = Gateway(
        database=database, keyring=keyring, clock=clock, journal=journal, links=links,
        register=FickleRegister(EmbeddedRegister(database, keyring)), operator=operator,
        delivery=Delivery(
            keyring=keyring, journal=journal, links=links,
            senders=dict.fromkeys(LinkKind, operator),
            clock=clock, state_dir=state_dir,
        ),
        state_dir=state_dir, policy=policy, handler=None,  # type: ignore[arg-type]  # made of the gateway itself, below
    )  # fmt: skip
    gateway.handler = make_handler(gateway, gateway.register)
    try:
        yield gateway
    finally:
        journal.close()


def last_moment(deadline: datetime) -> datetime:
    """Return the last instant before a deadline."""
    return deadline - timedelta(microseconds=1)
