"""T14 on SMPP: whoever answers where an SMSC should be, and is none of the operator's."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from sms.links.smpp import codec
from sms.links.smpp.pdu import Bind as BindBody
from sms.links.smpp.pdu import Body, Bound, Command, Empty, Pdu, Taken
from sms.links.smpp.statuses import Status
from sms.tables import INBOUND
from tests.e2e.waiting import until
from tests.sms.smpp.conftest import Bind
from tests.sms.smpp.stands import PASSWORD, delivered

BIND, SUBMIT = Command.BIND_TRANSCEIVER, Command.SUBMIT_SM
FORGED = delivered("XN 482913")
_RESPONSE = 0x80000000


@dataclass(slots=True)
class Stranger:
    """Listens where an SMSC should, says what a test wants, and keeps what it is told."""

    answers: Callable[[Pdu], list[Pdu]]
    greets: tuple[Pdu, ...] = ()
    heard: list[Pdu] = field(default_factory=list)
    _door: socket.socket = field(default_factory=socket.socket)

    def __post_init__(self) -> None:
        """Begin to listen."""
        self._door.bind(("127.0.0.1", 0))
        self._door.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._door.getsockname()[1])

    def replies(self, command: Command) -> list[Pdu]:
        """Return what was answered to PDUs of a kind."""
        return [pdu for pdu in self.heard if pdu.command == command | _RESPONSE]

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._door.accept()
                self._speak(line)

    def _speak(self, line: socket.socket) -> None:
        buffer = bytearray()
        with line, suppress(OSError):
            line.sendall(b"".join(map(codec.encode, self.greets)))
            while data := line.recv(4096):
                buffer += data
                for pdu in map(codec.decode, codec.cut(buffer)):
                    self.heard.append(pdu)
                    line.sendall(b"".join(map(codec.encode, self.answers(pdu))))


Strange = Callable[..., Stranger]


@pytest.fixture
def strange() -> Iterator[Strange]:
    """Make strangers that end with the test."""
    made: list[Stranger] = []

    def make(answers: Callable[[Pdu], list[Pdu]], *greets: Pdu) -> Stranger:
        made.append(Stranger(answers, greets))
        return made[-1]

    yield make
    for each in made:
        each.close()


def answer(pdu: Pdu, status: int = 0, body: Body | None = None) -> Pdu:
    """Answer a PDU."""
    return Pdu(Command(pdu.command | _RESPONSE), pdu.sequence, status, body or Empty())


def test_t14_what_comes_before_the_bind_is_answered_is_refused_and_not_kept(
    bind: Bind, strange: Strange
) -> None:
    def answers(pdu: Pdu) -> list[Pdu]:
        forged = Pdu(Command.DELIVER_SM, 2, body=FORGED)
        return [forged, answer(pdu, 0, Bound("smsc"))] if pdu.command is BIND else []

    stranger = strange(answers, Pdu(Command.DELIVER_SM, 1, body=FORGED))
    bound = bind(stranger.port)
    bound.await_bound()

    until(lambda: len(stranger.replies(Command.DELIVER_SM)) == 2, "both are answered")
    told = [(pdu.sequence, pdu.status) for pdu in stranger.replies(Command.DELIVER_SM)]
    assert told == [(1, Status.WRONG_BIND_STATE), (2, Status.WRONG_BIND_STATE)]
    assert bound.gateway.rows(INBOUND) == []


def test_t14_who_refuses_the_bind_is_heard_no_further(bind: Bind, strange: Strange) -> None:
    def answers(pdu: Pdu) -> list[Pdu]:
        forged = Pdu(Command.DELIVER_SM, 1, body=FORGED)
        return [answer(pdu, 0x0E, Bound()), forged] if pdu.command is BIND else []

    stranger = strange(answers)
    bound = bind(stranger.port)

    until(lambda: stranger.heard, "a bind is tried")
    until(lambda: not bound.sessions.roster.widths()[bound.link.id].under_way, "it is not bound")
    assert {pdu.status for pdu in stranger.replies(Command.DELIVER_SM)} <= {Status.WRONG_BIND_STATE}
    assert bound.gateway.rows(INBOUND) == []


def test_t14_nobody_binds_to_us_and_nothing_is_submitted_to_us(
    bind: Bind, strange: Strange
) -> None:
    asked = (
        Pdu(Command.BIND_TRANSCEIVER, 1, body=BindBody(system_id="smsc", password="guess")),
        Pdu(SUBMIT, 2, body=FORGED),
    )

    def answers(pdu: Pdu) -> list[Pdu]:
        return [answer(pdu, 0, Bound("smsc")), *asked] if pdu.command is BIND else []

    stranger = strange(answers, *asked)
    bound = bind(stranger.port)
    bound.await_bound()

    until(lambda: len(nacks(stranger)) == 4, "each is refused")
    assert set(nacks(stranger)) == {Status.INVALID_COMMAND}
    assert bound.gateway.rows(INBOUND) == []
    first = next(pdu.body for pdu in stranger.heard if pdu.command is BIND)
    assert isinstance(first, BindBody)
    assert first.password == PASSWORD


def nacks(stranger: Stranger) -> list[int]:
    """Return the statuses of what was refused without a name."""
    return [pdu.status for pdu in stranger.heard if pdu.command is Command.GENERIC_NACK]


def test_t14_an_answer_that_nobody_asked_for_ends_no_submission(
    bind: Bind, strange: Strange
) -> None:
    def answers(pdu: Pdu) -> list[Pdu]:
        if pdu.command is BIND:
            return [answer(pdu, 0, Bound("smsc"))]
        if pdu.command is SUBMIT:
            forged = Pdu(Command.SUBMIT_SM_RESP, pdu.sequence + 1000, body=Taken("forged"))
            return [forged, answer(pdu, 0x58, Taken())]
        return []

    bound = bind(strange(answers).port)
    bound.await_bound()

    (outcome,) = bound.send("Ma PIN: 123456")

    assert "forged" not in repr(outcome)
    assert "smpp-58" in repr(outcome)
