"""One connection to an SMSC: what is asked, what is answered, and whether anybody is there.

Nothing is decided here about messages: what comes in goes to a handler, whose answer goes back when
it is ready. Writes of one turn of the event loop leave together.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from core.deadline import ANSWERED_SECONDS, WRITTEN_SECONDS
from sms.links.posting import NotAnsweredError, NotSentError
from sms.links.smpp import codec
from sms.links.smpp.asked import Late, Questions
from sms.links.smpp.conduct import Conduct
from sms.links.smpp.pdu import (
    RESPONSE,
    Body,
    Command,
    Empty,
    Message,
    Pdu,
    PduError,
    Taken,
    UnknownCommandError,
)
from sms.links.smpp.statuses import Status

# So many deliver_sm may wait for our commit; meanwhile no more is read from the connection.
MOST_UNANSWERED = 256
# So much that was written may lie here untaken; the same holds then.
_MOST_UNTAKEN = 65536
_HIGHEST_SEQUENCE = 0x7FFFFFFF
_BINDS = frozenset(
    {
        Command.BIND_RECEIVER_RESP,
        Command.BIND_TRANSMITTER_RESP,
        Command.BIND_TRANSCEIVER_RESP,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How soon silence is noticed: a dead link is one after both of these.

    Units: seconds.
    """

    idle: float = 30.0
    heard: float = 15.0
    look: float = 5.0


Deliver = Callable[["Connection", int, Message], None]


class Connection(asyncio.Protocol):
    """Both directions of one connection."""

    def __init__(self, deliver: Deliver, timing: Timing) -> None:
        self.lost = asyncio.Event()
        self.is_bound = self._was_bound = False
        self.in_flight = 0
        self.conduct = Conduct()
        self._deliver = deliver
        self._timing = timing
        self._loop = asyncio.get_running_loop()
        self._transport = asyncio.Transport()
        self._got = bytearray()
        self._out: list[bytes] = []
        self._questions = Questions(self._loop)
        self._sequence = 0
        self._unanswered = 0
        self._room: asyncio.Future[None] | None = None
        self._heard_at = self._asked_at = self._loop.time()

    async def ask(
        self,
        command: Command,
        body: Body,
        *,
        seconds: float = ANSWERED_SECONDS,
        written_by: float | None = None,
        late: Late | None = None,
    ) -> Pdu:
        """Ask something and wait for the answer; *late* is told one that comes after that.

        Units: *written_by* by the loop's clock. Raises: NotSentError before the first byte,
        NotAnsweredError after it.
        """
        sequence, answer = self._send_request(command, body, late)
        try:
            # Let this turn's writes leave; what the other side does not take is seen then.
            await asyncio.sleep(0)
            if (room := self._room) is not None:
                await self._written(room, written_by or self._loop.time() + WRITTEN_SECONDS)
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError as error:
            raise NotAnsweredError("timeout") from error
        finally:
            self._questions.end(sequence)

    async def submit(self, message: Message, written_by: float, late: Late) -> Pdu:
        """Hand a reply over and wait for the answer; *late* is told one that comes after that.

        Units: *written_by* by the loop's clock. Raises: NotSentError, NotAnsweredError.
        """
        self.in_flight += 1
        self.conduct.used_at = began = self._loop.time()
        try:
            answer = await self.ask(
                Command.SUBMIT_SM, message, written_by=written_by, late=self._late(late)
            )
        except NotAnsweredError:
            if self.conduct.was_silent(began, self._loop.time()):
                self.cut()
            raise
        finally:
            self.in_flight -= 1
        self.conduct.answered(answer, self._loop.time())
        return answer

    def answer_delivery(self, sequence: int, status: Status) -> None:
        """Answer a deliver_sm; a connection that is gone takes no answer."""
        self._unanswered -= 1
        if self.lost.is_set():
            return
        self._send(Pdu(Command.DELIVER_SM_RESP, sequence, status, Taken()))
        self._read_on()

    async def watch(self) -> None:
        """Ask from time to time whether anybody is there; cut the connection if nobody is."""
        timing = self._timing
        while not self.lost.is_set():
            await asyncio.sleep(timing.look)
            now = self._loop.time()
            if self._asked_at > self._heard_at and now - self._asked_at > timing.heard:
                self.cut()
            elif now - max(self._heard_at, self._asked_at) > timing.idle:
                self._asked_at = now
                self._send(Pdu(Command.ENQUIRE_LINK, self._next()))

    async def settle(self, seconds: float) -> None:
        """Wait for the answers that are still to come."""
        if waiting := self._questions.waiting():
            await asyncio.wait(waiting, timeout=seconds)

    async def unbind(self, seconds: float = WRITTEN_SECONDS) -> None:
        """Take leave, and close whether or not anybody answers."""
        self.is_bound = False
        try:
            if not self.lost.is_set():
                await self.ask(Command.UNBIND, Empty(), seconds=seconds)
        except (NotSentError, NotAnsweredError):
            pass
        finally:
            self.cut()

    def cut(self) -> None:
        """Close at once, whatever is under way."""
        self.is_bound = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (asyncio's protocol)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (streams have no other)
        self._transport = transport
        # Not 0: over TLS, asyncio takes an empty buffer for a full one then.
        transport.set_write_buffer_limits(high=1, low=0)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's protocol)
        """Tell whoever waits (asyncio's protocol)."""
        self.is_bound = False
        self.lost.set()
        self._questions.lose()
        if self._room is not None and not self._room.done():
            self._room.set_exception(NotAnsweredError("connection-lost"))
            self._room.exception()  # whoever waits may have gone

    def pause_writing(self) -> None:
        """Note that the other side takes no more for now (asyncio's protocol)."""
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        """Note that all was taken (asyncio's protocol)."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None
        self._read_on()

    def data_received(self, data: bytes) -> None:
        """Take in what came (asyncio's protocol)."""
        self._got += data
        try:
            for octets in codec.cut(self._got):
                self._take(octets)
        except PduError as error:
            # Where this one ends nobody knows, so nothing behind it can be read.
            status = Status.INVALID_COMMAND_LENGTH
            self._send(Pdu(Command.GENERIC_NACK, error.sequence, status))
            self._flush()
            self.cut()

    def _take(self, octets: bytes) -> None:
        # Whole packets count: octets that trickle in are no sign that anybody is there.
        self._heard_at = self._loop.time()
        try:
            pdu = codec.decode(octets)
        except UnknownCommandError as error:
            if not error.command & RESPONSE:
                self._send(Pdu(Command.GENERIC_NACK, error.sequence, Status.INVALID_COMMAND))
            return
        except PduError as error:
            if error.command == Command.DELIVER_SM:
                refusal = Pdu(Command.DELIVER_SM_RESP, error.sequence, Status.PERMANENT, Taken())
                self._send(refusal)
            return
        if pdu.command & RESPONSE:
            if self._questions.take(pdu) and pdu.command in _BINDS and pdu.status == Status.OK:
                # What comes right behind the answer to a bind is a message already.
                self.is_bound = self._was_bound = True
            return
        self._answer(pdu)

    def _answer(self, pdu: Pdu) -> None:
        match pdu.command, pdu.body:
            case Command.DELIVER_SM, Message() as message if self.is_bound:
                self._unanswered += 1
                if self._unanswered >= MOST_UNANSWERED:
                    self._transport.pause_reading()
                self._deliver(self, pdu.sequence, message)
            case Command.DELIVER_SM, _:
                # One that crosses our leave-taking is to come again, by another session.
                status = Status.TEMPORARY if self._was_bound else Status.WRONG_BIND_STATE
                self._send(Pdu(Command.DELIVER_SM_RESP, pdu.sequence, status, Taken()))
            case Command.ENQUIRE_LINK, _:
                self._send(Pdu(Command.ENQUIRE_LINK_RESP, pdu.sequence))
            case Command.UNBIND, _:
                self.is_bound = False
                self._send(Pdu(Command.UNBIND_RESP, pdu.sequence))
                self._flush()
                self._transport.close()
            case _:
                self._send(Pdu(Command.GENERIC_NACK, pdu.sequence, Status.INVALID_COMMAND))

    async def _written(self, room: "asyncio.Future[None]", by: float) -> None:
        """Wait until the other side has taken what was written; one that does not is cut off."""
        try:
            async with asyncio.timeout_at(by):
                await asyncio.shield(room)
        except TimeoutError:
            self.cut()
            raise

    def _late(self, late: Late) -> Late:
        def told(pdu: Pdu) -> None:
            self.conduct.answered_late()
            late(pdu)

        return told

    def _send_request(
        self, command: Command, body: Body, late: Late | None
    ) -> "tuple[int, asyncio.Future[Pdu]]":
        if self.lost.is_set() or self._transport.is_closing():
            raise NotSentError("no-connection")
        sequence = self._next()
        self._send(Pdu(command, sequence, body=body))
        return sequence, self._questions.ask(sequence, command, late)

    def _next(self) -> int:
        self._sequence = self._sequence % _HIGHEST_SEQUENCE + 1
        return self._sequence

    def _send(self, pdu: Pdu) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(codec.encode(pdu))

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out and not self._transport.is_closing():
            self._transport.write(b"".join(out))
            if self._transport.get_write_buffer_size() > _MOST_UNTAKEN:
                # Who takes no answers is asked for no more questions.
                self._transport.pause_reading()

    def _read_on(self) -> None:
        if self._unanswered < MOST_UNANSWERED and self._room is None:
            self._transport.resume_reading()
