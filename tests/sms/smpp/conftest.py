"""What the tests against npm's SMSC share."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from core.db import Database
from core.keyring import Keyring
from sms.limits import Backlog, RateLimit
from sms.links.model import Link, Outcome, Outgoing
from sms.links.smpp.connection import Timing
from sms.links.smpp.intake import Intake
from sms.links.smpp.pdu import Pdu
from sms.links.smpp.sender import SmppSender
from sms.links.smpp.sessions import Sessions
from sms.notice_rate import NoticeRate
from sms.signals import Signal
from tests.e2e.waiting import until
from tests.sms.gateway import Gateway, opened
from tests.sms.running import RealClock
from tests.sms.smpp.smsc import Smsc, install
from tests.sms.smpp.stands import add_link
from tests.sms.smpp.stranger import Stranger, Words

END_SECONDS = 10.0
QUICK = Timing(idle=0.4, heard=0.4, look=0.1)


@dataclass(slots=True)
class Bound:
    """The sessions of one process, and the gateway behind them."""

    gateway: Gateway
    link: Link
    sessions: Sessions
    _sender: SmppSender = field(init=False)

    def __post_init__(self) -> None:
        """Make what hands replies to them."""
        self._sender = SmppSender(self.sessions)

    def send(self, *texts: str) -> list[Outcome]:
        """Hand so many replies over at once."""

        async def work() -> list[Outcome]:
            now = self.gateway.clock.now()
            each = [self._sender.send(self.link, self._outgoing(text), now) for text in texts]
            return list(await asyncio.gather(*each))

        return asyncio.run(work())

    def await_bound(self, count: int = 1) -> None:
        """Wait until so many sessions take replies."""
        window = 10 * count

        def is_up() -> bool:
            widths = self.sessions.roster.widths()
            return self.link.id in widths and widths[self.link.id].under_way >= window

        until(is_up, f"{count} bound")

    def _outgoing(self, text: str) -> Outgoing:
        now = self.gateway.clock.now()
        return Outgoing(
            id=str(uuid4()),
            to="+84912345678",
            sender="1414",
            text=text,
            encoding="gsm7",
            segments=1,
            expires_at=now + timedelta(minutes=4),
            in_reply_to="mo-1",
            created_at=now,
        )


Bind = Callable[..., Bound]
Strange = Callable[..., Stranger]


@pytest.fixture(scope="session")
def smpp_folder(request: pytest.FixtureRequest) -> Path:
    """A folder with npm's smpp."""
    return install(request.config)


@pytest.fixture
def smsc(smpp_folder: Path) -> Iterator[Smsc]:
    """An SMSC that nobody is bound to."""
    made = Smsc(smpp_folder)
    yield made
    made.close()


@pytest.fixture
def bind(sqlite_database: Database, keys_dir: Path, tmp_path: Path) -> Iterator[Bind]:
    """Make a link, bound by sessions that end with the test."""
    clock = RealClock()
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    with (
        opened(sqlite_database, keyring, keys_dir, tmp_path / "gateway", clock) as gateway,
        ExitStack() as stack,
    ):

        def make(
            port: int, timing: Timing | None = None, code: str = "smpp", **changes: object
        ) -> Bound:
            link = add_link(gateway, port, code, 2000, **changes)
            sessions = sessions_of(gateway, timing)
            sessions.start()

            def end() -> None:
                sessions.stop()
                sessions.join(END_SECONDS)

            stack.callback(end)
            return Bound(gateway, link, sessions)

        yield make


@pytest.fixture
def strange() -> Iterator[Strange]:
    """Make strangers that end with the test."""
    made: list[Stranger] = []

    def make(
        answers: Callable[[Pdu], Words], *greets: Pdu, host: str = "127.0.0.1", at: int = 0
    ) -> Stranger:
        made.append(Stranger(answers, greets, host, at))
        return made[-1]

    yield make
    for each in made:
        each.close()


def sessions_of(
    gateway: Gateway, timing: Timing | None = None, database: Database | None = None
) -> Sessions:
    """Make the sessions of one process."""
    intake = Intake(
        database=gateway.database,
        keyring=gateway.keyring,
        links=gateway.links,
        clock=gateway.clock,
        rate=RateLimit(gateway.database, gateway.clock),
        notices=NoticeRate(gateway.clock),
        backlog=Backlog(gateway.database, gateway.clock),
        received=Signal(),
    )
    database = database or gateway.database
    return Sessions(database, gateway.links, intake, gateway.clock, timing)
